import type { Digest } from '../../src/base/digest.ts';
import { encodeTokens, type SampleSpans, type Tokens } from './tokens.ts';

/** Samples that were ended after a point, as views. */
export interface SamplesSince {
  readonly lengths: Uint32Array;
  /** Where in its document's tokens each begins. */
  readonly starts: Uint32Array;
  readonly ids: Int32Array;
}

/** Collects the tokens of samples one after another; memory grows by doubling, nothing is allocated per token. */
export class TokensBuilder {
  #ids: Int32Array;
  #lengths: Uint32Array;
  #documents: Uint32Array;
  #starts: Uint32Array;
  #tokens = 0;
  #samples = 0;
  #sampleStart = 0;

  constructor(size: { tokens?: number; samples?: number } = {}) {
    const samples = Math.max(size.samples ?? 1 << 10, 16);
    this.#ids = new Int32Array(Math.max(size.tokens ?? 1 << 16, 16));
    this.#lengths = new Uint32Array(samples);
    this.#documents = new Uint32Array(samples);
    this.#starts = new Uint32Array(samples);
  }

  /** Tokens so far, those of the open sample included. */
  get tokens(): number {
    return this.#tokens;
  }

  /** Samples ended so far. */
  get samples(): number {
    return this.#samples;
  }

  /** Adds one token to the open sample. */
  push(id: number): void {
    if (this.#tokens === this.#ids.length) this.#reserve(1);
    this.#ids[this.#tokens++] = id;
  }

  /** Adds many tokens to the open sample. */
  append(ids: ArrayLike<number>): void {
    this.#reserve(ids.length);
    this.#ids.set(ids, this.#tokens);
    this.#tokens += ids.length;
  }

  /**
   * Ends the open sample, which may have no token.
   *
   * @param document its number among the documents that are read; it never falls
   * @param start where in the document's tokens the sample begins
   */
  endSample(document: number, start = 0): void {
    if (this.#samples === this.#lengths.length) this.#growSamples();
    this.#lengths[this.#samples] = this.#tokens - this.#sampleStart;
    this.#documents[this.#samples] = document;
    this.#starts[this.#samples++] = start;
    this.#sampleStart = this.#tokens;
  }

  /** What was ended since there were so many samples and tokens. */
  since({ samples, tokens }: { samples: number; tokens: number }): SamplesSince {
    const later = <A extends Uint32Array>(column: A): Uint32Array => column.subarray(samples, this.#samples);
    return { lengths: later(this.#lengths), starts: later(this.#starts), ids: this.#ids.subarray(tokens, this.#sampleStart) };
  }

  /** What was collected, as views that the next `push` or `endSample` may overwrite or leave behind; tokens of a sample that was not ended are left out. */
  view(): Tokens & { readonly spans: SampleSpans } {
    const first = <A extends Uint32Array>(column: A): Uint32Array => column.subarray(0, this.#samples);
    return {
      lengths: first(this.#lengths),
      ids: this.#ids.subarray(0, this.#sampleStart),
      spans: { documents: first(this.#documents), starts: first(this.#starts) },
    };
  }

  /** The part that holds every sample that was ended. `documents` counts all that were read. */
  finish(about: { documents: number; tokenizer?: Digest }): Uint8Array<ArrayBuffer> {
    return encodeTokens({ ...this.view(), ...about });
  }

  #reserve(more: number): void {
    const wanted = this.#tokens + more;
    if (wanted <= this.#ids.length) return;
    const grown = new Int32Array(Math.max(wanted, this.#ids.length * 2));
    grown.set(this.#ids);
    this.#ids = grown;
  }

  #growSamples(): void {
    const grown = (column: Uint32Array): Uint32Array => {
      const longer = new Uint32Array(column.length * 2);
      longer.set(column);
      return longer;
    };
    this.#lengths = grown(this.#lengths);
    this.#documents = grown(this.#documents);
    this.#starts = grown(this.#starts);
  }
}
