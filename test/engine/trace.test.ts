import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Project } from '../../src/engine/project.ts';
import type { TraceItem } from '../../src/engine/trace/items.ts';
import { refusal } from '../refusal.ts';
import { numbers } from '../source/files.ts';
import type { Rig } from './rig.ts';
import { type Files, firstFiles, itemsOf, layOut, lineAt, newProject, rowsIn, sourceLine, traced, wordsOf } from './trace-project.ts';

const test = suite('trace');

type Span = Extract<TraceItem, { type: 'span' }>;
type Held = Extract<TraceItem, { type: 'held' }>;
const spansIn = (items: readonly TraceItem[]): Span[] => items.flatMap((item) => (item.type === 'span' ? [item] : []));
const heldIn = (items: readonly TraceItem[]): Held[] => items.flatMap((item) => (item.type === 'held' ? [item] : []));
const leftOutOf = (items: readonly TraceItem[]): string[] =>
  items.flatMap((item) => (item.type === 'left-out' ? [`${item.target} ${item.reason}${item.detail ? ` (${item.detail})` : ''}`] : []));
const notesIn = (items: readonly TraceItem[]): string[] => items.flatMap((item) => (item.type === 'note' ? [item.message] : []));

const files = ['big', 'small', 'packed'].map((name) => `rows/text/${name}.jsonl`).concat('rows/chat/asked.jsonl');

/** What a row and a line have to do with each other, as one text. */
const linkOf = (place: { file: string; line: number }, row: { file: string; row: number; at: number }, words: string): string =>
  `${place.file}:${place.line} ${row.file}:${row.row} ${row.at} ${words}`;

/** Every row's pieces are the words of the lines that they name. @returns all links. */
async function backward(rig: Rig, project: Project, sources: Files): Promise<string[]> {
  const links: string[] = [];
  for (const file of files) {
    for (const [row, words] of rowsIn(rig, file).entries()) {
      const seen: string[] = [];
      for (const { tokens, documentTokens, source, how } of spansIn(await itemsOf(project, `${file}:${row}`))) {
        assert.is(how, 'exact');
        assert.is(source?.line, source?.lineLast);
        assert.is(tokens?.start, seen.length);
        const { start = 0, length = 0 } = documentTokens ?? {};
        const cut = wordsOf(lineAt(sources, source as { file: string; line: number })).slice(start, start + length);
        seen.push(...cut);
        links.push(linkOf(source as { file: string; line: number }, { file, row, at: tokens?.start ?? 0 }, cut.join(' ')));
      }
      assert.equal(seen, words);
    }
  }
  return links.sort();
}

/** The same links, asked for line by line. A line that is in no row was left out somewhere, and it is said where. */
async function forward(project: Project, sources: Files): Promise<string[]> {
  const links: string[] = [];
  for (const [file, lines] of sources) {
    for (const i of lines.keys()) {
      const items = await itemsOf(project, `${file}:${i + 1}`);
      const rows = heldIn(items).filter(({ target }) => target === 'rows');
      assert.is(rows.length === 0, leftOutOf(items).length > 0, `${file}:${i + 1}`);
      for (const { file: in_, fileRow, tokens, documentTokens } of rows) {
        const { start = 0, length = 0 } = documentTokens ?? {};
        const words = wordsOf(lines[i] as string).slice(start, start + length);
        links.push(
          linkOf({ file, line: i + 1 }, { file: in_ as string, row: fileRow as number, at: tokens?.start ?? -1 }, words.join(' ')),
        );
      }
    }
  }
  return links.sort();
}

function edited(before: Files, seed: number): Map<string, readonly string[]> {
  const next = numbers(seed);
  const after = new Map(before);
  for (const name of ['in/big.jsonl', [...before.keys()][next() % before.size] as string]) {
    const lines = [...(after.get(name) as readonly string[])];
    const at = next() % (lines.length + 1);
    lines.splice(at, next() % 3, ...Array.from({ length: next() % 3 }, (_, i) => sourceLine(seed * 77 + i)));
    after.set(name, lines);
  }
  return after;
}

