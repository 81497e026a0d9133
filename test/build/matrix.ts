import { Gate } from './gate.ts';
import { TestProject, tinyTokenizer } from './project.ts';

export const sourceCount = 40;
const recordsEach = 36;
/** The first source is larger than the others: several pack groups and shards. */
const recordsOfFirst = 400;

/** A small generator of pseudo-random numbers below `below`: the same on every machine. */
export function dice(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const words =
  'the a of to in river stone bread morning window paper garden clock letter winter green table silent carry under between almost'.split(
    ' ',
  );

export function sentence(roll: (below: number) => number, wordsMax = 80): string {
  const text = Array.from({ length: 8 + roll(wordsMax) }, () => words[roll(words.length)]).join(' ');
  return `${text}.`;
}

/** One source's JSONL. */
export function records(seed: number, count = seed === 0 ? recordsOfFirst : recordsEach): string {
  const roll = dice(seed * 7919 + 17);
  return Array.from({ length: count }, (_, i) => `${JSON.stringify({ id: `${seed}-${i}`, text: sentence(roll) })}\n`).join('');
}

export const sourceName = (i: number): string => `in/s${String(i).padStart(2, '0')}.jsonl`;

export interface MatrixOptions {
  readonly maxSeqLength?: number;
  readonly labels?: 'shifted' | 'hf';
  /** Only this split's name is listed in the manifest, or all. */
  readonly splits?: string;
  readonly out?: string;
  readonly version?: string;
}

/** sources -> chunks -> a program per chunk -> tokens -> shards -> index; and an export of the program's documents. */
export function matrixConfig({ maxSeqLength = 64, labels = 'shifted', splits, out = 'out', version = '1' }: MatrixOptions = {}): string {
  return `import { command, defineConfig, download, exportDataset, files, index, shard, tokenize } from 'dsbuild';
const raw = download({ sources: { 'm/*': files('in/**/*.jsonl') } });
const lower = command(raw, { run: ['tools/lower.sh'], tools: ['tools/lower.sh'], version: '${version}' });
const tokens = tokenize(lower, { tokenizer: 'tokenizer/tokenizer.json' });
const shards = shard(tokens, { maxSeqLength: ${maxSeqLength}, labels: '${labels}', shardSize: '60KB', packTokens: 6000, out: '${out}/shards' });
const train = index(shards${splits === undefined ? '' : `, { splits: ['${splits}'] }`});
const text = exportDataset(lower, { format: 'jsonl', each: 'collection', out: '${out}/text' });
export default defineConfig({ targets: { raw, lower, tokens, shards, train, text }, chunking: { chunkSize: '8KB' } });
`;
}

/** Reads all its input, can then be held, and writes it in lower case. */
const lowerScript = `#!/bin/sh
cat > input
${Gate.script()}
tr 'A-Z' 'a-z' < input
`;

/** The project of the correctness matrix, not built yet. */
export function matrixProject(sources = sourceCount): TestProject {
  const project = new TestProject();
  project.write('datasets.config.ts', matrixConfig());
  project.write('tools/lower.sh', lowerScript);
  project.copyIn(tinyTokenizer, 'tokenizer');
  for (let i = 0; i < sources; i++) project.write(sourceName(i), records(i));
  return project;
}
