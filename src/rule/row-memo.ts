import { BuildError } from '../base/errors.ts';

/** The output that holds a step's row memo: a side part. */
export const memoOutput = 'memo';

/*
 * Bytes of a memo, all words 32 bits, little-endian: magic 'DSMM', version, records, 1 if the column of their numbers is there, words of names,
 * three zeros; the names of counts as JSON, filled up with spaces; four words for each record (the first 16 bytes of the SHA-256 of its line);
 * the numbers of the records, unless they are 0, 1, 2 ...; for each name what each record counted.
 * SHA-256 because it must be cryptographic (who can make two lines collide gets the second one through the filter that judged the first), and
 * because of all such hashes Node's one-shot call costs least for a short line: 0.4 us for 100 bytes, 1 us for 1 KB.
 */
export const memoMagic = 0x4d4d5344;
export const memoVersion = 1;
const headWords = 8;
/** Of a record's hash. */
export const memoHashWords = 4;

/** A row memo as it lies in a part: what a run of a step knows of each record that gave something. */
export interface MemoColumns {
  readonly count: number;
  /** `memoHashWords` for each record. */
  readonly hashes: Uint32Array;
  /** Undefined where they are 0, 1, 2 ... */
  readonly records: Uint32Array | undefined;
  readonly counts: readonly (readonly [name: string, column: Uint32Array])[];
}

const damaged = (): BuildError => new BuildError('bad-part', { message: 'a row memo is damaged' });

function parseNames(text: string): string[] {
  try {
    const names: unknown = text === '' ? [] : JSON.parse(text);
    if (Array.isArray(names)) return names as string[];
  } catch {
    // As for any other damage.
  }
  throw damaged();
}

/** Views of `bytes`, which begin at a multiple of four. @throws {BuildError} `bad-part` when they are no memo, or one of another version. */
export function decodeMemo(bytes: Buffer): MemoColumns {
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
  const [seenMagic, seenVersion, count = 0, numbered = 0, nameWords = 0] = words;
  if (bytes.length % 4 !== 0 || seenMagic !== memoMagic || seenVersion !== memoVersion || numbered > 1) throw damaged();
  const hashesAt = headWords + nameWords;
  const names = parseNames(bytes.toString('utf8', headWords * 4, hashesAt * 4));
  if (words.length !== hashesAt + count * (memoHashWords + numbered + names.length)) throw damaged();
  const column = (i: number): Uint32Array =>
    words.subarray(hashesAt + count * (memoHashWords + i), hashesAt + count * (memoHashWords + i + 1));
  return {
    count,
    hashes: words.subarray(hashesAt, hashesAt + memoHashWords * count),
    records: numbered === 1 ? column(0) : undefined,
    counts: names.map((name, i) => [name, column(numbered + i)] as const),
  };
}
