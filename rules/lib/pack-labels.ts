import type { PackedRows } from './pack.ts';

/** The label that trainers leave out of the loss (PyTorch's `ignore_index`). */
const ignoredLabel = -100;

/** `shifted`: the label of a position is the next token. `hf`: the label is the token itself, for trainers that shift on their own. */
export type LabelKind = 'shifted' | 'hf';

export interface LabelOptions {
  readonly labels: LabelKind;
  /** false: no document's end is to predict the first token of the next. */
  readonly acrossDocuments: boolean;
}

/**
 * Labels of packed rows, as many as `ids`.
 *
 * - `shifted`: labels[i] = ids[i + 1] where that is a real token of the same row, else -100; without `acrossDocuments` also -100 at
 *   each document's last token.
 * - `hf`: labels[i] = ids[i], -100 on padding; without `acrossDocuments` also -100 at the first token behind a document's end in the
 *   same row, since the trainer's own shift makes that the label of the document's last token.
 *
 * A window that its document goes beyond is never to predict the one behind it, which begins with what it has itself.
 */
export function labelsOf(packed: PackedRows, { labels: kind, acrossDocuments }: LabelOptions): Int32Array {
  const { rows, maxSeqLength, ids, realLengths, spans, eosId } = packed;
  const ahead = kind === 'shifted' ? 1 : 0;
  const labels = new Int32Array(ids.length);
  labels.set(ids.subarray(ahead));
  for (let row = 0; row < rows; row++) {
    const known = Math.max((realLengths[row] as number) - ahead, 0);
    labels.fill(ignoredLabel, row * maxSeqLength + known, (row + 1) * maxSeqLength);
  }
  for (let i = 0; i < spans.at.length; i++) {
    const at = spans.at[i] as number;
    // The first span of a row follows nothing.
    if (at % maxSeqLength === 0 || (acrossDocuments && ids[at - 1] === eosId)) continue;
    labels[at - ahead] = ignoredLabel;
  }
  return labels;
}
