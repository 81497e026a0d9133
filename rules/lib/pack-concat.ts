import type { Layout } from './pack.ts';

/** The samples one after another, cut into rows: short ones share a row, long ones go on in the next. Only the last row can be padded. */
export function concat(lengths: Uint32Array, maxSeqLength: number): Layout {
  const { spans: count, tokens } = countSpans(lengths, maxSeqLength);
  const column = (): Uint32Array => new Uint32Array(count);
  const spans = { at: column(), lengths: column(), samples: column(), starts: column() };
  let at = 0;
  let span = 0;
  for (let sample = 0; sample < lengths.length; sample++) {
    const length = lengths[sample] as number;
    for (let start = 0; start < length; span++) {
      const taken = Math.min(length - start, maxSeqLength - (at % maxSeqLength));
      spans.at[span] = at;
      spans.lengths[span] = taken;
      spans.samples[span] = sample;
      spans.starts[span] = start;
      at += taken;
      start += taken;
    }
  }
  return { rows: Math.ceil(tokens / maxSeqLength), spans };
}

/** A sample has one span more than it crosses ends of rows. */
function countSpans(lengths: Uint32Array, maxSeqLength: number): { spans: number; tokens: number } {
  let spans = 0;
  let tokens = 0;
  for (let sample = 0; sample < lengths.length; sample++) {
    const length = lengths[sample] as number;
    if (length === 0) continue;
    spans += Math.floor((tokens + length - 1) / maxSeqLength) - Math.floor(tokens / maxSeqLength) + 1;
    tokens += length;
  }
  return { spans, tokens };
}
