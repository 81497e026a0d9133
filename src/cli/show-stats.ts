import { formatBytes, formatCount } from '../base/bytes.ts';
import type { Distributions, Lengths, VocabularyUse } from '../engine/statistics/shape.ts';
import type { GroupStats, SourceStats, TargetStats } from '../engine/stats.ts';
import type { Paint } from '../report/colour.ts';
import { table } from '../report/table.ts';
import { printable, widthOf } from '../report/width.ts';
import { counted } from '../report/words.ts';

const heads = ['documents', 'samples', 'sequences', 'tokens', 'parts', 'bytes'];
const orBlank = (count: number): string => (count === 0 ? '' : formatCount(count));

const cells = ({ documents, samples, sequences, tokens, parts, bytes }: Omit<GroupStats, 'group'>): string[] => [
  ...[documents, samples, sequences, tokens, parts].map(orBlank),
  bytes === undefined ? '' : formatBytes(bytes),
];

function totalOf(groups: readonly GroupStats[]): GroupStats {
  const sum = (of: (group: GroupStats) => number): number => groups.reduce((total, group) => total + of(group), 0);
  return {
    group: 'all groups',
    parts: sum(({ parts }) => parts),
    documents: sum(({ documents }) => documents),
    samples: sum(({ samples }) => samples),
    sequences: sum(({ sequences }) => sequences),
    tokens: sum(({ tokens }) => tokens),
    ...(groups.every(({ bytes }) => bytes !== undefined) && { bytes: sum(({ bytes = 0 }) => bytes) }),
  };
}

/** The groups of one output as a table, its head first. */
export function groupTable({ output, groups }: TargetStats['outputs'][number]): { head: string[]; rows: string[][] } {
  const rows = groups.length > 1 ? [...groups, totalOf(groups)] : groups;
  const head = [output === 'main' ? 'group' : `group of .${output}`, ...heads];
  return { head, rows: rows.map((group) => [group.group, ...cells(group)]) };
}

function dimHead(lines: readonly string[], paint: Paint): string[] {
  const [head, ...rest] = lines;
  return [paint.dim(head as string), ...rest];
}

function outputLines(output: TargetStats['outputs'][number], paint: Paint): string[] {
  const { head, rows } = groupTable(output);
  return dimHead(table(head, rows), paint);
}

/** A law's two sides, each with its terms; `=` is what they come to. */
export function balanceSides({ left, right, total }: TargetStats['ledger'][number]): string[] {
  return [left, right].map(
    (terms) => `${terms.map(({ name, amount }) => `${name} ${formatCount(amount)}`).join(' + ')} = ${formatCount(total)}`,
  );
}

/** The largest source files, as a table. */
export function sourceTable({ files, lines, bytes, largest }: SourceStats): { head: string[]; rows: string[][] } {
  const rows = largest.map((file) => [file.path, formatCount(file.lines), formatBytes(file.bytes)]);
  const all = [`all ${counted(files, 'file')}`, formatCount(lines), formatBytes(bytes)];
  return {
    head: [files > largest.length ? 'largest source files' : 'source file', 'lines', 'bytes'],
    rows: files > 1 ? [...rows, all] : rows,
  };
}

/** Figures that are known without reading anything. */
export function figureLines({ target, rule, outputs, ledger, notes, sources }: TargetStats, paint: Paint): string[] {
  const files = sources && sourceTable(sources);
  return [
    `${paint.bold(target)} ${paint.dim(rule)}`,
    ...notes.map((note) => paint.yellow(note)),
    ...outputs.flatMap((output) => outputLines(output, paint)),
    ...(files && files.rows.length > 0 ? dimHead(table(files.head, files.rows), paint) : []),
    ...ledger.flatMap((balance) => [paint.dim(balance.law), ...balanceSides(balance).map((side) => `  ${side}`)]),
  ];
}

export const measureTitles: Readonly<Record<Lengths['measure'], string>> = {
  characters: 'characters per document',
  bytes: 'bytes per document',
  tokensPerDocument: 'tokens per document',
  tokensPerSample: 'tokens per window',
  fillPercent: 'fill of sequences in per cent',
  documentsPerSequence: 'documents per sequence',
};

const roundedMean = (mean: number): string => (mean < 100 ? String(Number(mean.toFixed(1))) : formatCount(mean));

export function lengthWords({ count, mean, min, max, percentiles: { p5, p50, p95 } }: Lengths): string {
  if (count === 0) return 'nothing to count';
  const words = [
    `${formatCount(count)} in all`,
    `mean ${roundedMean(mean)}`,
    `median ${formatCount(p50)}`,
    `90 % from ${formatCount(p5)} to ${formatCount(p95)}`,
    `least ${formatCount(min)}`,
    `most ${formatCount(max)}`,
  ];
  return words.join(', ');
}

