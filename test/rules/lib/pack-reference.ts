/** Packing said again, slowly and token by token, so that a mistake in the product is not repeated here. */
import fc from 'fast-check';
import type { LongDocuments, Packing } from '../../../rules/lib/pack.ts';
import type { LabelKind } from '../../../rules/lib/pack-labels.ts';
import type { PackInput } from '../../../rules/lib/pack-samples.ts';

export const eosId = 0;
export const padId = 1;

export interface Sample {
  readonly tokens: readonly number[];
  /** A window behind which its document goes on in the next sample. */
  readonly goesOn: boolean;
}
type Given = Sample | readonly number[];
const isSample = (given: Given): given is Sample => 'tokens' in given;
/** Plain lists of tokens are documents as a whole. */
const sampleOf = (given: Given): Sample => (isSample(given) ? given : { tokens: given, goesOn: false });

/** Samples as one part of form `tokens`. */
export function part(...given: Given[]): PackInput {
  const samples = given.map(sampleOf);
  const documents = new Uint32Array(samples.length);
  for (let i = 1; i < samples.length; i++) documents[i] = (documents[i - 1] as number) + (samples[i - 1]?.goesOn ? 0 : 1);
  return {
    lengths: Uint32Array.from(samples, ({ tokens }) => tokens.length),
    ids: Int32Array.from(samples.flatMap(({ tokens }) => tokens)),
    ...(samples.some(({ goesOn }) => goesOn) && { spans: { documents, starts: new Uint32Array(samples.length) } }),
  };
}

export interface Shape {
  readonly maxSeqLength: number;
  readonly packing: Packing;
  readonly longDocuments: LongDocuments;
}

/** Some tokens of a sample that stand in one row. */
export interface Piece {
  readonly sample: number;
  readonly start: number;
  readonly tokens: readonly number[];
}
type Row = readonly Piece[];

const withEos = ({ tokens, goesOn }: Sample): readonly number[] =>
  goesOn || tokens.length === 0 || tokens.at(-1) === eosId ? tokens : [...tokens, eosId];

const cut = (sample: number, tokens: readonly number[], length: number): Piece[] =>
  Array.from({ length: Math.ceil(tokens.length / length) }, (_, i) => ({
    sample,
    start: i * length,
    tokens: tokens.slice(i * length, (i + 1) * length),
  }));

function concatRows(samples: readonly Sample[], maxSeqLength: number): Row[] {
  const rows: { sample: number; at: number; token: number }[][] = [];
  const stream = samples.flatMap((one, sample) => withEos(one).map((token, at) => ({ sample, at, token })));
  for (let i = 0; i < stream.length; i += maxSeqLength) rows.push(stream.slice(i, i + maxSeqLength));
  return rows.map((row) =>
    [...new Set(row.map(({ sample }) => sample))].map((sample) => {
      const own = row.filter((one) => one.sample === sample);
      return { sample, start: own[0]?.at as number, tokens: own.map(({ token }) => token) };
    }),
  );
}

function bestFitRows(samples: readonly Sample[], { maxSeqLength, longDocuments }: Shape): Row[] {
  const pieces = samples.flatMap((one, sample) => {
    const all = cut(sample, withEos(one), maxSeqLength);
    return longDocuments === 'truncate' ? all.slice(0, 1) : all;
  });
  const longestFirst = [...pieces.keys()].sort((a, b) => (pieces[b] as Piece).tokens.length - (pieces[a] as Piece).tokens.length || a - b);
  const rows: { room: number; filledAt: number; held: number[] }[] = [];
  for (const [time, index] of longestFirst.entries()) {
    const length = (pieces[index] as Piece).tokens.length;
    const fits = rows.filter(({ room }) => room >= length).sort((a, b) => a.room - b.room || b.filledAt - a.filledAt);
    const row = fits[0] ?? { room: maxSeqLength, filledAt: time, held: [] };
    if (fits.length === 0) rows.push(row);
    row.room -= length;
    row.filledAt = time;
    row.held.push(index);
  }
  const byNumber = (a: number, b: number): number => a - b;
  return rows
    .map(({ held }) => held.sort(byNumber))
    .sort(([a], [b]) => (a as number) - (b as number))
    .map((held) => held.map((index) => pieces[index] as Piece));
}

export const rowsOfSamples = (samples: readonly Sample[], shape: Shape): Row[] =>
  shape.packing === 'concat' ? concatRows(samples, shape.maxSeqLength) : bestFitRows(samples, shape);

const ignored = -100;

export interface ReferenceRow {
  readonly input_ids: readonly number[];
  readonly attention_mask: readonly number[];
  readonly labels: readonly number[];
  readonly position_ids: readonly number[];
  readonly document_ids: readonly number[];
}

/** All columns of one row. */
export function columnsOfRow(row: Row, { maxSeqLength }: Shape, labels: { kind: LabelKind; acrossDocuments: boolean }): ReferenceRow {
  const real = row.flatMap(({ tokens }, i) => tokens.map((token, position) => ({ token, position, document: i + 1 })));
  const padding = Array.from({ length: maxSeqLength - real.length }, (_, position) => ({ token: padId, position, document: 0 }));
  const all = [...real, ...padding];
  const isLearnt = (i: number): boolean =>
    i < real.length && (i === 0 || all[i]?.document === all[i - 1]?.document || (labels.acrossDocuments && all[i - 1]?.token === eosId));
  const labelAt = (i: number): number => {
    if (labels.kind === 'hf') return isLearnt(i) ? (all[i]?.token as number) : ignored;
    return isLearnt(i + 1) ? (all[i + 1]?.token as number) : ignored;
  };
  return {
    input_ids: all.map(({ token }) => token),
    attention_mask: all.map((_, i) => (i < real.length ? 1 : 0)),
    labels: all.map((_, i) => labelAt(i)),
    position_ids: all.map(({ position }) => position),
    document_ids: all.map(({ document }) => document),
  };
}

/** Few ids, so that EOS and padding also occur inside samples and at their ends. */
const tokens = fc.oneof(
  { weight: 4, arbitrary: fc.array(fc.nat({ max: 4 }), { maxLength: 12 }) },
  { weight: 1, arbitrary: fc.array(fc.nat({ max: 4 }), { minLength: 12, maxLength: 60 }) },
);
/** Mostly one window, which is the whole document. */
const windows = fc.oneof(
  { weight: 5, arbitrary: fc.array(tokens, { minLength: 1, maxLength: 1 }) },
  { weight: 1, arbitrary: fc.array(tokens, { minLength: 2, maxLength: 4 }) },
);
const document = windows.map((all): Sample[] => all.map((one, i) => ({ tokens: one, goesOn: i < all.length - 1 })));
/** Samples of some parts. */
export const anyParts: fc.Arbitrary<Sample[][]> = fc.array(
  fc.array(document, { maxLength: 9 }).map((documents) => documents.flat()),
  { maxLength: 4 },
);
export const anyShape: fc.Arbitrary<Shape> = fc
  .record({
    maxSeqLength: fc.oneof(fc.integer({ min: 1, max: 14 }), fc.integer({ min: 30, max: 70 })),
    how: fc.constantFrom(['concat', 'split'] as const, ['best-fit', 'split'] as const, ['best-fit', 'truncate'] as const),
  })
  .map(({ maxSeqLength, how: [packing, longDocuments] }) => ({ maxSeqLength, packing, longDocuments }));
export const anyLabels = fc.record({ kind: fc.constantFrom<LabelKind>('shifted', 'hf'), acrossDocuments: fc.boolean() });
