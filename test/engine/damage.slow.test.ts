// time limit: 600 s
/** Bytes below `.dsbuild` go bad: `SEED=3 RUNS=500` tries others. The build mends them by itself, and what it publishes is right. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { dice } from '../build/matrix.ts';
import { damage } from './damage.ts';
import type { Built } from './rig.ts';
import { edit, outs, publishedIn, smallProject } from './small-project.ts';

const seed = Number(process.env['SEED'] ?? 3);
const runs = Number(process.env['RUNS'] ?? 120);
/** Rounds after which both projects begin from nothing. */
const roundsMax = 20;

const test = suite('damaged files of .dsbuild');

const told = ({ events }: Built): string[] =>
  events.flatMap((event) => (event.type === 'target-failed' ? [`${event.error.code}: ${event.error.message}`] : []));

/** One of each folder is as likely as one of another, however many files lie there. */
function anyFile(names: readonly string[], roll: (below: number) => number): string {
  const folders = [...new Set(names.map((name) => name.split('/')[0] as string))];
  const folder = folders[roll(folders.length)] as string;
  const inside = names.filter((name) => name.startsWith(`${folder}/`));
  return `.dsbuild/${inside[roll(inside.length)]}`;
}

test('whatever bytes of it go bad, the next build ends well by itself, publishes what a sound one does, and leaves nothing to do', async () => {
  const roll = dice(seed);
  let [hurt, sound] = [smallProject(), smallProject()];
  for (let run = 0; run < runs; run++) {
    const round = run % roundsMax;
    if (round === 0) {
      [hurt, sound] = [smallProject(), smallProject()];
      assert.ok((await hurt.build()).summary.ok && (await sound.build()).summary.ok);
    }
    const names = Object.keys(hurt.tree('.dsbuild')).filter((name) => name.includes('/'));
    const done = Array.from({ length: 1 + roll(3) }, () => damage(hurt, anyFile(names, roll), roll));
    const edited = roll(3) > 0;
    if (edited) for (const rig of [hurt, sound]) edit(rig, round);
    const [gone] = roll(3) === 0 ? [outs[roll(outs.length)]] : [];
    if (gone) hurt.remove(gone);
    const what = `run ${run}: ${done.join(', ')}${edited ? ', after an edit' : ''}${gone ? `, without ${gone}` : ''}`;
    assert.ok((await sound.build()).summary.ok);
    let built = await hurt.build();
    const isForgotten = done.some((one) => one.includes('/published/'));
    // Who does not know any more what was published can not tell the user's files from its own.
    if (isForgotten && built.errors.length > 0 && built.errors.every((code) => code === 'edited'))
      built = await hurt.build({ overwrite: true });
    assert.equal(told(built), [], what);
    assert.equal(publishedIn(hurt), publishedIn(sound), what);
    const again = await hurt.build();
    assert.equal(told(again), [], `${what}: the build after it`);
    assert.equal(again.ran, [], what);
    assert.equal(publishedIn(hurt), publishedIn(sound), what);
  }
});

test.run();
