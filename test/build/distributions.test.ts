/** Lengths and vocabulary of `dsbuild stats <target>`, and its page. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadTokenizer } from '../../rules/lib/tokenizer.ts';
import type { StatsRecord } from '../../src/cli/stats.ts';
import type { Distributions, Lengths } from '../../src/engine/statistics/shape.ts';
import { python, runPython } from '../python.ts';
import { TestProject, tinyTokenizer } from './project.ts';

const test = suite('lengths and vocabulary');

const program = fileURLToPath(new URL('../../bin/dsbuild.js', import.meta.url));
const config = `import { defineConfig, download, filter, shard, tokenize } from 'dsbuild';
import { long } from './long.ts';
const raw = download({ sources: { 'a/<one>': 'in/one.jsonl', 'a/two': 'in/two.jsonl' } });
const clean = filter(raw, { use: long({ charsMin: 10 }) });
const tokens = tokenize(clean, { tokenizer: ${JSON.stringify(tinyTokenizer)} });
const shards = shard(tokens, { maxSeqLength: 64, packTokens: 2000, out: 'out' });
export default defineConfig({ chunking: { chunkSize: '4KB' }, targets: { raw, clean, tokens, shards } });
`;
const long = `import { defineFilter, drop, integer, keep } from 'dsbuild';
export const long = defineFilter({ name: 'long', options: { charsMin: integer() }, decide: ({ text }, { charsMin }) => text.length < charsMin ? drop('short') : keep });
`;

/** Texts of several lengths, with marks that a page has to escape. */
const texts = Array.from({ length: 300 }, (_, i) => (i % 10 === 0 ? 'short' : `<b>&"é" ${'the fox jumps again '.repeat(1 + (i % 7))}${i}`));
const lines = (some: readonly string[]): string =>
  some.map((text, i) => `${JSON.stringify({ id: `${i} ${text.length}`, text })}\n`).join('');
const kept = (some: readonly string[]): string[] => some.filter((text) => text.length >= 10);

function newProject(): TestProject {
  const project = new TestProject();
  project.write('datasets.config.ts', config);
  project.write('long.ts', long);
  project.write('in/one.jsonl', lines(texts.slice(0, 200)));
  project.write('in/two.jsonl', lines(texts.slice(200)));
  return project;
}

/** One built project for all tests that only read it. */
const shared = newProject();
test.before(async () => {
  assert.is((await shared.build()).code, 0);
});
test.after(() => shared.end());

async function statsOf(project: TestProject, ...args: string[]): Promise<StatsRecord> {
  const { code, events, stderr } = await project.start('stats', '--json', ...args).done;
  assert.is(code, 0, stderr);
  return events[0] as unknown as StatsRecord;
}

async function countedOf(project: TestProject, target: string): Promise<Distributions> {
  const { distributions, notes } = await statsOf(project, target);
  assert.ok(distributions, notes.join());
  return distributions;
}

const lengthsOf = ({ lengths }: Distributions, measure: Lengths['measure']): Lengths =>
  lengths.find((one) => one.measure === measure) as Lengths;
const sumOf = (numbers: readonly number[]): number => numbers.reduce((sum, number) => sum + number, 0);

const tokenizer = () => loadTokenizer({ model: readFileSync(join(tinyTokenizer, 'tokenizer.json')) });

test('tokens: lengths and ids are those of the tokenizer, and each id has its text', async () => {
  const counted = await countedOf(shared, 'tokens');
  const own = tokenizer();
  const documents = kept(texts).map((text) => own.encode(text, { addSpecialTokens: true }));
  const { count, sum, min, max, bars } = lengthsOf(counted, 'tokensPerDocument');
  const lengths = documents.map(({ length }) => length);
  assert.equal([count, sum, min, max], [lengths.length, sumOf(lengths), Math.min(...lengths), Math.max(...lengths)]);
  for (const bar of bars) assert.is(bar.count, lengths.filter((length) => length >= bar.from && length <= bar.to).length);
  const uses = new Map<number, number>();
  for (const ids of documents) for (const id of ids) uses.set(id, (uses.get(id) ?? 0) + 1);
  const { vocabulary } = counted;
  assert.is(vocabulary?.used, uses.size);
  assert.is(vocabulary?.neverUsed, own.vocabularySize - uses.size);
  assert.is(vocabulary?.tokens, sumOf(lengths));
  const order = [...uses].sort(([a, m], [b, n]) => n - m || a - b);
  assert.equal(
    vocabulary?.top.map(({ id, count: times, text }) => [id, times, text]),
    order.slice(0, 20).map(([id, times]) => [id, times, own.decode([id], { skipSpecialTokens: false })]),
  );
  const shares = [...uses.values()].map((times) => times / sumOf(lengths));
  const entropy = -sumOf(shares.map((share) => share * Math.log2(share)));
  assert.ok(Math.abs((vocabulary?.bitsPerToken ?? 0) - entropy) < 1e-9);
  assert.ok(sumOf(order.slice(0, vocabulary?.idsForHalf).map(([, times]) => times)) * 2 >= sumOf(lengths));
  assert.ok(sumOf(order.slice(0, (vocabulary?.idsForHalf ?? 0) - 1).map(([, times]) => times)) * 2 < sumOf(lengths));
});

