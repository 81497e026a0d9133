import type { Tokens, TokensPart } from './tokens.ts';

/** What is read of a tokens part: without `spans` every sample is a document as a whole. */
export type PackInput = Tokens & Pick<TokensPart, 'spans'>;

/** The samples of a pack group, as columns, over all its parts. */
export interface Samples {
  /** Index of the part that holds it. */
  readonly part: Uint32Array;
  /** Place of its first token in that part's ids. */
  readonly from: Uint32Array;
  /** Tokens that it has of its own. */
  readonly tokens: Uint32Array;
  /** Tokens that are packed: one more than its own where an EOS is added, fewer where it is truncated, 0 where it has none. */
  readonly lengths: Uint32Array;
}

/**
 * An EOS is added behind each document whose last token is another; a window that its document goes beyond gets none.
 *
 * @param lengthMax longer samples are truncated to it. One that has as many tokens, and no EOS, keeps them all and gets none.
 */
export function samplesOf(parts: readonly PackInput[], { eosId, lengthMax }: { eosId: number; lengthMax: number }): Samples {
  const count = parts.reduce((sum, { lengths }) => sum + lengths.length, 0);
  const column = (): Uint32Array => new Uint32Array(count);
  const samples = { part: column(), from: column(), tokens: column(), lengths: column() };
  let sample = 0;
  for (const [part, { lengths, ids, spans }] of parts.entries()) {
    let end = 0;
    for (let i = 0; i < lengths.length; i++, sample++) {
      const tokens = lengths[i] as number;
      samples.part[sample] = part;
      samples.from[sample] = end;
      samples.tokens[sample] = tokens;
      end += tokens;
      const goesOn = spans !== undefined && spans.documents[i + 1] === spans.documents[i];
      const whole = goesOn || tokens === 0 || ids[end - 1] === eosId ? tokens : tokens + 1;
      samples.lengths[sample] = Math.min(whole, lengthMax);
    }
  }
  return samples;
}
