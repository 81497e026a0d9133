import type { Digest } from '../../src/base/digest.ts';
import { BuildError } from '../../src/base/errors.ts';

/** The tokens of a run of samples: `ids` holds them one after another, `lengths[s]` of them for sample `s`. */
export interface Tokens {
  readonly lengths: Uint32Array;
  readonly ids: Int32Array;
}

/** Where samples come from, an entry for each. */
export interface SampleSpans {
  /** Number of its document among those that were read. Never falls. */
  readonly documents: Uint32Array;
  /** Where in its document's tokens it begins; a document's first sample begins at 0, and each begins where the one before goes on or ends. */
  readonly starts: Uint32Array;
}

/** What a tokens part holds. */
export interface TokensPart extends Tokens {
  /** Documents that were read, those of which nothing could be made included. */
  readonly documents: number;
  /** Of the tokenizer.json that made the ids; undefined where that is not known. */
  readonly tokenizer?: Digest | undefined;
  /** Without it, sample `s` is document `s` as a whole. */
  readonly spans?: SampleSpans | undefined;
}

/*
 * The bytes of a tokens part, all words 32 bits, little-endian:
 *   magic 'DSTK', version, samples, ids, documents read, columns (0 or 2), 2 reserved zeros, digest of the tokenizer (8 words),
 *   lengths[samples], ids[ids], and with columns: documents[samples], starts[samples].
 * Columns are there only if they say more than that sample s is document s: most parts have none.
 * Every section starts at a multiple of 4, so that a decoded part is views on the bytes that were read.
 * The arrays are written as the machine holds them; on a big-endian machine the magic would not match.
 */
const magic = 0x4b545344;
const version = 2;
const headerWords = 16;
const digestAt = 8;

/**
 * Encodes samples as one tokens part.
 *
 * @throws {BuildError} `bad-part` when the lengths do not add up to the number of ids, or the spans do not fit.
 */
export function encodeTokens(part: Tokens & Partial<TokensPart>): Uint8Array<ArrayBuffer> {
  const { lengths, ids, tokenizer, documents = lengths.length } = part;
  const spans = part.spans && !areWhole(part.spans) ? part.spans : undefined;
  check({ lengths, ids, documents, spans });
  const columns = spans ? [spans.documents, spans.starts] : [];
  const words = new Uint32Array(headerWords + lengths.length * (1 + columns.length) + ids.length);
  words.set([magic, version, lengths.length, ids.length, documents, columns.length]);
  const bytes = new Uint8Array(words.buffer);
  if (tokenizer !== undefined) bytes.set(Buffer.from(tokenizer, 'hex'), digestAt * 4);
  words.set(lengths, headerWords);
  new Int32Array(words.buffer).set(ids, headerWords + lengths.length);
  for (const [i, column] of columns.entries()) words.set(column, headerWords + ids.length + lengths.length * (i + 1));
  return bytes;
}

/**
 * Decodes a tokens part into views on `bytes` (copied first only if they do not start at a multiple of 4).
 *
 * @throws {BuildError} `bad-part` for anything that `encodeTokens` can not have written: magic, version, size, lengths, a negative id, odd spans.
 */
export function decodeTokens(bytes: Uint8Array): TokensPart {
  if (bytes.length < headerWords * 4) throw badPart(`${bytes.length} bytes are less than a header`);
  const at = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  const header = new Uint32Array(at.buffer, at.byteOffset, headerWords);
  const [seenMagic, seenVersion, samples = 0, count = 0, documents = 0, columns = 0] = header;
  if (seenMagic !== magic) throw badPart('it does not start with the magic word');
  if (seenVersion !== version) throw badPart(`its format version is ${seenVersion}, this dsbuild reads ${version}`);
  if ((columns !== 0 && columns !== 2) || header[6] !== 0 || header[7] !== 0) throw badPart('its header has words that are not known');
  const size = (headerWords + samples * (1 + columns) + count) * 4;
  if (bytes.length !== size) throw badPart(`its header asks for ${size} bytes, it has ${bytes.length}`);
  const column = (words: number, length: number): Uint32Array => new Uint32Array(at.buffer, at.byteOffset + words * 4, length);
  const lengths = column(headerWords, samples);
  const ids = new Int32Array(at.buffer, at.byteOffset + (headerWords + samples) * 4, count);
  const behind = headerWords + samples + count;
  const spans = columns === 2 ? { documents: column(behind, samples), starts: column(behind + samples, samples) } : undefined;
  if (spans && areWhole(spans)) throw badPart('it spells out that its samples are whole documents');
  check({ lengths, ids, documents, spans });
  checkIds(ids);
  return { lengths, ids, documents, tokenizer: digestIn(at), ...(spans && { spans }) };
}

function digestIn(bytes: Uint8Array): Digest | undefined {
  const digest = bytes.subarray(digestAt * 4, headerWords * 4);
  return digest.some((byte) => byte !== 0) ? Buffer.from(digest).toString('hex') : undefined;
}

/** Whether sample s is document s as a whole. */
const areWhole = ({ documents, starts }: SampleSpans): boolean =>
  documents.every((document, s) => document === s) && starts.every((start) => start === 0);

function check({ lengths, ids, documents, spans }: TokensPart): void {
  let sum = 0;
  for (let s = 0; s < lengths.length; s++) sum += lengths[s] as number;
  if (sum !== ids.length) throw badPart(`its samples have ${sum} tokens, but it holds ${ids.length}`);
  if (!spans && lengths.length > documents) throw badPart(`it has ${lengths.length} samples of ${documents} documents`);
  if (spans) checkSpans(spans, lengths, documents);
}

function checkSpans(spans: SampleSpans, lengths: Uint32Array, documents: number): void {
  for (let s = 0; s < lengths.length; s++) {
    const [document, start] = [spans.documents[s] as number, spans.starts[s] as number];
    const goesOn = s > 0 && document === spans.documents[s - 1];
    const before = goesOn ? (spans.starts[s - 1] as number) : 0;
    const isNext = goesOn ? start > before && start <= before + (lengths[s - 1] as number) : start === 0;
    const isLater = s === 0 || document >= (spans.documents[s - 1] as number);
    if (!isNext || !isLater || document >= documents) throw badPart(`sample ${s} does not follow the one before`);
  }
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

/**
 * Tokens of each document that was read, in order, as if none had been cut into windows: what windows share counts once.
 * -1 for a document of which nothing could be made.
 */
export function documentLengths({ lengths, documents, spans }: TokensPart): Int32Array {
  const found = new Int32Array(documents).fill(-1);
  for (let s = 0; s < lengths.length; s++) {
    // A document's last sample ends where the document does.
    found[spans?.documents[s] ?? s] = (spans?.starts[s] ?? 0) + (lengths[s] as number);
  }
  return found;
}