test('documents have characters and bytes, those that were dropped too; shards have fill and documents in each sequence', async () => {
  const clean = await countedOf(shared, 'clean');
  assert.is(lengthsOf(clean, 'characters').sum, sumOf(kept(texts).map((text) => text.length)));
  assert.is(lengthsOf(clean, 'bytes').sum, sumOf(kept(texts).map((text) => Buffer.byteLength(text))));
  const rejected = await countedOf(shared, 'clean.rejected');
  assert.equal([rejected.output, lengthsOf(rejected, 'characters').sum], ['rejected', 30 * 'short'.length]);
  const { outputs, distributions } = await statsOf(shared, 'shards');
  const rows = sumOf((outputs[0]?.groups ?? []).map(({ sequences }) => sequences));
  const shards = distributions as Distributions;
  assert.equal([lengthsOf(shards, 'fillPercent').count, lengthsOf(shards, 'documentsPerSequence').count], [rows, rows]);
  const real = shards.amounts['tokensReal'];
  assert.is(real, ((await countedOf(shared, 'tokens')).vocabulary?.tokens as number) + kept(texts).length, 'an EOS for each document');
  assert.is(shards.vocabulary?.tokens, real);
});

test('for people: figures, bars, and the most frequent tokens; --figures and no name leave out what has to be read', async () => {
  const shown = shared.startText('stats', 'tokens');
  assert.is(await shown.done, 0);
  assert.match(shown.text, /^tokens tokenize\n[\s\S]*tokens per document {2}270 in all, mean [\d.]+, median \d+/);
  assert.match(shown.text, /\n +32-63 +\d+ {2}█+/);
  assert.match(shown.text, /vocabulary {2}[\d,]+ of [\d,]+ ids used \([\d,]+ never\), \d\.\d\d bits a token/);
  assert.not.ok(shown.text.includes('\u001b'), 'no escape sequences');
  for (const args of [['tokens', '--figures'], []]) assert.is((await statsOf(shared, ...args)).distributions, undefined);
});

test('a pipe that closes early ends it well', async () => {
  const pipe = `"${process.execPath}" "${program}" stats raw clean tokens shards | head -1; exit \${PIPESTATUS[0]}`;
  assert.is(execFileSync('bash', ['-c', pipe], { cwd: shared.dir, encoding: 'utf8' }), 'raw download\n');
});

test('--html writes one page that a parser reads, that loads nothing, and that shows texts as they are', async () => {
  const interpreter = python('an XML parser');
  if (!interpreter) return;
  await statsOf(shared, 'tokens', '--html');
  const page = runPython(interpreter, 'page.py', [shared.path('tokens-stats.html')]) as {
    tags: Record<string, number>;
    loading: string[];
    texts: string[];
  };
  assert.ok((page.tags['svg'] ?? 0) >= 4, 'groups, lengths, tokens');
  assert.equal([page.tags['script'], page.tags['link'], page.tags['img'], page.loading], [undefined, undefined, undefined, []]);
  assert.not.match(shared.read('tokens-stats.html'), /https?:|url\(|@import/);
  assert.ok(page.texts.includes('a/<one>'), 'the name of a group');
  assert.ok(
    page.texts.some((text) => text.includes('"<')),
    'the text of a token',
  );
  assert.match(page.texts.join('\n'), /prefers-color-scheme: dark/);
});

test('a page never takes the place of a file that is not ours, unless told to', async () => {
  shared.write('raw-stats.html', '<!doctype html>\n<p>mine</p>\n');
  const refused = await shared.start('stats', 'raw', '--html', '--json').done;
  assert.is(refused.code, 2);
  assert.match(refused.stderr + JSON.stringify(refused.events), /file-exists/);
  assert.match(shared.read('raw-stats.html'), /mine/);
  for (const flags of [['--overwrite'], []]) {
    await statsOf(shared, 'raw', '--html', ...flags);
    assert.match(shared.read('raw-stats.html'), /^<!DOCTYPE html>\n<!-- dsbuild stats -->\n/);
  }
  shared.write('pages/readme.txt', '');
  await statsOf(shared, 'raw', '--html=pages/here.html');
  assert.ok(shared.has('pages/here.html'));
});

test.run();
