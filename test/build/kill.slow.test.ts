// time limit: 600 s
/** `SEED=3 RUNS=1000` kills at other moments, or more often. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Built, Rig } from '../engine/rig.ts';
import { dice, matrixProject, records, sourceName } from './matrix.ts';
import { type Outcome, ranInAll, type TestProject } from './project.ts';

const test = suite('kill -9 at random moments');

const seed = Number(process.env['SEED'] ?? 2026);
const runs = Number(process.env['RUNS'] ?? 100);
const jobs = 2;
const sources = 4;
/** Projects that builds are killed in side by side: most of a short run is the start of one process. */
const lanes = 2;

/** Notes in `$HOME` each time that it has done its work. */
const notingScript = `#!/bin/sh
tr 'A-Z' 'a-z'
echo done >> "$HOME/programs"
`;

function smallProject(): TestProject {
  const project = matrixProject(0);
  project.write('tools/lower.sh', notingScript);
  for (let i = 1; i <= sources; i++) project.write(sourceName(i), records(i, 12));
  return project;
}

const programsRun = (project: TestProject): number => readFileSync(join(project.home, 'programs'), 'utf8').split('\n').length - 1;

/** The build after a kill: in this process, where all that it needs is loaded. */
const buildHere = ({ dir, home }: TestProject): Promise<Built> =>
  new Rig(dir).build({ env: { HOME: home, PATH: process.env['PATH'] ?? '' } });

/** How long a build takes from the first thing that it says to its end. */
async function spanMs(project: TestProject): Promise<number> {
  const running = project.start('build', '--json', '-j', String(jobs));
  await running.next();
  const started = performance.now();
  assert.is((await running.done).code, 0);
  return performance.now() - started;
}

/** Kills a build that has begun to say something, at any moment until a little after its end. */
async function killed(project: TestProject, withinMs: number): Promise<Outcome> {
  const running = project.start('build', '--json', '-j', String(jobs));
  await running.next();
  await delay(withinMs);
  return running.kill();
}

/** Kills a build some milliseconds after it has begun to change published files. */
async function killedPublishing(project: TestProject, afterMs: number): Promise<void> {
  const running = project.start('build', '--json', '-j', String(jobs));
  await Promise.race([project.changeIn('.dsbuild/published'), running.done]);
  await delay(afterMs);
  await running.kill();
}

/** Where the next kill is to fall within, learnt from the last: the machine may become slower than it was, or quicker. */
const aimedAfter = (withinMs: number, kill: 'early' | 'midway' | 'late'): number => withinMs * { early: 1.2, midway: 1, late: 0.8 }[kill];

async function assertSound(project: TestProject, expected: Readonly<Record<string, string>>, after: string): Promise<Built> {
  const next = await buildHere(project);
  assert.equal(next.errors, [], after);
  assert.equal(project.snapshot(), expected, after);
  return next;
}

/** What a killed build was writing: nobody takes it for a published file, and the next build removes it. */
const isHalfWritten = (name: string): boolean => /\/\.dsbuild-[^/]*\.tmp$/.test(name);

async function inLanes(from: number, use: (project: TestProject, roll: (below: number) => number) => Promise<void>): Promise<void> {
  const work = Array.from({ length: lanes }, async (_, lane) => {
    const project = smallProject();
    try {
      await use(project, dice(from + lane));
    } finally {
      project.end();
    }
  });
  await Promise.all(work);
}

test('after each of 100 kills the next build ends well by itself, and repeats at most the steps that were running', async () => {
  let midway = 0;
  await inLanes(seed, async (project, roll) => {
    let withinMs = await spanMs(project);
    const clean = project.snapshot();
    project.remove('.dsbuild');
    const total = (await buildHere(project)).ran.length;
    for (let i = 0; i < runs / lanes; i++) {
      project.remove('.dsbuild');
      project.remove('out');
      project.writeHome('programs', '');
      const outcome = await killed(project, roll(withinMs));
      const finished = ranInAll(outcome);
      const kill = outcome.code !== 'SIGKILL' ? 'late' : finished === 0 ? 'early' : 'midway';
      if (kill === 'midway') midway++;
      withinMs = aimedAfter(withinMs, kill);
      const next = await assertSound(project, clean, `after kill ${i}`);
      assert.ok(next.ran.length + finished <= total, `${finished} had ended, ${next.ran.length} ran afterwards, of ${total}`);
      const programs = programsRun(project);
      // For each worker, one whose result is on its way to the log and one that was begun meanwhile.
      assert.ok(programs <= sources + 2 * jobs, `${programs} programs ran to their end, for ${sources} steps`);
    }
    assert.equal((await buildHere(project)).ran, []);
  });
  assert.ok(midway > runs / 20, `only ${midway} kills hit a build between its first and its last step`);
});

test('after each of 100 kills while all was known and was published, each file was the old or the new one, and the next build ends the change', async () => {
  let midway = 0;
  await inLanes(seed + lanes, async (project, roll) => {
    const states = [];
    for (const variant of [records(50, 12), records(60, 9)]) {
      project.write(sourceName(1), variant);
      assert.equal((await buildHere(project)).errors, []);
      states.push({ variant, published: project.snapshot() });
    }
    let tookMs = 0;
    for (let i = 0; i <= runs / lanes; i++) {
      const [from, to] = [states[(i + 1) % 2], states[i % 2]] as [(typeof states)[number], (typeof states)[number]];
      project.write(sourceName(1), to.variant);
      if (i === 0) tookMs = await spanMs(project);
      else if (i % 2 === 0) await killed(project, roll(tookMs * 1.05));
      else await killedPublishing(project, roll(10));
      const found = Object.fromEntries(Object.entries(project.snapshot()).filter(([name]) => !isHalfWritten(name)));
      for (const [name, digest] of Object.entries(found))
        assert.ok([from.published[name], to.published[name]].includes(digest), `${name} after kill ${i}`);
      const isWhole = [from, to].some(({ published }) => JSON.stringify(published) === JSON.stringify(found));
      if (!isWhole) midway++;
      assert.equal((await assertSound(project, to.published, `after kill ${i}`)).ran, [], 'all was known');
    }
  });
  assert.ok(midway > 0, 'no kill hit a build while its files changed over');
});

test.run();
