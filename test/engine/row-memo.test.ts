/** Rows that are known from earlier versions of a chunk: used where they may be, and never seen in what is built. */
import { closeSync, cpSync, openSync, writeSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { RowsReused } from '../../src/base/events.ts';
import { Store } from '../../src/cache/store.ts';
import { type Built, checkout, Rig } from './rig.ts';

const test = suite('row memo');

const config = `import { defineConfig, download, exportDataset, files, filter, param, tokenize } from 'dsbuild';
import { judged, named } from './judged.ts';

const raw = download({ sources: { 'a/b': files('in/*.jsonl') } });
const clean = filter(raw, { use: judged({ charactersMin: param('charactersMin', 20) }) });
const named2 = filter(clean, { use: named() });
export default defineConfig({
  targets: {
    raw,
    clean,
    named: named2,
    tokens: tokenize(named2, { tokenizer: 'tokenizer' }),
    kept: exportDataset(named2, { format: 'jsonl', out: 'kept' }),
    rejected: exportDataset(clean.rejected, { format: 'jsonl', out: 'rejected' }),
  },
  chunking: { chunkSize: '8.192KB' },
});
`;

const judged = `import { defineFilter, drop, integer, keep } from 'dsbuild';

export const judged = defineFilter({
  name: 'judged',
  options: { charactersMin: integer() },
  decide({ text }, { charactersMin }) {
    if (text.includes('throw')) throw new Error('as told');
    if (globalThis.isMoody && text.length % 3 === 0) return drop('mood');
    return text.length < charactersMin ? drop('too-short') : keep;
  },
});
export const named = defineFilter({ name: 'named', options: {}, decide: ({ id }) => (id.endsWith('7') ? drop('seven') : keep) });
`;

const lineOf = (i: number): string =>
  JSON.stringify({ id: `d${i}`, text: i % 150 === 5 ? `throw ${i}` : `${'word '.repeat((i * 7) % 30)}${i}` });
const lines = (count: number): string[] => Array.from({ length: count }, (_, i) => lineOf(i));
const first = lines(600);

function project(content: readonly string[]): Rig {
  const rig = new Rig();
  cpSync(checkout('fixtures/tokenizers/tiny'), rig.path('tokenizer'), { recursive: true });
  rig.write({ 'datasets.config.ts': config, 'judged.ts': judged });
  edit(rig, content);
  return rig;
}

const edit = (rig: Rig, content: readonly string[]): void => rig.write({ 'in/a.jsonl': `${content.join('\n')}\n` });
const reusedOf = ({ summary }: Built, target: string): RowsReused | undefined => summary.targets[target]?.reused;
const warningsOf = ({ events }: Built) => events.flatMap((event) => (event.type === 'warning' ? [event] : []));
/** Rows of a target's steps that were worked on. */
const workedOn = (built: Built, target: string): number => {
  const reused = reusedOf(built, target);
  assert.ok(reused, `${target} reused no row`);
  return reused.of - reused.rows;
};

/** Published files and all step results are those of a clean build of the same lines. */
async function assertClean(rig: Rig, built: Built, content: readonly string[]): Promise<void> {
  const clean = project(content);
  const whole = await clean.build();
  assert.equal(
    Object.values(whole.summary.targets).flatMap(({ reused }) => reused ?? []),
    [],
  );
  for (const folder of ['kept', 'rejected']) assert.equal(rig.tree(folder), clean.tree(folder));
  for (const [step, result] of built.results) assert.is(result, whole.results.get(step));
}

/** Builds the first lines, then the edited ones; both targets must have worked on few rows, and all be as in a clean build. */
async function assertFewRows(content: readonly string[], rowsMax: number): Promise<void> {
  const rig = project(first);
  await rig.build();
  edit(rig, content);
  const built = await rig.build();
  for (const target of ['clean', 'named', 'tokens']) {
    const worked = workedOn(built, target);
    assert.ok(worked <= rowsMax, `${target} worked on ${worked} rows, ${JSON.stringify(reusedOf(built, target))}`);
  }
  await assertClean(rig, built, content);
}

const edits: Readonly<Record<string, readonly [content: readonly string[], rowsMax: number]>> = {
  'one row edited': [first.with(350, '{"id":"new","text":"a new text that is long enough"}'), 6],
  'one row deleted': [first.toSpliced(350, 1), 6],
  'rows moved to the end': [[...first.toSpliced(250, 20), ...first.slice(250, 270)], 40],
  'rows of several chunks deleted': [first.toSpliced(120, 300), 75],
  'every tenth row edited': [first.map((line, i) => (i % 10 === 0 ? lineOf(2000 + i) : line)), 90],
  'rows appended': [[...first, ...Array.from({ length: 30 }, (_, i) => lineOf(1000 + i))], 45],
};

for (const [name, [content, rowsMax]] of Object.entries(edits)) {
  test(`${name}: the other rows of the chunks are known, and all is as in a clean build`, () => assertFewRows(content, rowsMax));
}

test('whichever row is edited, the last one of a chunk too, the others of its chunk are known', async () => {
  const rig = project(first);
  await rig.build();
  let content = first;
  for (let i = 0; i < 12; i++) {
    content = content.with(340 + i, `{"id":"n${i}","text":"a new text ${i}, that is long enough"}`);
    edit(rig, content);
    const built = await rig.build({ targets: ['clean'] });
    assert.ok(workedOn(built, 'clean') <= 10, `row ${340 + i}: ${JSON.stringify(reusedOf(built, 'clean'))}`);
  }
});

const edited = first.with(350, '{"id":"new","text":"a new text that is long enough"}');

test('another option, another tokenizer, or a filter that was changed, knows nothing', async () => {
  const rig = project(first);
  await rig.build();
  edit(rig, edited);
  assert.is(reusedOf(await rig.build({ params: { charactersMin: '30' } }), 'clean'), undefined);
  rig.write({ 'judged.ts': judged.replace("'too-short'", "'far-too-short'") });
  edit(rig, edited.with(3, '{"id":"x","text":"another"}'));
  rig.write({ 'tokenizer/tokenizer.json': `${rig.read('tokenizer/tokenizer.json').toString()}\n` });
  const built = await rig.build();
  assert.ok(built.ran.includes('tokens:encode'));
  assert.is(reusedOf(built, 'tokens'), undefined);
  assert.is(reusedOf(built, 'clean'), undefined);
  assert.is(built.summary.targets['clean']?.dropped['too-short'], undefined);
});

test('--paranoid and --force use nothing that is known of rows', async () => {
  for (const options of [{ paranoid: true }, { force: true }]) {
    const rig = project(first);
    await rig.build();
    edit(rig, edited);
    const built = await rig.build(options);
    assert.ok(built.ran.includes('clean:decide'));
    assert.equal(
      ['clean', 'named', 'tokens'].map((target) => reusedOf(built, target)),
      [undefined, undefined, undefined],
    );
  }
});

const globals = globalThis as { isMoody?: boolean };

test('a filter that is not pure is found out: a warning names target, step and record, and all is done anew', async () => {
  const rig = project(first);
  await rig.build();
  edit(
    rig,
    first.map((line, i) => (i % 10 === 0 ? lineOf(2000 + i) : line)),
  );
  globals.isMoody = true;
  const built = await rig.build({ targets: ['clean'] }).finally(() => {
    globals.isMoody = false;
  });
  const warnings = warningsOf(built).filter(({ code }) => code === 'memo-differs');
  assert.ok(warnings.length > 0);
  assert.is(warnings[0]?.target, 'clean');
  assert.match(warnings[0]?.message ?? '', '"decide"');
  assert.match(warnings[0]?.where ?? '', /^in\/a\.jsonl:\d+$/);
  assert.ok((built.summary.targets['clean']?.dropped['mood'] as number) > 50);
});

/** Digests of the side parts that a build made. */
const sideParts = ({ results }: Built): string[] =>
  [...results.values()].flatMap((result) =>
    (JSON.parse(result) as [[string, string][]])[0].flatMap(([output, digest]) =>
      ['memo', 'verdicts', 'lineage'].includes(output) ? [digest] : [],
    ),
  );

function damage(rig: Rig, digests: readonly string[]): void {
  const store = new Store(rig.path('.dsbuild'));
  for (const digest of digests) {
    const [segment] = store.locate(digest) ?? [];
    assert.ok(segment);
    const fd = openSync(segment.path, 'r+');
    writeSync(fd, Buffer.from('damaged!'), 0, 8, segment.offset);
    closeSync(fd);
  }
  store.close();
}

test('side parts that are damaged or gone cost time, and nothing else', async () => {
  for (const spoil of ['damage', 'remove'] as const) {
    const rig = project(first);
    const sides = sideParts(await rig.build());
    assert.ok(sides.length > 20);
    if (spoil === 'damage') damage(rig, [...new Set(sides)]);
    else {
      const store = new Store(rig.path('.dsbuild'));
      for (const digest of sides) store.remove(digest);
      store.close();
    }
    edit(rig, edited);
    const built = await rig.build();
    assert.ok(built.summary.ok);
    assert.is(reusedOf(built, 'clean'), undefined);
    await assertClean(rig, built, edited);
  }
});

test('a list of what was read before that is gone is no trouble', async () => {
  const rig = project(first);
  await rig.build();
  rig.remove('.dsbuild/plans');
  edit(rig, edited);
  const built = await rig.build();
  assert.is(reusedOf(built, 'clean'), undefined);
  await assertClean(rig, built, edited);
});

test.run();
