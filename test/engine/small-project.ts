/** A project with one of each: chunks, small files, a filter module, tokens, shards, an index, files of their own. It builds in a few milliseconds. */
import { cpSync } from 'node:fs';
import { numbers } from '../source/files.ts';
import { checkout, Rig } from './rig.ts';

const config = `import { defineConfig, download, exportDataset, filter, files, index, shard, tokenize } from 'dsbuild';
import { short } from './short.ts';
const raw = download({ sources: { 'a/big': 'in/big.jsonl', 'b/*': files('in/small/*.jsonl') } });
const clean = filter(raw, { use: short({ charsMin: 20 }) });
const tokens = tokenize(clean, { tokenizer: 'tokenizer' });
const shards = shard(tokens, { maxSeqLength: 32, shardSize: '12KB', packTokens: 1500, out: 'train' });
const text = exportDataset(clean, { format: 'jsonl', out: 'text' });
const rejected = exportDataset(clean.rejected, { format: 'jsonl', each: 'collection', out: 'rejected' });
export default defineConfig({ targets: { raw, clean, tokens, shards, train: index(shards), text, rejected }, chunking: { chunkSize: '8.192KB' } });
`;

const filter = `import { defineFilter, drop, integer, keep } from 'dsbuild';
export const short = defineFilter({
  name: 'short',
  options: { charsMin: integer() },
  decide: ({ text }, { charsMin }) => (text.length >= charsMin ? keep : drop('too-short')),
});
`;

export const outs = ['train', 'text', 'rejected'] as const;

const words = 'the of and data set line by hash chunk shard token edit build again every one more than a few words'.split(' ');

function documents(seed: number, count: number): string {
  const next = numbers(seed);
  const line = (i: number): string => {
    const text = Array.from({ length: next() % 60 }, () => words[next() % words.length]).join(' ');
    return `${JSON.stringify({ id: `${seed}-${i}`, text })}\n`;
  };
  return Array.from({ length: count }, (_, i) => line(i)).join('');
}

/** The project, not built yet. */
export function smallProject(): Rig {
  const rig = new Rig();
  cpSync(checkout('fixtures/tokenizers/tiny'), rig.path('tokenizer'), { recursive: true });
  rig.write({ 'datasets.config.ts': config, 'short.ts': filter, 'in/big.jsonl': documents(1, 160) });
  for (let i = 0; i < 3; i++) rig.write({ [`in/small/${i}.jsonl`]: documents(10 + i, 4) });
  return rig;
}

/** What is edited in turn: every round makes work that was never done. */
export function edit(rig: Rig, round: number): void {
  const big = rig.read('in/big.jsonl').toString().split('\n');
  big[(round * 37) % 160] = JSON.stringify({ id: `edit-${round}`, text: `a line that was edited in round ${round} of the test` });
  rig.write({ 'in/big.jsonl': big.join('\n'), [`in/small/${round % 4}.jsonl`]: documents(100 + round, 1 + (round % 5)) });
}

/** All that is published, by path. */
export const publishedIn = (rig: Rig): Readonly<Record<string, string>> =>
  Object.fromEntries(outs.flatMap((out) => Object.entries(rig.tree(out)).map(([name, digest]) => [`${out}/${name}`, digest])));
