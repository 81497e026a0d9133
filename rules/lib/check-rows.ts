import type { Findings } from '../../src/rule/check.ts';
import type { ShardReader } from './parquet/read-shard.ts';

/** What is known of a shard's rows before they are read. */
export interface RowsExpected {
  /** Rows that the file was made of. */
  readonly sequences: number;
  readonly maxSeqLength: number;
  /** The token that ends each document. */
  readonly eosId?: number;
  /** Whether each row goes on where the one before ends, so that a row group ends with the end of a document. */
  readonly isStream: boolean;
  /** Whether ends of documents may have been cut off. */
  readonly isCut: boolean;
}

const ignoredLabel = -100;
/** A token is a BOS if it begins nearly all documents, and there are some. */
const bosShareMin = 0.9;
const documentsMin = 4;

/** Documents begin behind an EOS, and at the head of each row group. Tokens at their heads tell whether there is a BOS. */
class Heads {
  readonly #firsts = new Map<number, number>();
  /** Rows of documents that begin with one token twice, by token. */
  readonly #twice = new Map<number, number[]>();
  documents = 0;

  add(first: number, second: number | undefined, row: number): void {
    this.documents++;
    this.#firsts.set(first, (this.#firsts.get(first) ?? 0) + 1);
    if (first !== second) return;
    const rows = this.#twice.get(first);
    if (rows) rows.push(row);
    else this.#twice.set(first, [row]);
  }

  report(findings: Findings): void {
    const [bos, count] = [...this.#firsts].reduce((most, next) => (next[1] > most[1] ? next : most), [-1, 0]);
    if (this.documents < documentsMin || count < this.documents * bosShareMin) return;
    for (const row of this.#twice.get(bos) ?? []) findings.add('double-bos', `a document begins with two BOS (token ${bos})`, row);
  }
}

interface GroupRows {
  readonly ids: Int32Array;
  readonly labels: Int32Array;
  /** Tokens of each row that are no padding. */
  readonly realLengths: Uint32Array;
  /** The file's row that the group begins with. */
  readonly firstRow: number;
}

/** Looks at each row of a shard for what makes training go wrong without a word. Memory: three columns of one row group. */
export async function checkRows(reader: ShardReader, expected: RowsExpected, findings: Findings): Promise<void> {
  const { maxSeqLength, sequences } = expected;
  const heads = new Heads();
  let firstRow = 0;
  for (const group of reader.groups) {
    const ids = await reader.column(group, 'input_ids');
    if (ids.length !== group.rows * maxSeqLength) {
      findings.add('row-length', `rows are not ${maxSeqLength} tokens long`, firstRow);
      return;
    }
    const realLengths = realLengthsOf(await reader.column(group, 'attention_mask'), maxSeqLength);
    const rows: GroupRows = { ids, labels: await reader.column(group, 'labels'), realLengths, firstRow };
    checkLabels(rows, maxSeqLength, findings);
    if (expected.eosId !== undefined) checkEnds(rows, { ...expected, eosId: expected.eosId }, { findings, heads });
    firstRow += group.rows;
  }
  heads.report(findings);
  findings.rows += firstRow;
  if (firstRow !== sequences) findings.add('row-count', `it holds ${firstRow} rows, but was made of ${sequences}`);
}

function realLengthsOf(mask: Int32Array, maxSeqLength: number): Uint32Array {
  const lengths = new Uint32Array(mask.length / maxSeqLength);
  for (let row = 0; row < lengths.length; row++) {
    const from = row * maxSeqLength;
    let length = 0;
    while (length < maxSeqLength && mask[from + length] === 1) length++;
    lengths[row] = length;
  }
  return lengths;
}

/** A row of one token has nothing to predict: of it no label is expected. */
function checkLabels({ labels, realLengths, firstRow }: GroupRows, maxSeqLength: number, findings: Findings): void {
  for (let row = 0; row < realLengths.length; row++) {
    if ((realLengths[row] as number) <= 1) continue;
    const end = (row + 1) * maxSeqLength;
    let at = row * maxSeqLength;
    while (at < end && labels[at] === ignoredLabel) at++;
    if (at === end) findings.add('masked-row', `all labels of the row are ${ignoredLabel}: nothing is learnt from it`, firstRow + row);
  }
}

function checkEnds(
  { ids, realLengths, firstRow }: GroupRows,
  { eosId, maxSeqLength, isStream, isCut }: RowsExpected & { eosId: number },
  { findings, heads }: { findings: Findings; heads: Heads },
): void {
  let isStart = true;
  let eos = 0;
  let last = -1;
  for (let row = 0; row < realLengths.length; row++) {
    const end = row * maxSeqLength + (realLengths[row] as number);
    for (let at = row * maxSeqLength; at < end; at++) {
      const id = ids[at] as number;
      if (isStart && id !== eosId) heads.add(id, at + 1 < end || isStream ? ids[at + 1] : undefined, firstRow + row);
      isStart = id === eosId;
      if (isStart) eos++;
      last = id;
    }
    // Rows that do not continue one another begin with anything.
    if (!isStream) isStart = false;
  }
  if (realLengths.length === 0) return;
  if (eos === 0 && !isCut) findings.add('missing-eos', `no document ends with EOS (token ${eosId})`, firstRow);
  else if (isStream && last !== eosId) {
    findings.add(
      'missing-eos',
      `the last document of a row group does not end with EOS (token ${eosId})`,
      firstRow + realLengths.length - 1,
    );
  }
}
