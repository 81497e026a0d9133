import { decodeTokens, type TokensPart } from './tokens.ts';
import type { SamplesSince, TokensBuilder } from './tokens-builder.ts';

const areEqual = (a: Uint32Array | Int32Array, b: Uint32Array | Int32Array): boolean =>
  a.length === b.length && a.every((value, i) => value === b[i]);

/** A tokens part that an earlier run made, document by document. */
export class EarlierTokens {
  readonly #part: TokensPart;
  /** Samples of document d: from `#samples[d]` to `#samples[d + 1]`. */
  readonly #samples: Uint32Array;
  /** Ids of sample s: from `#ends[s]` to `#ends[s + 1]`. */
  readonly #ends: Uint32Array;

  /** @throws {BuildError} `bad-part` when the bytes are not those of a tokens part. */
  constructor(bytes: Uint8Array) {
    this.#part = decodeTokens(bytes);
    const { lengths, documents, spans } = this.#part;
    this.#samples = new Uint32Array(documents + 1);
    this.#ends = new Uint32Array(lengths.length + 1);
    for (let s = 0; s < lengths.length; s++) {
      this.#samples[(spans?.documents[s] ?? s) + 1] = s + 1;
      this.#ends[s + 1] = (this.#ends[s] as number) + (lengths[s] as number);
    }
    for (let d = 1; d <= documents; d++) if (this.#samples[d] === 0) this.#samples[d] = this.#samples[d - 1] as number;
  }

  /** Appends the samples of a document, as those of document `as`. */
  copy(document: number, to: TokensBuilder, as: number): void {
    const [first, end] = this.#range(document);
    for (let s = first; s < end; s++) {
      to.append(this.#part.ids.subarray(this.#ends[s], this.#ends[s + 1]));
      to.endSample(as, this.#part.spans?.starts[s] ?? 0);
    }
  }

  /** Whether these are the samples of a document. */
  isSame(document: number, { lengths, starts, ids }: SamplesSince): boolean {
    const [first, end] = this.#range(document);
    const known = this.#part.spans?.starts.subarray(first, end) ?? new Uint32Array(end - first);
    return (
      areEqual(lengths, this.#part.lengths.subarray(first, end)) &&
      areEqual(starts, known) &&
      areEqual(ids, this.#part.ids.subarray(this.#ends[first], this.#ends[end]))
    );
  }

  #range(document: number): [first: number, end: number] {
    return [this.#samples[document] as number, this.#samples[document + 1] as number];
  }
}
