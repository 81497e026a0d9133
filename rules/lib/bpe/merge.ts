import { noRank, type PairTable } from './pair-table.ts';

/** Up to here the best pair is found by looking at all of them; the arrays fit the nearest cache. */
const scannedMax = 64;

/**
 * Byte-pair encoding of one word: the pair of the lowest rank is merged first, the leftmost of equals, until none merges.
 * Holds work arrays that grow with the longest word seen.
 */
export class PairMerger {
  readonly #pairs: PairTable;
  readonly #ranks = new Int32Array(scannedMax);
  #next = new Int32Array(0);
  #previous = new Int32Array(0);
  #heap = new Float64Array(0);
  #heapSize = 0;

  constructor(pairs: PairTable) {
    this.#pairs = pairs;
  }

  /** Merges the first `count` ids in place and returns how many are left. */
  merge(ids: Int32Array, count: number): number {
    return count <= scannedMax ? this.#mergeByScan(ids, count) : this.#mergeByHeap(ids, count);
  }

  #mergeByScan(ids: Int32Array, count: number): number {
    const pairs = this.#pairs;
    const ranks = this.#ranks;
    for (let at = 0; at + 1 < count; at++) ranks[at] = pairs.rank(ids[at] as number, ids[at + 1] as number);
    let left = count;
    for (; left > 1; left--) {
      let best = noRank;
      let place = 0;
      for (let at = 0; at + 1 < left; at++) {
        const rank = ranks[at] as number;
        if (rank < best) {
          best = rank;
          place = at;
        }
      }
      if (best === noRank) break;
      ids[place] = pairs.merged(best);
      for (let at = place + 1; at + 1 < left; at++) {
        ids[at] = ids[at + 1] as number;
        ranks[at] = ranks[at + 1] as number;
      }
      if (place > 0) ranks[place - 1] = pairs.rank(ids[place - 1] as number, ids[place] as number);
      if (place + 2 < left) ranks[place] = pairs.rank(ids[place] as number, ids[place + 1] as number);
    }
    return left;
  }

  /** O(n log n): a heap of rank and place, whose outdated entries are known by the pair at their place having another rank. */
  #mergeByHeap(ids: Int32Array, count: number): number {
    this.#link(count);
    const [next, previous] = [this.#next, this.#previous];
    for (let at = 0; at + 1 < count; at++) this.#offer(ids, at);
    while (this.#heapSize > 0) {
      const entry = this.#take();
      const rank = Math.floor(entry / places);
      const at = entry - rank * places;
      const right = next[at] as number;
      if (right < 0 || right >= count || this.#pairs.rank(ids[at] as number, ids[right] as number) !== rank) continue;
      ids[at] = this.#pairs.merged(rank);
      const after = next[right] as number;
      next[at] = after;
      next[right] = gone;
      if (after < count) previous[after] = at;
      if (after < count) this.#offer(ids, at);
      if (at > 0) this.#offer(ids, previous[at] as number);
    }
    let left = 0;
    for (let at = 0; at < count; at = next[at] as number) ids[left++] = ids[at] as number;
    return left;
  }

  #link(count: number): void {
    if (this.#next.length < count) {
      this.#next = new Int32Array(count);
      this.#previous = new Int32Array(count);
      // Each merge takes one entry and offers two, and there are fewer merges than symbols.
      this.#heap = new Float64Array(2 * count);
    }
    this.#heapSize = 0;
    for (let at = 0; at < count; at++) {
      this.#next[at] = at + 1;
      this.#previous[at] = at - 1;
    }
  }

  /** Puts the pair at a place into the heap, if it merges. */
  #offer(ids: Int32Array, at: number): void {
    const rank = this.#pairs.rank(ids[at] as number, ids[this.#next[at] as number] as number);
    if (rank === noRank) return;
    const heap = this.#heap;
    const entry = rank * places + at;
    let hole = this.#heapSize++;
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      const above = heap[parent] as number;
      if (above <= entry) break;
      heap[hole] = above;
      hole = parent;
    }
    heap[hole] = entry;
  }

  #take(): number {
    const heap = this.#heap;
    const top = heap[0] as number;
    const size = --this.#heapSize;
    const entry = heap[size] as number;
    let hole = 0;
    for (let child = 1; child < size; child = 2 * hole + 1) {
      if (child + 1 < size && (heap[child + 1] as number) < (heap[child] as number)) child++;
      const below = heap[child] as number;
      if (below >= entry) break;
      heap[hole] = below;
      hole = child;
    }
    heap[hole] = entry;
    return top;
  }
}

/** More than any word's length in bytes; a rank times this is still exact in a double. */
const places = 2 ** 27;
const gone = -1;
