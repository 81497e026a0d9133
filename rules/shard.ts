import { cutAll, cutSalts, mix } from '../src/base/cut.ts';
import { boolean, choice, integer, size } from '../src/rule/options.ts';
import { factOf, type Part, sumOf } from '../src/rule/part.ts';
import { type Build, defineRule, type Running } from '../src/rule/rule.ts';
import { defineStep, type StepIo } from '../src/rule/step.ts';
import { badSplit, jsonFile, shardNameByDigest, shardNameByNumber, splitOf, statsName } from './lib/names.ts';
import { type LabelOptions, type PackOptions, packDocuments } from './lib/pack.ts';
import type { Codec } from './lib/parquet/format.ts';
import { encodeRowGroupPart } from './lib/parquet/part.ts';
import { encodeRowGroup } from './lib/parquet/rowgroup.ts';
import { writeShard } from './lib/parquet/shard.ts';
import { shardEnds } from './lib/shard-cut.ts';
import { decodeTokens } from './lib/tokens.ts';

type PackParams = PackOptions & LabelOptions & { readonly codec: Codec };

/** A pack group: concatenated, cut into rows, encoded once as a Parquet row group. */
const pack = defineStep('pack', { version: 1 }, ({ parts }: { readonly parts: readonly Part[] }, params: PackParams, io) => {
  const packed = packDocuments(
    parts.map((part) => decodeTokens(io.bytes(part))),
    params,
  );
  const { counters, rows } = packed;
  const { labels, acrossDocuments, codec } = params;
  const output = io.create('rows');
  output.write(encodeRowGroupPart(encodeRowGroup({ ...packed, labels, acrossDocuments, codec })));
  output.close({
    rows,
    records: counters.documents,
    samples: counters.documentsPacked,
    tokens: counters.tokensIn,
    padding: counters.tokensPadding,
  });
  const { tokensAdded, tokensPacked, tokensTruncated, tokensDropped, tokensPadding, documentsPacked, documentsEmpty } = counters;
  const counted = { tokensAdded, tokensPacked, tokensTruncated, tokensDropped, tokensPadding, documentsPacked, documentsEmpty };
  for (const [name, amount] of Object.entries(counted)) io.count(name, amount);
});

/** What is known of a run of pack groups. It travels as params: which documents a row holds can not be read off its bytes. */
interface Figures {
  readonly sequences: number;
  readonly samples: number;
  readonly tokens: number;
}

interface AssembleParams extends Figures {
  readonly maxSeqLength: number;
}

/** A shard: row groups copied as they are, and one new footer. */
const assemble = defineStep('assemble', { version: 1 }, ({ rows }: { readonly rows: readonly Part[] }, params: AssembleParams, io) => {
  const { maxSeqLength, ...figures } = params;
  const output = io.create('file');
  writeShard(bytesInTurn(rows, io), (piece) => output.write(piece), { keyValues: { 'dsbuild.maxSeqLength': String(maxSeqLength) } });
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
  version: 1,
  doc: 'Packs tokens into sequences of one length and writes them as Parquet shards, a folder for each split.',
  preview: async function* ({ part, path }) {
    if (part.name?.endsWith('.parquet')) yield* (await import('./lib/parquet/preview.ts')).parquetRows(path);
  },
  inputs: { tokens: 'tokens' },
  output: 'shards',
  options: {
    maxSeqLength: integer({ min: 2, max: 1 << 28 })
      .default(8192)
      .doc('Tokens in a sequence.'),
    shardSize: size().default('2GB').doc('Bytes that no shard exceeds, unless a single row group does.'),
    labels: choice('shifted', 'hf').default('shifted').doc('`hf` for trainers that shift labels themselves.'),
    acrossDocuments: boolean().default(true).doc('Whether the end of a document is to predict the beginning of the next.'),
    names: choice('number', 'digest').default('number').doc('Names of shards; with `digest` none changes because another appeared.'),
    codec: choice('snappy', 'none').default('snappy').doc('Compression of the Parquet pages.'),
    packTokens: integer({ min: 1 }).optional().doc('Tokens that share a row group; by default 500 sequences, at least 2,000,000.'),
  },
  steps: [pack, assemble, splitStats],
  async plan({ tokens }, options, build) {
    const splits = await splitsOf(tokens, build);
    const { maxSeqLength, labels, acrossDocuments, codec } = options;
    const packTokens = options.packTokens ?? Math.max(500 * maxSeqLength, 2_000_000);
    // All groups are packed side by side; shards are then cut split by split.
    const packed = splits.map((split) => {
      const params = () => ({ maxSeqLength, labels, acrossDocuments, codec, ...specialsOf(split, build) });
      return { split, groups: packRuns(split.parts, packTokens).map((parts) => packGroup(parts, { params: params(), build })) };
    });
    for (const { split, groups } of packed) await emitSplit(split, groups, { options, build });
  },
});

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
  return { running: build.step(pack, { parts }, params), u: factOf(parts.at(-1) as Part, 'u') };
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
  const shards = slices(rows, shardEnds({ weights, us }, shardSize)).map((run) =>
    build.step(assemble, { rows: run }, { maxSeqLength, ...figuresOf(run) }),
  );
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
