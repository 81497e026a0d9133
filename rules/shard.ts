import { isRemote } from '../src/base/address.ts';
import { cutAll, cutSalts, mix } from '../src/base/cut.ts';
import type { Digest } from '../src/base/digest.ts';
import { BuildError } from '../src/base/errors.ts';
import { lineageOutput } from '../src/rule/lineage.ts';
import { boolean, choice, integer, list, size } from '../src/rule/options.ts';
import { factOf, type Part, sumOf } from '../src/rule/part.ts';
import { type Build, defineRule, type PreviewFile, type Running } from '../src/rule/rule.ts';
import { defineStep, type StepIo } from '../src/rule/step.ts';
import { badSplit, jsonFile, shardNameByDigest, shardNameByNumber, splitOf, statsName } from './lib/names.ts';
import type { PackOptions } from './lib/pack.ts';
import type { LabelOptions } from './lib/pack-labels.ts';
import { pageCodec } from './lib/parquet/codecs.ts';
import { columnsWith, type ExtraColumn, extraColumnNames } from './lib/parquet/columns.ts';
import type { Codec } from './lib/parquet/format.ts';
import { shardCheck } from './lib/shard-check.ts';
import { shardEnds } from './lib/shard-cut.ts';
import { decodeTokens, type TokensPart } from './lib/tokens.ts';
import { zstdUse } from './lib/zstd.ts';

interface PackParams extends PackOptions, LabelOptions {
  readonly codec: Codec;
  /** Columns besides those of every file. */
  readonly columns: readonly ExtraColumn[];
}

type PackInputs = { readonly parts: readonly Part[] };

/** A pack group: its documents in rows, encoded once as a Parquet row group. */
async function runPack({ parts }: PackInputs, params: PackParams, io: StepIo): Promise<void> {
  // What only workers need is loaded by them alone: a build that has nothing to do starts without it.
  const [{ packDocuments }, { lineageOf }, { encodeRowGroupPart }, { encodeRowGroup }] = await Promise.all([
    import('./lib/pack.ts'),
    import('./lib/pack-lineage.ts'),
    import('./lib/parquet/part.ts'),
    import('./lib/parquet/rowgroup.ts'),
  ]);
  const tokens = parts.map((part) => decodeTokens(io.bytes(part)));
  const packed = packDocuments(tokens, params);
  const { documents, tokensIn, ...counted } = packed.counters;
  const { labels, acrossDocuments } = params;
  const columns = columnsWith(params.columns);
  const codec = await pageCodec(params.codec);
  const keyValues = keyValuesOf(params, oneTokenizer(tokens));
  const group = encodeRowGroup({ ...packed, labels, acrossDocuments, codec, columns, keyValues });
  const output = io.create('rows');
  output.write(encodeRowGroupPart(group));
  output.close({
    rows: packed.rows,
    records: sumOf(parts, 'records'),
    samples: counted.documentsPacked,
    tokens: tokensIn,
    padding: counted.tokensPadding,
  });
  const lineage = io.create('side', lineageOutput);
  lineage.write(lineageOf(packed));
  lineage.close();
  for (const [name, amount] of Object.entries(counted)) io.count(name, amount);
}

const packOutputs = ['main', lineageOutput] as const;
const pack = defineStep('pack', { version: 2, outputs: packOutputs }, runPack);
/** A step of its own, so that the library's version is in no key of other codecs' row groups. */
const packZstd = defineStep('pack-zstd', { version: 1, outputs: packOutputs, uses: [zstdUse] }, runPack);

/** What the metadata of a file tells of how its rows were made. */
function keyValuesOf(
  { maxSeqLength, packing, labels, acrossDocuments }: PackParams,
  tokenizer: Digest | undefined,
): Record<string, string> {
  return {
    'dsbuild.maxSeqLength': String(maxSeqLength),
    'dsbuild.packing': packing,
    'dsbuild.labels': labels,
    'dsbuild.acrossDocuments': String(acrossDocuments),
    ...(tokenizer !== undefined && { 'dsbuild.tokenizer': tokenizer }),
  };
}

function oneTokenizer(parts: readonly TokensPart[]): Digest | undefined {
  const [first, ...others] = new Set(parts.map(({ tokenizer }) => tokenizer));
  if (others.length === 0) return first;
  throw new BuildError('mixed-tokens', {
    message: `tokens of one split were made with tokenizers of the digests ${[first, ...others].map(String).join(', ')}`,
    hint: 'Tokenize all of a split with one tokenizer.',
  });
}

/** What is known of a run of pack groups. It travels as params: which documents a row holds can not be read off its bytes. */
interface Figures {
  readonly sequences: number;
  readonly samples: number;
  readonly tokens: number;
}

/**
 * The release that last changed the bytes of shards; to be raised with the step's version. Never the release that runs: then each new one
 * would write every shard again.
 */