test('after any edits, rows name the lines whose words they are, lines name those rows, and a clean build says the same', async () => {
  for (const seed of [1, 2]) {
    let sources: Files = firstFiles(seed);
    const rig = newProject(sources);
    assert.ok((await rig.build()).summary.ok);
    for (let edit = 0; edit < 2; edit++) {
      sources = edited(sources, seed * 10 + edit);
      layOut(rig, sources);
      assert.ok((await rig.build()).summary.ok);
    }
    const links = await rig.withProject((project) => backward(rig, project, sources));
    assert.ok(links.length > 100);
    assert.equal(await rig.withProject((project) => forward(project, sources)), links);
    const clean = newProject(sources);
    assert.ok((await clean.build()).summary.ok);
    assert.equal(await clean.withProject((project) => backward(clean, project, sources)), links);
  }
});

const document = (text: string, more: object = {}): string => JSON.stringify({ ...more, text });
const small: Files = new Map([
  [
    'in/big.jsonl',
    [document('one two three four five', { id: 'first' }), '', '{"text":', document('too short'), document('six seven eight nine')],
  ],
  ['in/chat.jsonl', [document('a shard is no answer'), document('a line is not a chunk')]],
  ['in/packed.jsonl.gz', [document('packed words in a file'), '[]', document('more packed words in it')]],
  ['in/small/a.jsonl', [document('a small file of words')]],
]);

test('a line that is left out is said to be, by target and reason', async () => {
  const rig = newProject(small);
  await rig.build();
  const reasons = async (place: string): Promise<string[]> => leftOutOf(await traced(rig, place));
  assert.equal(await reasons('in/big.jsonl:1'), []);
  assert.equal(await reasons('in/big.jsonl:2'), ['raw blank']);
  assert.match((await reasons('in/big.jsonl:3'))[0] as string, /^raw quarantined: not-json \(.+\)$/);
  assert.equal(await reasons('in/big.jsonl:4'), ['clean rejected (too-short)']);
  assert.equal(await reasons('in/chat.jsonl:1'), ['raw dropped (adapted-away)']);
  assert.match((await reasons('in/packed.jsonl.gz:2'))[0] as string, /^raw quarantined: not-an-object/);
});

test('a dropped document is a row of the rejected ones, and says its line', async () => {
  const rig = newProject(small);
  await rig.build();
  const held = heldIn(await traced(rig, 'in/big.jsonl:4')).map(({ target, row }) => `${target} ${row}`);
  assert.equal(held, ['raw 1', 'clean.rejected 0']);
  const [span] = spansIn(await traced(rig, 'clean.rejected:0'));
  assert.equal(span?.source, { file: 'in/big.jsonl', line: 4, lineLast: 4 });
});

test('a document is shown by its id and the beginning of its text', async () => {
  const rig = newProject(small);
  await rig.build();
  const [line] = await traced(rig, 'in/big.jsonl:1');
  assert.equal(line, {
    type: 'line',
    source: { file: 'in/big.jsonl', line: 1, lineLast: 1 },
    id: 'first',
    text: 'one two three four five',
  });
  const [span] = spansIn(await traced(rig, 'rows:0'));
  assert.equal([span?.id, span?.text], ['first', 'one two three four five']);
});

test('rows are counted over all parts of a target, and in their file', async () => {
  const rig = newProject(small);
  await rig.build();
  const [first] = await traced(rig, 'exported:0');
  assert.equal(first, {
    type: 'row',
    rows: 6,
    target: 'exported',
    row: 0,
    unit: 'row',
    group: 'text/big',
    file: 'exported/text/big.jsonl',
    fileRow: 0,
  });
  const [chat] = await traced(rig, 'exported/chat/asked.jsonl:0');
  assert.equal([chat?.type, (chat as { row: number }).row, (chat as { rows: number }).rows], ['row', 3, 1]);
});

async function errorOf(asked: Promise<unknown>): Promise<{ code: string; text: string }> {
  const { code, message, hint = '' } = await refusal(asked);
  return { code, text: `${message} ${hint}` };
}

