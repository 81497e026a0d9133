import { LineageBuilder } from '../../src/rule/lineage.ts';
import type { PackedRows } from './pack.ts';

/** Bytes that tell of each row which samples stand in it, from which token on and how many tokens long. */
export function lineageOf({ rows, maxSeqLength, spans }: PackedRows): Uint8Array {
  const lineage = new LineageBuilder();
  for (let row = 0, i = 0; row < rows; row++) {
    for (; i < spans.at.length && (spans.at[i] as number) < (row + 1) * maxSeqLength; i++) {
      lineage.span(spans.samples[i] as number, spans.starts[i] as number, spans.lengths[i] as number);
    }
    lineage.endRow();
  }
  return lineage.finish();
}