const bytesSince = '0.1.0';

/** A shard: row groups copied as they are, and one new footer. */
const assemble = defineStep('assemble', { version: 2 }, async ({ rows }: { readonly rows: readonly Part[] }, figures: Figures, io) => {
  const { writeShard } = await import('./lib/parquet/shard.ts');
  const output = io.create('file');
  writeShard(bytesInTurn(rows, io), (piece) => output.write(piece), { keyValues: { 'dsbuild.version': bytesSince } });
  output.close({ ...figures });
});

/** One pack group in memory at a time. */
function* bytesInTurn(parts: readonly Part[], io: StepIo): Generator<Uint8Array> {
  for (const part of parts) yield io.bytes(part);
}

interface StatsParams extends Figures {
  readonly split: string;
  readonly padding: number;
  readonly shards: number;
  readonly maxSeqLength: number;
}

const splitStats = defineStep('split-stats', { version: 1 }, (_: Record<never, never>, params: StatsParams, io) => {
  const { split, sequences, samples, tokens, padding, shards, maxSeqLength } = params;
  const output = io.create('file');
  output.write(jsonFile({ split, sequences, samples, tokens, padding, shards, max_seq_length: maxSeqLength }));
  output.close({ shards });
});

interface Split {
  readonly name: string;
  readonly group: string;
  readonly parts: readonly Part[];
}

interface PackGroup {
  readonly running: Running;
  /** Of its last chunk. */
  readonly u: number;
}

interface ShardOptions {
  readonly maxSeqLength: number;
  readonly shardSize: number;
  readonly names: 'number' | 'digest';
}

/** Tokens to training files: fixed-length sequences in Parquet, a folder for each split. */
export const shard = defineRule({
  name: 'shard',
  version: 2,
  doc: 'Packs tokens into sequences of one length and writes them as Parquet shards, a folder for each split.',
  preview: (file) => previewRows(file),
  previewOnly: previewRows,
  check: shardCheck,
  inputs: { tokens: 'tokens' },
  output: 'shards',
  options: {
    maxSeqLength: integer({ min: 2, max: 1 << 28 })
      .default(8192)
      .doc('Tokens in a sequence.'),
    shardSize: size().default('2GB').doc('Bytes that no shard exceeds, unless a single row group does.'),
    packing: choice('concat', 'best-fit')
      .default('concat')
      .doc('`best-fit` cuts no document that fits into a sequence, at the price of some padding.'),
    longDocuments: choice('split', 'truncate').default('split').doc('What `best-fit` does with documents longer than a sequence.'),
    labels: choice('shifted', 'hf').default('shifted').doc('`hf` for trainers that shift labels themselves.'),
    acrossDocuments: boolean().default(true).doc('Whether the end of a document is to predict the beginning of the next.'),
    columns: list(choice(...extraColumnNames))
      .default([])
      .doc('Columns besides the three, for trainers that keep attention within documents.'),
    names: choice('number', 'digest')
      .default('number')
      .doc('Names of shards; with `digest`, the default where `out` is a bucket, none changes because another appeared.'),
    codec: choice('snappy', 'zstd', 'none').default('snappy').doc('Compression of the Parquet pages.'),
    packTokens: integer({ min: 1 }).optional().doc('Tokens that share a row group; by default 500 sequences, at least 2,000,000.'),
  },
  // Nothing is sent again because a shard before it appeared, and readers of the old manifest find all that it speaks of.
  defaultsFor: (out) => (out !== undefined && isRemote(out) ? { names: 'digest' } : {}),
  steps: [pack, packZstd, assemble, splitStats],
  async plan({ tokens }, options, build) {
    assertUsed(options, build);
    const splits = await splitsOf(tokens, build);
    const { maxSeqLength, packing, longDocuments, labels, acrossDocuments, codec } = options;
    const columns = extraColumnNames.filter((name) => options.columns.includes(name));
    const packTokens = options.packTokens ?? Math.max(500 * maxSeqLength, 2_000_000);
    // All groups are packed side by side; shards are then cut split by split.
    const packed = splits.map((split) => {
      const params = () => ({ maxSeqLength, packing, longDocuments, labels, acrossDocuments, codec, columns, ...specialsOf(split, build) });
      return { split, groups: packRuns(split.parts, packTokens).map((parts) => packGroup(parts, { params: params(), build })) };
    });
    for (const { split, groups } of packed) await emitSplit(split, groups, { options, build });
  },
});

/** Statistics lie beside the shards, and have no rows. */
async function* previewRows({ part, path }: PreviewFile, only?: readonly number[]): AsyncGenerator<Readonly<Record<string, unknown>>> {
  if (part.name?.endsWith('.parquet')) yield* (await import('./lib/parquet/preview.ts')).shardRows(path, only);
}

