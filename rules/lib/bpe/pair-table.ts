/** What two neighbours become, for every pair of ids that merges: open addressing on one typed array, four words per slot. */
export class PairTable {
  readonly #slots: Int32Array;
  readonly #mask: number;
  readonly #merged: Int32Array;

  /** @param pairs left id, right id and merged id of each merge, the best first; of a repeated pair the last counts, as in the reference. */
  constructor(pairs: Int32Array) {
    const count = pairs.length / 3;
    const slots = 1 << Math.max(4, Math.ceil(Math.log2(count * 2 + 1)));
    this.#mask = slots - 1;
    this.#slots = new Int32Array(slots * 4).fill(-1);
    this.#merged = new Int32Array(count);
    for (let rank = 0; rank < count; rank++) {
      const [left, right, merged] = [pairs[3 * rank], pairs[3 * rank + 1], pairs[3 * rank + 2]] as [number, number, number];
      const at = this.#find(left, right);
      this.#slots[at] = left;
      this.#slots[at + 1] = right;
      this.#slots[at + 2] = rank;
      this.#merged[rank] = merged;
    }
  }

  /** Rank of a pair, lower is better; `noRank` if it does not merge. */
  rank(left: number, right: number): number {
    const at = this.#find(left, right);
    return this.#slots[at] === -1 ? noRank : (this.#slots[at + 2] as number);
  }

  /** The id that the pair of a rank becomes. */
  merged(rank: number): number {
    return this.#merged[rank] as number;
  }

  #find(left: number, right: number): number {
    const slots = this.#slots;
    let hash = Math.imul(left, 0x9e3779b1) ^ Math.imul(right, 0x85ebca6b);
    hash ^= hash >>> 15;
    for (let slot = hash & this.#mask; ; slot = (slot + 1) & this.#mask) {
      const at = slot * 4;
      const seen = slots[at];
      if (seen === -1 || (seen === left && slots[at + 1] === right)) return at;
    }
  }
}

export const noRank = 0x7fff_ffff;
