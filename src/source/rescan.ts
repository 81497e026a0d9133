import type { Cut } from '../base/cut.ts';
import { type Checksum, digestPieces } from './checksum.ts';
import { type ChunkColumns, type ChunkRow, chunkColumns, chunkDigest, chunkRow, chunkStart } from './chunks.ts';
import type { OpenFile } from './open.ts';
import { ChunkScanner } from './scan.ts';

/** What is known of an earlier state of the file. */
export interface KnownChunks {
  readonly size: number;
  readonly chunks: ChunkColumns;
}

export interface Rescan {
  readonly chunks: ChunkColumns;
  /** Bytes of chunks that the earlier state did not have. */
  readonly namedBytes: number;
}

const nothingKnown: KnownChunks = { size: 0, chunks: chunkColumns([]) };

/** The known chunks, found by the place that they begin at or by their bytes. */
class KnownIndex {
  readonly size: number;
  readonly chunks: ChunkColumns;
  readonly count: number;
  #byChecksum: Map<bigint, number[]> | undefined;
  #byStart: Map<number, number> | undefined;

  constructor({ size, chunks }: KnownChunks) {
    this.size = size;
    this.chunks = chunks;
    this.count = chunks.ends.length;
  }

  startingAt(offset: number): number | undefined {
    this.#byStart ??= new Map(Array.from({ length: this.count }, (_, i) => [chunkStart(this.chunks, i), i]));
    return this.#byStart.get(offset);
  }

  length(index: number): number {
    return (this.chunks.ends[index] as number) - chunkStart(this.chunks, index);
  }

  /** A chunk that was decided by the end of the file would be decided otherwise if the file had gone on. */
  isClosed(index: number): boolean {
    return index < this.count && (this.chunks.decidedAts[index] as number) < this.size;
  }

  withBytes(checksum: bigint, length: number): number | undefined {
    this.#byChecksum ??= this.#indexChecksums();
    return this.#byChecksum.get(checksum)?.find((index) => this.length(index) === length);
  }

  #indexChecksums(): Map<bigint, number[]> {
    const map = new Map<bigint, number[]>();
    this.chunks.xxh64s.forEach((checksum, index) => {
      const list = map.get(checksum);
      if (list) list.push(index);
      else map.set(checksum, [index]);
    });
    return map;
  }
}

/** One pass over a file that was scanned before. */
class Pass {
  readonly #file: OpenFile;
  readonly #scanner: ChunkScanner;
  readonly #checksum: Checksum;
  readonly #known: KnownIndex;
  readonly rows: ChunkRow[] = [];
  namedBytes = 0;
  /** Where the next chunk begins. */
  at = 0;
  /** How far the known chunks moved. */
  #shift = 0;

  constructor(file: OpenFile, target: number, tools: { known: KnownChunks; checksum: Checksum }) {
    this.#file = file;
    this.#scanner = new ChunkScanner(file, target);
    this.#checksum = tools.checksum;
    this.#known = new KnownIndex(tools.known);
  }

  /**
   * Takes over the known chunks that lie here unchanged, with all that the rule looked at to decide them. Their bytes are compared one chunk
   * at a time; a chunk that was decided by looking ahead counts only if what it looked at lies in chunks that compare equal too.
   *
   * @returns after each chunk that was read, how many bytes that were.
   */
  *takeUnchanged(): Generator<number> {
    const first = this.#known.startingAt(this.at - this.#shift) ?? this.#known.count;
    let end = first;
    while (this.#known.isClosed(end) && this.#isUnchanged(end)) yield this.#known.length(end++);
    const verifiedTo = end === first ? 0 : (this.#known.chunks.ends[end - 1] as number);
    for (let i = first; i < end && (this.#known.chunks.decidedAts[i] as number) <= verifiedTo; i++) {
      this.#add(chunkRow(this.#known.chunks, i, this.#shift));
    }
  }

  /** Cuts the next chunk by the rule. @returns how many bytes it has; 0 at the end of the file. */
  cutNext(): number {
    const from = this.at;
    const cut = this.#scanner.next(from);
    if (!cut) return 0;
    const xxh64 = this.#checksum(this.#scanner.pieces(from, cut.end));
    const known = this.#known.withBytes(xxh64, cut.end - from);
    this.#add({ ...rowOf(cut), xxh64, digest: known === undefined ? this.#name(from, cut.end) : chunkDigest(this.#known.chunks, known) });
    if (known !== undefined) this.#shift = cut.end - (this.#known.chunks.ends[known] as number);
    return cut.end - from;
  }

  #isUnchanged(index: number): boolean {
    const from = chunkStart(this.#known.chunks, index) + this.#shift;
    const to = from + this.#known.length(index);
    return to <= this.#file.size && this.#checksum(this.#scanner.pieces(from, to)) === this.#known.chunks.xxh64s[index];
  }

  #name(from: number, to: number): Uint8Array {
    this.namedBytes += to - from;
    return digestPieces(this.#scanner.pieces(from, to));
  }

  #add(row: ChunkRow): void {
    this.rows.push(row);
    this.at = row.end;
  }
}

const rowOf = ({ end, items, u, decidedAt }: Cut): Omit<ChunkRow, 'xxh64' | 'digest'> => ({ end, records: items, u, decidedAt });

/**
 * Scans a file into chunks; with the chunks of an earlier state it reads unchanged ones at checksum speed, and names only new ones with
 * BLAKE3. The chunks are those of a clean scan, whatever was edited.
 *
 * @yields bytes that were done since the last time, so that the caller may pause or stop between chunks.
 */
export function* rescan(
  file: OpenFile,
  target: number,
  tools: { known?: KnownChunks | undefined; checksum: Checksum },
): Generator<number, Rescan> {
  const pass = new Pass(file, target, { known: tools.known ?? nothingKnown, checksum: tools.checksum });
  for (let cut = -1; cut !== 0; ) {
    yield* pass.takeUnchanged();
    cut = pass.cutNext();
    yield cut;
  }
  return { chunks: chunkColumns(pass.rows), namedBytes: pass.namedBytes };
}
