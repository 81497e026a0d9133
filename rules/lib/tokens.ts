import { BuildError } from '../../src/base/errors.ts';

/** The tokens of a run of documents: `ids` holds them one after another, `lengths[d]` of them for document `d`. */
export interface Tokens {
  readonly lengths: Uint32Array;
  readonly ids: Int32Array;
}

/*
 * The bytes of a tokens part, all words 32 bits, little-endian:
 *   magic 'DSTK', version, documents, ids, per-document columns (0 in this version), 3 reserved zeros,
 *   lengths[documents], ids[ids].
 * Every section starts at a multiple of 4, so that a decoded part is views on the bytes that were read.
 * Columns with one word per document follow the ids when a later version counts them in the header.
 * The arrays are written as the machine holds them; on a big-endian machine the magic would not match.
 */
const magic = 0x4b545344;
const version = 1;
const headerWords = 8;

/**
 * Encodes documents as one tokens part.
 *
 * @throws {BuildError} `bad-part` when the lengths do not add up to the number of ids.
 */
export function encodeTokens({ lengths, ids }: Tokens): Uint8Array<ArrayBuffer> {
  checkSum(lengths, ids);
  const words = new Uint32Array(headerWords + lengths.length + ids.length);
  words.set([magic, version, lengths.length, ids.length]);
  words.set(lengths, headerWords);
  new Int32Array(words.buffer).set(ids, headerWords + lengths.length);
  return new Uint8Array(words.buffer);
}

/**
 * Decodes a tokens part into views on `bytes` (copied first only if they do not start at a multiple of 4).
 *
 * @throws {BuildError} `bad-part` for anything that `encodeTokens` can not have written: magic, version, size, lengths, a negative id.
 */
export function decodeTokens(bytes: Uint8Array): Tokens {
  if (bytes.length < headerWords * 4) throw badPart(`${bytes.length} bytes are less than a header`);
  const at = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  const header = new Uint32Array(at.buffer, at.byteOffset, headerWords);
  const [seenMagic, seenVersion, documents = 0, count = 0] = header;
  if (seenMagic !== magic) throw badPart('it does not start with the magic word');
  if (seenVersion !== version) throw badPart(`its format version is ${seenVersion}, this dsbuild reads ${version}`);
  if (header.subarray(4).some((word) => word !== 0)) throw badPart('reserved words of its header are not zero');
  const size = (headerWords + documents + count) * 4;
  if (bytes.length !== size) throw badPart(`its header asks for ${size} bytes, it has ${bytes.length}`);
  const lengths = new Uint32Array(at.buffer, at.byteOffset + headerWords * 4, documents);
  const ids = new Int32Array(at.buffer, at.byteOffset + (headerWords + documents) * 4, count);
  checkSum(lengths, ids);
  checkIds(ids);
  return { lengths, ids };
}

function checkSum(lengths: Uint32Array, ids: Int32Array): void {
  let sum = 0;
  for (let d = 0; d < lengths.length; d++) sum += lengths[d] as number;
  if (sum !== ids.length) throw badPart(`its documents have ${sum} tokens, but it holds ${ids.length}`);
}

function checkIds(ids: Int32Array): void {
  let signs = 0;
  for (let i = 0; i < ids.length; i++) signs |= ids[i] as number;
  if (signs < 0) throw badPart(`token ${ids.findIndex((id) => id < 0)} has a negative id`);
}

function badPart(seen: string): BuildError {
  return new BuildError('bad-part', {
    message: `not a sound tokens part: ${seen}`,
    hint: 'The stored bytes are damaged or come from another version; they are made again once they are removed from the store.',
  });
}

/** Collects the tokens of documents one after another; memory grows by doubling, nothing is allocated per token. */
export class TokensBuilder {
  #ids: Int32Array;
  #lengths: Uint32Array;
  #tokens = 0;
  #documents = 0;
  #documentStart = 0;

  constructor(size: { tokens?: number; documents?: number } = {}) {
    this.#ids = new Int32Array(Math.max(size.tokens ?? 1 << 16, 16));
    this.#lengths = new Uint32Array(Math.max(size.documents ?? 1 << 10, 16));
  }

  /** Tokens so far, those of the open document included. */
  get tokens(): number {
    return this.#tokens;
  }

  /** Documents ended so far. */
  get documents(): number {
    return this.#documents;
  }

  /** Adds one token to the open document. */
  push(id: number): void {
    if (this.#tokens === this.#ids.length) this.#reserve(1);
    this.#ids[this.#tokens++] = id;
  }

  /** Adds many tokens to the open document. */
  append(ids: ArrayLike<number>): void {
    this.#reserve(ids.length);
    this.#ids.set(ids, this.#tokens);
    this.#tokens += ids.length;
  }

  /** Ends the open document (which may have no token) and returns its number of tokens. */
  endDocument(): number {
    if (this.#documents === this.#lengths.length) {
      const grown = new Uint32Array(this.#lengths.length * 2);
      grown.set(this.#lengths);
      this.#lengths = grown;
    }
    const length = this.#tokens - this.#documentStart;
    this.#lengths[this.#documents++] = length;
    this.#documentStart = this.#tokens;
    return length;
  }

  /** What was collected, as views that the next `push` or `endDocument` may overwrite or leave behind; tokens of a document that was not ended are left out. */
  view(): Tokens {
    return { lengths: this.#lengths.subarray(0, this.#documents), ids: this.#ids.subarray(0, this.#documentStart) };
  }

  /** The part that holds every document that was ended. */
  finish(): Uint8Array<ArrayBuffer> {
    return encodeTokens(this.view());
  }

  #reserve(more: number): void {
    const wanted = this.#tokens + more;
    if (wanted <= this.#ids.length) return;
    const grown = new Int32Array(Math.max(wanted, this.#ids.length * 2));
    grown.set(this.#ids);
    this.#ids = grown;
  }
}