const mistakes: readonly [place: string, code: string, says: RegExp][] = [
  ['rows:999', 'no-such-row', /rows has \d+ rows .*the last is rows:\d/],
  ['rows/text/big.jsonl:999', 'no-such-row', /the last is rows\/text\/big.jsonl:\d/],
  ['in/big.jsonl:6', 'no-such-line', /has 5 lines .*the last is in\/big.jsonl:5/],
  ['in/big.jsonl:0', 'no-such-line', /counted from 1/],
  ['in/packed.jsonl.gz:0', 'no-such-line', /counted from 1/],
  ['rowss:1', 'unknown-target', /Did you mean "rows"/],
  ['rows', 'usage', /names no row/],
  ['rows:', 'usage', /names no row/],
  ['short.ts:1', 'unknown-place', /neither a source/],
];

test('a place that is not there is refused, with what there is', async () => {
  const rig = newProject(small);
  await rig.build();
  for (const [place, code, says] of mistakes) {
    const error = await errorOf(traced(rig, place));
    assert.is(error.code, code, place);
    assert.match(error.text, says);
  }
});

test('what was never built can not be traced', async () => {
  const rig = newProject(small);
  assert.is((await errorOf(traced(rig, 'rows:0'))).code, 'not-built');
});

test('a table that is gone is made again from the results of steps, and kept', async () => {
  const rig = newProject(small);
  await rig.build();
  const before = await traced(rig, 'rows:0');
  rig.remove('.dsbuild/plans');
  assert.equal(await traced(rig, 'rows:0'), before);
});

test('when a side part is gone, rows are said to be somewhere in the lines of their part', async () => {
  const rig = newProject(small);
  rig.write({ 'chop.ts': rig.read('chop.ts').toString('utf8').replace('side.write(lineage.finish())', 'side.write(Buffer.from("none"))') });
  await rig.build();
  const spans = spansIn(await traced(rig, 'rows:0'));
  assert.equal(
    spans.map(({ source, how }) => [source, how]),
    [[{ file: 'in/big.jsonl', line: 1, lineLast: 5 }, 'within']],
  );
});

test('a source that was edited, or is gone, is said to be; lines are those of the last build', async () => {
  const rig = newProject(small);
  await rig.build();
  rig.write({ 'in/big.jsonl': `${document('another line before')}\n${rig.read('in/big.jsonl').toString('utf8')}` });
  const edited = await traced(rig, 'rows:0');
  assert.equal(spansIn(edited)[0]?.source, { file: 'in/big.jsonl', line: 1, lineLast: 1 });
  assert.match(notesIn(edited).join(), /in\/big.jsonl has changed since/);
  rig.remove('in/big.jsonl');
  const gone = await traced(rig, 'rows:0');
  assert.is(spansIn(gone)[0]?.source?.line, 1);
  assert.match(notesIn(gone).join(), /in\/big.jsonl is gone/);
});

test('a target that was built before its input was built again is traced through what both have, with a note', async () => {
  const rig = newProject(small);
  await rig.build();
  const lines = small.get('in/big.jsonl') as readonly string[];
  layOut(rig, new Map([...small, ['in/chat.jsonl', [document('another line is not a chunk')]]]));
  await rig.build({ targets: ['clean'] });
  const items = await traced(rig, 'rows:0');
  assert.is(lineAt(small, spansIn(items)[0]?.source as { file: string; line: number }), lines[0]);
  assert.match(notesIn(items).join(), /clean was built again after rows/);
  const chat = await traced(rig, 'rows/chat/asked.jsonl:0');
  assert.match(spansIn(chat)[0]?.note ?? '', /no longer has what rows was built from/);
});

test('an option that the config changed since is named', async () => {
  const rig = newProject(small);
  await rig.build();
  rig.write({ 'datasets.config.ts': rig.read('datasets.config.ts').toString('utf8').replace("param('length', 16)", "param('length', 8)") });
  assert.match(notesIn(await traced(rig, 'rows:0')).join(), /rows was last built with another length than now/);
});

test('clean keeps what a trace reads', async () => {
  const rig = newProject(small);
  await rig.build();
  const before = await traced(rig, 'rows:0');
  const { clean } = await import('../../src/engine/clean.ts');
  await rig.withProject((project) => clean(project, { dryRun: false, all: false }));
  assert.equal(await traced(rig, 'rows:0'), before);
});

test.run();
