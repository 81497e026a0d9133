import type { Part } from '../../src/rule/part.ts';
import type { StepIo } from '../../src/rule/step.ts';
import { EarlierTokens } from './earlier-tokens.ts';
import { EncodedChunk } from './encode-output.ts';
import { RowEncoder, type RowOptions } from './encode-row.ts';
import { onlyPart, Recall } from './row-memo.ts';
import type { Tokenizer } from './tokenizer-contract.ts';
import type { SpecialTokens } from './tokenizer-specials.ts';

interface Encoding {
  readonly tokenizer: Tokenizer;
  readonly specials: SpecialTokens;
  readonly options: RowOptions;
}

const progressEvery = 256;

/** Encodes all documents of a chunk; gives the number of a record of which an earlier run had made something else. */
async function encodeAll(
  io: StepIo,
  chunk: Part,
  { encoder, recall }: { encoder: RowEncoder; recall?: Recall<EarlierTokens> | undefined },
): Promise<EncodedChunk | number> {
  const encoded = new EncodedChunk(chunk);
  for (const row of io.documents(chunk)) {
    encoded.memo.hash(row.line);
    const known = recall?.find(encoded.memo);
    if (known && !known.isSample) encoded.reuse(row.record, known);
    else {
      if (encoder.mustPrepare) await encoder.prepare(row.raw);
      encoded.add(row.record, (to, document) => encoder.encode(row.raw, to, document));
      if (known && !encoded.isLast(known)) return row.record;
    }
    if (encoded.read % progressEvery === 0) io.progress(encoded.read, chunk.facts['records']);
  }
  return encoded;
}

/** Encodes a chunk, with what earlier runs made of the same documents, as long as that is what comes of them now. */
export async function encodeChunk(io: StepIo, chunk: Part, { tokenizer, specials, options }: Encoding): Promise<EncodedChunk> {
  const encoder = new RowEncoder(tokenizer, specials, options);
  const recall = Recall.of(io, (run) => new EarlierTokens(io.bytes(onlyPart(run, 'main'))));
  const first = await encodeAll(io, chunk, { encoder, recall });
  const encoded = typeof first === 'number' ? ((await encodeAll(io, chunk, { encoder })) as EncodedChunk) : first;
  const { read: records, reused } = encoded;
  if (recall) io.recalled({ records, reused, ...(typeof first === 'number' && { differs: first }) });
  return encoded;
}