/** In a stream no document is too long. */
function assertUsed({ packing, longDocuments }: Pick<PackOptions, 'packing' | 'longDocuments'>, build: Build): void {
  if (packing === 'best-fit' || longDocuments === 'split') return;
  build.fail('unused-option', {
    message: "longDocuments: 'truncate' has no effect under packing: 'concat', where a document goes on in the next sequence",
    hint: "Set packing: 'best-fit', or leave longDocuments out.",
  });
}

async function splitsOf(tokens: { byGroup(): AsyncIterable<{ group: string; parts: readonly Part[] }> }, build: Build): Promise<Split[]> {
  const splits = new Map<string, Split>();
  for await (const { group, parts } of tokens.byGroup()) {
    const name = splitOf(group);
    const other = splits.get(name);
    if (other) {
      build.fail('equal-splits', {
        message: `"${other.group}" and "${group}" would both be the split "${name}": a split is named after the last part of its group`,
        hint: 'Rename one of the two sources, or shard them as two targets.',
      });
    }
    const bad = badSplit(name);
    if (bad)
      build.fail('bad-split', { message: `${JSON.stringify(name)} can not be the name of a split: ${bad}`, hint: 'Rename the source.' });
    // A chunk without tokens is in no sequence, and its coming or going is to move nothing.
    splits.set(name, { name, group, parts: parts.filter((part) => factOf(part, 'tokens') > 0) });
  }
  return [...splits.values()];
}

/** The ids of EOS and padding, which the tokens' own tokenizer decided. */
function specialsOf({ parts, group }: Split, build: Build): { eosId: number; padId: number } {
  const [first] = parts;
  const { eos, pad } = first?.facts ?? {};
  if (eos === undefined || pad === undefined) {
    build.fail('no-eos', {
      message: `the tokens of "${group}" do not say which token ends a document`,
      hint: 'Make them with `tokenize`.',
    });
  }
  if (parts.some(({ facts }) => facts['eos'] !== eos || facts['pad'] !== pad)) {
    build.fail('mixed-tokens', {
      message: `the tokens of "${group}" come from tokenizers whose EOS or padding differ`,
      hint: 'Tokenize all of a split with one tokenizer.',
    });
  }
  return { eosId: eos, padId: pad };
}

function packRuns(parts: readonly Part[], packTokens: number): (readonly Part[])[] {
  const weights = parts.map((part) => factOf(part, 'tokens'));
  const us = parts.map((part) => mix(factOf(part, 'u'), cutSalts.packGroup));
  return slices(parts, cutAll(weights, us, packTokens));
}

function slices<T>(items: readonly T[], ends: readonly number[]): (readonly T[])[] {
  return ends.map((end, i) => items.slice(ends[i - 1] ?? 0, end));
}

function packGroup(parts: readonly Part[], { params, build }: { params: PackParams; build: Build }): PackGroup {
  return { running: build.step(params.codec === 'zstd' ? packZstd : pack, { parts }, params), u: factOf(parts.at(-1) as Part, 'u') };
}

async function emitSplit(
  { name, group }: Split,
  groups: readonly PackGroup[],
  { options, build }: { options: ShardOptions; build: Build },
): Promise<void> {
  const { maxSeqLength, shardSize } = options;
  const rows: Part[] = [];
  for (const { running } of groups) rows.push(...((await running).parts['main'] ?? []));
  const weights = rows.map((part) => part.bytes);
  const us = groups.map(({ u }) => u);
  const shards = slices(rows, shardEnds({ weights, us }, shardSize)).map((run) => build.step(assemble, { rows: run }, figuresOf(run)));
  const placed = options.names === 'number' ? emitNumbered : emitByDigest;
  await placed(shards, { name, group, build });
  const figures = { ...figuresOf(rows), padding: sumOf(rows, 'padding'), shards: shards.length };
  build.emit(build.step(splitStats, {}, { split: name, maxSeqLength, ...figures }), { group, name: statsName(name) });
}

const figuresOf = (rows: readonly Part[]): Figures => ({
  sequences: sumOf(rows, 'rows'),
  samples: sumOf(rows, 'samples'),
  tokens: sumOf(rows, 'tokens'),
});

type Place = { readonly name: string; readonly group: string; readonly build: Build };

async function emitNumbered(shards: readonly Running[], { name, group, build }: Place): Promise<void> {
  for (const [i, running] of shards.entries()) build.emit(running, { group, name: shardNameByNumber(name, i) });
}

async function emitByDigest(shards: readonly Running[], { name, group, build }: Place): Promise<void> {
  const seen = new Map<string, number>();
  for (const running of shards) {
    for (const part of (await running).parts['main'] ?? []) {
      const copies = seen.get(part.digest) ?? 0;
      seen.set(part.digest, copies + 1);
      build.emit(part, { group, name: shardNameByDigest(name, part.digest, copies) });
    }
  }
}
