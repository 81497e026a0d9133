/** Builds of some groups (`--only`) and of samples. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { BuildError } from '../../src/base/errors.ts';
import { stats } from '../../src/engine/stats.ts';
import { status } from '../../src/engine/status.ts';
import { type BuildGiven, Rig } from './rig.ts';

const test = suite('builds of a part of the sources');

const config = `import { defineConfig, download, filter } from 'dsbuild';
import { long } from './long.ts';
const raw = download({ sources: { 'docs/*': 'in/*.jsonl', 'chat/all': 'more.jsonl' } });
export default defineConfig({ targets: { raw, clean: filter(raw, { use: long({}) }) } });
`;
const filterModule = `import { defineFilter, drop, keep } from 'dsbuild';
export const long = defineFilter({ name: 'long', options: {}, decide: ({ text }) => text.length < 3 ? drop('short') : keep });
`;
const lines = (name: string, count: number): string =>
  Array.from({ length: count }, (_, i) => `${JSON.stringify({ id: `${name}${i}`, text: `line ${i} of ${name}` })}\n`).join('');

function project(): Rig {
  const rig = new Rig();
  rig.write({
    'datasets.config.ts': config,
    'long.ts': filterModule,
    'in/a.jsonl': lines('a', 9),
    'in/b.jsonl': lines('b', 5),
    'more.jsonl': lines('more', 3),
  });
  return rig;
}

interface Known {
  readonly groups: Readonly<Record<string, number>>;
  readonly notes: readonly string[];
}

const known = (rig: Rig, target = 'clean'): Promise<Known> =>
  rig.withProject(async (opened) => {
    const { outputs, notes } = await stats(opened, target);
    const groups = outputs.flatMap(({ output, groups }) => (output === 'rejected' ? [] : groups));
    return { groups: Object.fromEntries(groups.map(({ group, documents }) => [group, documents])), notes };
  });

const whole: Known = { groups: { 'chat/all': 3, 'docs/a': 9, 'docs/b': 5 }, notes: [] };
const staleOf = (rig: Rig): Promise<number> => rig.withProject(async (opened) => (await status(opened, { targets: [] })).stale);

test('what is known of the whole stays when some groups or a sample are built after it', async () => {
  const rig = project();
  await rig.build();
  assert.equal(await known(rig), whole);
  for (const part of [{ only: 'docs/a' }, { sample: 1 }, { only: 'docs/*', sample: 2 }]) {
    const { summary } = await rig.build(part);
    assert.equal({ only: undefined, sample: undefined, ...part }, { only: summary.only, sample: summary.sample }, 'its record says so');
    assert.equal(await known(rig), whole);
    assert.is(await staleOf(rig), 0);
  }
});

test('of what was never built as a whole the part is known, and said to be one, until all of it is built', async () => {
  const rig = project();
  await rig.build({ only: 'docs/a' });
  const note = (only: string): string => `clean was only built with --only '${only}': of the other groups nothing is known`;
  assert.equal(await known(rig), { groups: { 'docs/a': 9 }, notes: [note('docs/a')] });
  await rig.build({ only: 'docs/b' });
  assert.equal(await known(rig), { groups: { 'docs/b': 5 }, notes: [note('docs/b')] });
  await rig.build({ only: '**' });
  assert.equal(await known(rig), { ...whole, notes: [note('**')] });
  await rig.build();
  assert.equal(await known(rig), whole, 'also where all is the same and nothing ran');
});

const reasonsOf = async (rig: Rig, given: BuildGiven): Promise<readonly string[]> =>
  (await rig.build(given)).events.flatMap((event) => (event.type === 'target-started' && event.target === 'raw' ? event.why : []));

test('why a part is built is said as it was asked for', async () => {
  const rig = project();
  await rig.build();
  assert.equal(await reasonsOf(rig, { only: 'docs/a' }), ["a part of the sources: --only 'docs/a'"]);
  assert.equal(await reasonsOf(rig, { sample: 2 }), ['a part of the sources: 2 of each group (--sample)']);
  const other = project();
  await other.build({ only: 'docs/a' });
  assert.equal(await reasonsOf(other, {}), ["all groups now, not --only 'docs/a'"]);
});

test('groups that no source has are refused with the nearest name, before anything is built', async () => {
  const rig = project();
  for (const [only, nearest] of [
    ['docs/aa', ' Did you mean "docs/a"?'],
    ['code', ''],
    ['', ''],
  ] as const) {
    try {
      await rig.build({ only });
      assert.unreachable(only);
    } catch (error) {
      assert.instance(error, BuildError);
      const { code, message, hint } = error as BuildError;
      assert.equal([code, hint], ['unknown-group', 'Groups: chat/all, docs/a, docs/b.']);
      assert.is(message, `--only: no group of the sources matches "${only}".${nearest}`);
    }
  }
  assert.equal((await rig.build({ only: 'docs' })).errors, [], 'all that lies below a name');
  assert.equal((await rig.build({ only: 'docs/?' })).errors, []);
});

test.run();
