/** What `npm run bench` is made of: a figure that is wrong would be believed. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { copyStart, perturbed, writeCopies } from './corpora.ts';
import { deleteLine, editLine, editSomeLines, insertLine } from './line-edits.ts';
import { measure } from './measure.ts';
import { alignedTable, type TableRow, withRows } from './table.ts';

const test = suite<{ folder: string }>('bench');
test.before.each((context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'dsbuild-bench-test-'));
});
test.after.each(({ folder }) => rmSync(folder, { recursive: true, force: true }));

const node = (script: string): string[] => [process.execPath, '-e', script];
const busy = 'const fill = Buffer.alloc(150e6, 1); while (process.cpuUsage().user < 300_000) fill[0]++;';
const asChild = (script: string): string => `require('child_process').spawnSync(process.execPath, ['-e', ${JSON.stringify(script)}])`;

test('time and memory are those of a whole process tree', async ({ folder }) => {
  const alone = await measure({ command: node('console.log("said")'), cwd: folder });
  assert.is(alone.stdout, 'said\n');
  const tree = await measure({ command: node(asChild(busy)), cwd: folder });
  assert.ok(tree.cpuSeconds >= 0.3, `${tree.cpuSeconds} s`);
  assert.ok(tree.wallSeconds > 0);
  assert.ok(tree.rssMb >= 150 + alone.rssMb / 2, `${tree.rssMb} MB, ${alone.rssMb} MB alone`);
});

test('an orphan counts as well', async ({ folder }) => {
  const { cpuSeconds } = await measure({ command: ['sh', '-c', `"$0" -e '${busy}' & sleep 0.05`, process.execPath], cwd: folder });
  assert.ok(cpuSeconds >= 0.3, `${cpuSeconds} s`);
});

test('a command that fails ends the measurement with what it said', async ({ folder }) => {
  try {
    await measure({ command: node('console.error("no such thing"); process.exit(3)'), cwd: folder });
    assert.unreachable();
  } catch (error) {
    assert.match(String(error), /ended with 3: no such thing/);
  }
});

const letters = 'the quick brown fox jumps over the lazy dog, Größe \u2028 日本 '.repeat(100);

test('perturbed text depends on the seed alone, and keeps all but some lower-case letters', () => {
  assert.is(perturbed(letters, 1), perturbed(letters, 1));
  assert.is.not(perturbed(letters, 1), perturbed(letters, 2));
  const changed = [...perturbed(letters, 1)].flatMap((letter, i) => (letter === letters[i] ? [] : [letters[i] as string]));
  assert.ok(changed.length > 5 && changed.length < 40, `${changed.length} letters`);
  assert.ok(changed.every((letter) => /[a-z]/.test(letter)));
});

const line = (id: number): string => JSON.stringify({ id: String(id), text: `${id} ${letters}`, source: 'x' });

function corpusOf(folder: string, lines: number): string {
  const path = join(folder, 'docs.jsonl');
  writeFileSync(path, Array.from({ length: lines }, (_, id) => `${line(id)}\n`).join(''));
  return path;
}

const linesOf = (path: string): string[] => readFileSync(path, 'utf8').split('\n').slice(0, -1);

test('copies of a corpus repeat no line, and fill what was asked for', ({ folder }) => {
  const from = corpusOf(folder, 20);
  const to = join(folder, 'copies.jsonl');
  writeCopies(from, to, { bytes: 500_000 });
  writeCopies(from, to, { bytes: 100_000, firstCopy: 90 });
  const lines = linesOf(to);
  assert.is(new Set(lines.map((text) => (JSON.parse(text) as { text: string }).text)).size, lines.length);
  const { length } = readFileSync(to);
  assert.ok(length >= 600_000 && length < 630_000, `${length} bytes`);
});

test('the start of a corpus ends with a whole line', ({ folder }) => {
  const from = corpusOf(folder, 5);
  const to = join(folder, 'start.jsonl');
  copyStart(from, to, Buffer.byteLength(line(0)) * 3.5);
  assert.equal(linesOf(to), linesOf(from).slice(0, 3));
});

test('edits change the line that they are asked to, and no other', ({ folder }) => {
  const path = corpusOf(folder, 9);
  const before = linesOf(path);
  editLine(path, 0.5);
  const edited = linesOf(path);
  assert.equal(
    edited.flatMap((text, i) => (text === before[i] ? [] : [i])),
    [4],
  );
  insertLine(path, 0);
  assert.equal(linesOf(path).toSpliced(1, 1), edited);
  deleteLine(path, 0);
  assert.equal(linesOf(path).slice(1), edited.slice(1));
});

test('edits of some lines are as many as they say', ({ folder }) => {
  const path = corpusOf(folder, 300);
  const before = linesOf(path);
  const edited = editSomeLines(path, { share: 0.1, seed: 1 });
  assert.ok(edited > 10 && edited < 60, `${edited} lines`);
  assert.is(linesOf(path).filter((text, i) => text !== before[i]).length, edited);
});

const rowOf = (command: string, what: string): TableRow => ({ command, what, dsbuild: '1 s', beside: ['2 s'], raw: {} });

test('new rows take the place of those that the same command made; others stay, in the order of commands', () => {
  const commands = ['bench a', 'bench b'];
  const empty = 'head\n<!-- figures of npm run bench -->\n<!-- end of figures -->\ntail';
  const both = withRows(empty, { rows: [rowOf('bench b', 'b1'), rowOf('bench a', 'a1')], commands, machine: 'on a machine' });
  assert.match(both, /^head\n.*\non a machine\n.*\| a1 \|.*\| b1 \| 1 s \| 2 s \| `bench b` \|.*\ntail$/s);
  const newer = withRows(both, { rows: [rowOf('bench a', 'a2')], commands });
  assert.match(newer, /\non a machine\n.*\| a2 \|.*\| b1 \|/s);
  assert.not.match(newer, /a1/);
  assert.throws(() => withRows('no place', { rows: [], commands }), /one place for figures/);
});

test('a goal that was missed is shown as missed', () => {
  const goals = [
    { says: 'at most 3 s', met: true },
    { says: 'at least 4 times', met: false },
  ];
  const lines = alignedTable([{ what: 'x', dsbuild: 'y', goals, raw: {} }]).split('\n');
  assert.match(lines[1] as string, /^x +y +met: at most 3 s$/);
  assert.match(lines[2] as string, /^ +MISSED: at least 4 times$/);
});

test.run();