export const rangeWords = ({ from, to }: { from: number; to: number }): string =>
  from === to ? formatCount(from) : `${formatCount(from)}-${formatCount(to)}`;

const eighths = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/** A bar of at most so many columns, in eighths of one; what is not nothing can be seen. */
function bar(share: number, columns: number): string {
  const filled = Math.max(share > 0 ? 1 : 0, Math.round(share * columns * 8));
  return '█'.repeat(Math.floor(filled / 8)) + (eighths[filled % 8] as string);
}

const barColumnsMax = 50;

function barLines({ bars }: Lengths, columns: number): string[] {
  const most = Math.max(1, ...bars.map(({ count }) => count));
  const labels = bars.map((one) => [rangeWords(one), formatCount(one.count)] as const);
  const [range, count] = [0, 1].map((i) => Math.max(0, ...labels.map((label) => (label[i] as string).length))) as [number, number];
  const room = Math.max(8, Math.min(barColumnsMax, columns - range - count - 7));
  return bars.map((one, i) => {
    const [from, many] = labels[i] as readonly [string, string];
    return `  ${from.padStart(range)}  ${many.padStart(count)}  ${bar(one.count / most, room)}`.trimEnd();
  });
}

/** Of texts the bytes follow from the characters: one picture of both is enough. */
const isPictured = ({ measure, count }: Lengths): boolean => measure !== 'bytes' && count > 0;

function lengthLines(lengths: Lengths, { paint, columns }: Shown): string[] {
  const head = `${paint.dim(measureTitles[lengths.measure])}  ${lengthWords(lengths)}`;
  return isPictured(lengths) ? [head, ...barLines(lengths, columns)] : [head];
}

const percent = (share: number): string => `${(share * 100).toFixed(share < 0.1 ? 2 : 1)} %`;

export function vocabularyWords({ tokens, used, size, neverUsed, bitsPerToken, idsForHalf, idsFor90Percent }: VocabularyUse): string {
  const of = size === undefined ? '' : ` of ${formatCount(size)}`;
  const never = neverUsed === undefined ? '' : ` (${formatCount(neverUsed)} never)`;
  const frequent = `${counted(idsForHalf, 'id')} make half of all ${formatCount(tokens)} tokens, ${formatCount(idsFor90Percent)} make 90 %`;
  return `${formatCount(used)}${of} ids used${never}, ${bitsPerToken.toFixed(2)} bits a token; ${frequent}`;
}

/** A token's text so that blanks and line ends can be seen. */
export const tokenText = (text: string): string => printable(JSON.stringify(text));

/** The most frequent ids, as a table with their texts first where they are known. */
export function tokenTable({ top }: VocabularyUse): { head: string[]; rows: string[][] } {
  const rows = top.map(({ id, count, share, text }) => [
    text === undefined ? '' : tokenText(text),
    String(id),
    formatCount(count),
    percent(share),
  ]);
  return { head: ['token', 'id', 'count', 'share'], rows };
}

function vocabularyLines(use: VocabularyUse, { paint }: Shown): string[] {
  const { head, rows } = tokenTable(use);
  // Columns, and not characters: texts of all writings stand here.
  const width = Math.max(...[head, ...rows].map(([text]) => widthOf(text as string)));
  const padded = [head, ...rows].map(([text = '', ...rest]) => [text + ' '.repeat(width - widthOf(text)), ...rest]);
  const lines = table(padded[0] as string[], padded.slice(1)).map((line) => `  ${line}`);
  return [`${paint.dim('vocabulary')}  ${vocabularyWords(use)}`, ...dimHead(lines, paint)];
}

export function amountWords({ tokensReal = 0, tokensMasked = 0 }: Distributions['amounts']): string | undefined {
  if (tokensReal === 0) return undefined;
  return `${formatCount(tokensMasked)} of ${formatCount(tokensReal)} tokens have a masked label (${percent(tokensMasked / tokensReal)})`;
}

interface Shown {
  readonly paint: Paint;
  readonly columns: number;
}

/** What was counted, with bars. */
export function distributionLines({ lengths, amounts, vocabulary }: Distributions, shown: Shown): string[] {
  const masked = amountWords(amounts);
  return [
    ...lengths.flatMap((one) => lengthLines(one, shown)),
    ...(masked === undefined ? [] : [`${shown.paint.dim('labels')}  ${masked}`]),
    ...(vocabulary ? vocabularyLines(vocabulary, shown) : []),
  ];
}
