/** `dsbuild head` on tokens and shards, from anywhere in a target, and in a terminal. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadTokenizer } from '../../rules/lib/tokenizer.ts';
import type { HeadRow } from '../../src/engine/api.ts';
import { TestProject, tinyTokenizer } from './project.ts';
import { PtyTerminal } from './pty.ts';

const test = suite('head');

const program = fileURLToPath(new URL('../../bin/dsbuild.js', import.meta.url));
const config = `import { defineConfig, download, shard, tokenize } from 'dsbuild';
const raw = download({ sources: { 'a/one': 'in/one.jsonl', 'a/two': 'in/two.jsonl' } });
const tokens = tokenize(raw, { tokenizer: ${JSON.stringify(tinyTokenizer)} });
const shards = shard(tokens, { maxSeqLength: 32, acrossDocuments: false, out: 'out' });
const numbered = shard(tokens, { maxSeqLength: 32, columns: ['document_ids'] });
export default defineConfig({ chunking: { chunkSize: '4KB' }, targets: { raw, tokens, shards, numbered } });
`;
const texts = Array.from({ length: 120 }, (_, i) => `${'the fox jumps '.repeat(1 + (i % 5))}${i}`);
const lines = (some: readonly string[]): string => some.map((text, i) => `${JSON.stringify({ id: `${i}`, text })}\n`).join('');

const project = new TestProject();
test.before(async () => {
  project.write('datasets.config.ts', config);
  project.write('in/one.jsonl', lines(texts.slice(0, 70)));
  project.write('in/two.jsonl', lines(texts.slice(70)));
  assert.is((await project.build()).code, 0);
});
test.after(() => project.end());

async function head(...args: readonly string[]): Promise<HeadRow[]> {
  const { code, events, stderr } = await project.start('head', '--json', ...args).done;
  assert.is(code, 0, stderr);
  return events as unknown as HeadRow[];
}

const tokenizer = loadTokenizer({ model: readFileSync(join(tinyTokenizer, 'tokenizer.json')) });
const decode = (ids: readonly number[]): string => tokenizer.decode(ids, { skipSpecialTokens: false });

test('each id stands beside its text, and each document beside its own, as the tokenizer itself decodes them', async () => {
  const [first] = await head('tokens', '-n', '1');
  const ids = first?.row['ids'] as number[];
  assert.equal(ids, [...tokenizer.encode(texts[0] as string, { addSpecialTokens: true })]);
  assert.equal([first?.place, first?.group], ['tokens:0', 'a/one']);
  assert.equal(
    first?.texts,
    ids.map((id) => decode([id])),
  );
  assert.equal(first?.pieces, [{ is: 'document', from: 0, to: ids.length, text: decode(ids) }]);
});

test('documents of a training row are told apart by EOS as by their column, and cover the row with its padding', async () => {
  const [byEos, byColumn] = [await head('shards', '-n', '1000'), await head('numbered', '-n', '1000')];
  assert.equal(
    byEos.map(({ pieces }) => pieces),
    byColumn.map(({ pieces }) => pieces),
  );
  const documents: string[] = [];
  let open = '';
  for (const { row, pieces = [] } of byEos) {
    const ids = row['input_ids'] as number[];
    let at = 0;
    for (const { is, from, to, ends, text } of pieces) {
      assert.is(from, at);
      at = to;
      if (is === 'padding') continue;
      assert.is(text, decode(ids.slice(from, to)));
      open += text;
      if (ends) documents.push(open);
      if (ends) open = '';
    }
    assert.is(at, ids.length);
  }
  assert.is(open, '');
  const eos = decode([0]);
  assert.equal(
    documents,
    texts.map((text) => decode([...tokenizer.encode(text, { addSpecialTokens: true })]) + eos),
  );
});

test('--random: the same rows for a seed, others for another, each where it says, and all of them if that many are asked for', async () => {
  const all = new Map((await head('shards', '-n', '1000')).map((row) => [row.place, row]));
  const seven = await head('shards', '--random', '--seed', '7', '-n', '5');
  assert.is(new Set(seven.map(({ place }) => place)).size, 5);
  for (const row of seven) assert.equal(row, all.get(row.place));
  assert.equal(await head('shards', '--random', '--seed', '7', '-n', '5'), seven);
  assert.not.equal(await head('shards', '--random', '--seed', '8', '-n', '5'), seven);
  assert.equal(await head('raw', '--random', '-n', '1000'), await head('raw', '-n', '1000'));
});

test('into a pipe rows are whole, without what is only for people; a pipe that closes early ends it well', () => {
  const pipe = (line: string): string => execFileSync('bash', ['-c', line], { cwd: project.dir, encoding: 'utf8' });
  const dsbuild = `"${process.execPath}" "${program}"`;
  const rows = pipe(`${dsbuild} head shards -n 2 | cat`).trim().split('\n');
  assert.equal(
    rows.map((row) => Object.keys(JSON.parse(row))),
    [0, 1].map(() => ['input_ids', 'attention_mask', 'labels']),
  );
  assert.equal(JSON.parse(pipe(`${dsbuild} head raw -n 100000 | head -1; exit \${PIPESTATUS[0]}`)), { id: '0', text: texts[0] });
});

test('in a terminal rows are blocks that fit it, with their places, which trace takes', async () => {
  const terminal = new PtyTerminal(['head', 'shards', '-n', '1', '--random'], { cwd: project.dir, columns: 60 });
  try {
    assert.is(await terminal.done, 0);
    assert.match(terminal.scrollback, /^shards:\d+ {2}a\/(one|two) {2}32 tokens, \d+ documents?/);
    assert.match(terminal.scrollback, /\n {4}\(?\d+:\S+ {2}\(?\d+:\S/);
    assert.match(terminal.scrollback, /\nthe same rows again: --seed \d+$/);
    const [, place = ''] = /^(\S+)/.exec(terminal.scrollback) ?? [];
    assert.is((await project.start('trace', place, '--json').done).code, 0);
  } finally {
    terminal.end();
  }
});

test.run();
