/** The project that random edits are made to: its files as a model in memory, so that a state can be laid out anywhere and gone back to. */
import { cpSync, rmSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { numbers } from '../source/files.ts';
import { checkout, Rig } from './rig.ts';

/** Lines of each source file, by path; whether its last line ends with a newline is the last entry's matter: '' stands for the end. */
export interface State {
  readonly files: ReadonlyMap<string, readonly string[]>;
  readonly params: Readonly<Record<string, string>>;
}

const config = `import { countTokens, defineConfig, download, exportDataset, files, filter, index, param, shard, tokenize } from 'dsbuild';
import { asked, odd, short } from './short.ts';

const raw = download({
  sources: {
    'custom/*': files('data/raw/custom/*.jsonl'),
    'code/small': files('in/small/**/*.jsonl'),
    'text/big': files('in/big*.jsonl'),
    'chat/*': files('in/chat/**/*.jsonl', { adapt: asked }),
    'web/packed': files('in/packed/*.jsonl.gz'),
  },
  out: 'data/raw',
  badRecordShareMax: 1,
});
const clean = filter(filter(raw, { use: odd(), badRecordShareMax: 1 }), { use: short({ charsMin: param('charsMin', 12) }) });
const stride = param('stride', '');
const tokens = tokenize(clean, {
  tokenizer: 'tokenizer',
  ...(stride !== '' && { window: { length: 24, stride: Number(stride) }, dropTokens: { charactersMin: 1, stopWords: true } }),
});
const shards = shard(tokens, {
  maxSeqLength: param('maxSeqLength', 32),
  labels: param('labels', 'shifted') === 'hf' ? 'hf' : 'shifted',
  names: param('names', 'number') === 'digest' ? 'digest' : 'number',
  shardSize: '12KB',
  packTokens: 1500,
  out: 'train',
});
const fields = param('fields', '');
export default defineConfig({
  targets: {
    raw,
    clean,
    tokens,
    shards,
    train: index(shards),
    counted: exportDataset(countTokens({ documents: clean, tokens }), { format: 'jsonl', out: 'counted' }),
    exported: exportDataset(clean, { format: 'jsonl', ...(fields !== '' && { fields: fields.split(',') }), out: 'exported' }),
    rejected: exportDataset(clean.rejected, { format: 'jsonl.gz', each: 'collection', out: 'rejected' }),
  },
  chunking: { chunkSize: '8.192KB' },
});
`;

const filter = `import { defineAdapter, defineFilter, drop, integer, keep } from 'dsbuild';

export const short = defineFilter({
  name: 'short',
  options: { charsMin: integer() },
  decide: ({ text }, { charsMin }) => (text.length >= charsMin ? keep : drop('too-short')),
});
export const odd = defineFilter({
  name: 'odd',
  options: {},
  decide({ id, text }) {
    if (text.endsWith('chunk')) throw new Error(text);
    return id.endsWith('7') ? drop(text.length > 100 ? 'long' : 'seven') : keep;
  },
});
export const asked = defineAdapter({
  name: 'asked',
  adapt: ({ id, text }) => (typeof text !== 'string' || text.startsWith('of') ? null : { id: String(id ?? 'none'), text: \`Q: \${text}\` }),
});
`;

export const targets = ['raw', 'clean', 'tokens', 'shards', 'train', 'counted', 'exported', 'rejected'] as const;
/** Folders that hold nothing but what was published, and one that holds sources as well. */
export const outs = ['train', 'counted', 'exported', 'rejected', 'data/raw'] as const;

/** What a parameter may be set to; the first is the config's own value. */
export const choices: Readonly<Record<string, readonly string[]>> = {
  charsMin: ['12', '0', '60'],
  maxSeqLength: ['32', '16', '57'],
  stride: ['', '0', '9'],
  labels: ['shifted', 'hf'],
  names: ['number', 'digest'],
  fields: ['', 'text', 'id,text,note'],
};

const words = 'the of and data set line by hash chunk shard token edit build again every one more than a few words'.split(' ');

/** One document as a line; of some the id is missing, some are long, a few are blank of words. */
export function documentLine(seed: number): string {
  const next = numbers(seed);
  const count = next() % 40 === 0 ? 400 : next() % 7 === 0 ? next() % 3 : next() % 60;
  const text = Array.from({ length: count }, () => words[next() % words.length]).join(' ');
  return JSON.stringify({ ...(next() % 3 > 0 && { id: `d${next()}` }), text, ...(next() % 4 === 0 && { note: next() % 100 }) });
}

const documents = (count: number, seed: number): string[] => [
  ...Array.from({ length: count }, (_, i) => documentLine(seed * 1000 + i)),
  '',
];

export function firstState(seed: number): State {
  const files = new Map<string, readonly string[]>([
    ['in/big.jsonl', documents(150, seed)],
    ['in/chat/a.jsonl', documents(25, seed + 1)],
    ['in/chat/deep/b.jsonl', documents(60, seed + 2)],
    ['in/packed/p.jsonl.gz', documents(30, seed + 5)],
    ['data/raw/custom/mine.jsonl', documents(40, seed + 3)],
    ['data/raw/custom/other.jsonl', documents(3, seed + 4)],
  ]);
  for (let i = 0; i < 40; i++) files.set(`in/small/${i}.jsonl`, documents(1 + (i % 3), seed + 10 + i));
  return { files, params: {} };
}

/** Lays the state's files out in a folder, touching only those that differ from `before`. */
export function layOut(rig: Rig, state: State, before?: State): void {
  for (const name of before?.files.keys() ?? []) if (!state.files.has(name)) rmSync(rig.path(name));
  for (const [name, lines] of state.files) {
    const content = lines.join('\n');
    if (before?.files.get(name) !== lines) rig.write({ [name]: name.endsWith('.gz') ? gzipSync(content) : content });
  }
}

export function newProject(state: State): Rig {
  const rig = new Rig();
  cpSync(checkout('fixtures/tokenizers/tiny'), rig.path('tokenizer'), { recursive: true });
  rig.write({ 'datasets.config.ts': config, 'short.ts': filter });
  layOut(rig, state);
  return rig;
}
