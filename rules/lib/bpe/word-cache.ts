const slotCount = 1 << 16;
const wordsMax = (slotCount * 5) / 8;
const unitsMax = wordsMax * 12;
const idsMax = wordsMax * 4;

/** Longer words are seldom seen twice. */
export const cachedUnitsMax = 128;

/** Words with their ids, as arrays that are filled from the front; full when any of them is. */
class Generation {
  /** Per slot: hash, start of the word, its length and number of ids (0 is a free slot), and its id or the start of its ids. */
  readonly slots = new Int32Array(slotCount * 4);
  readonly units = new Uint16Array(unitsMax);
  readonly ids = new Int32Array(idsMax);
  #words = 0;
  #unitsUsed = 0;
  #idsUsed = 0;

  clear(): void {
    this.slots.fill(0);
    this.#words = this.#unitsUsed = this.#idsUsed = 0;
  }

  /** Place of the word's slot, or -1. */
  find(word: Word): number {
    const { length, hash } = word;
    const { slots } = this;
    for (let slot = hash & (slotCount - 1); ; slot = (slot + 1) & (slotCount - 1)) {
      const at = slot * 4;
      const lengths = slots[at + 2] as number;
      if (lengths === 0) return -1;
      if (slots[at] === hash && lengths >>> 16 === length && this.#holds(slots[at + 1] as number, word)) return at;
    }
  }

  #holds(from: number, { units, start, length }: Word): boolean {
    const known = this.units;
    for (let at = 0; at < length; at++) if (known[from + at] !== units[start + at]) return false;
    return true;
  }

  /** Whether there was room. */
  add(word: Word, ids: Int32Array, { from, count }: { from: number; count: number }): boolean {
    const { units, start, length, hash } = word;
    if (this.#words === wordsMax || this.#unitsUsed + length > unitsMax || this.#idsUsed + count > idsMax) return false;
    let slot = hash & (slotCount - 1);
    while (this.slots[slot * 4 + 2] !== 0) slot = (slot + 1) & (slotCount - 1);
    const at = slot * 4;
    this.slots[at] = hash;
    this.slots[at + 1] = this.#unitsUsed;
    this.slots[at + 2] = (length << 16) | count;
    for (let i = 0; i < length; i++) this.units[this.#unitsUsed++] = units[start + i] as number;
    this.slots[at + 3] = count === 1 ? (ids[from] as number) : this.#idsUsed;
    if (count > 1) for (let i = 0; i < count; i++) this.ids[this.#idsUsed++] = ids[from + i] as number;
    this.#words++;
    return true;
  }
}

/** A word as a stretch of a text; one object is set anew for each word. */
export interface Word {
  units: Uint16Array;
  start: number;
  length: number;
  hash: number;
}

/**
 * Ids of words seen lately, in two generations of fixed size (about 8 MB): when the younger is full, the older is forgotten, and words found in the older move on.
 * Nothing is allocated per word.
 */
export class WordCache {
  #young = new Generation();
  #old = new Generation();

  /** Copies the word's ids to `out` from `at` on and returns how many, 0 if the word is not known. */
  read(word: Word, out: Int32Array, at: number): number {
    let { slots, ids } = this.#young;
    let found = this.#young.find(word);
    if (found < 0) {
      found = this.#old.find(word);
      if (found < 0) return 0;
      ({ slots, ids } = this.#old);
    }
    const count = (slots[found + 2] as number) & 0xffff;
    const value = slots[found + 3] as number;
    if (count === 1) out[at] = value;
    else for (let i = 0; i < count; i++) out[at + i] = ids[value + i] as number;
    if (slots !== this.#young.slots) this.write(word, out, { from: at, count });
    return count;
  }

  /** Remembers the ids of a word that the younger generation does not know. */
  write(word: Word, ids: Int32Array, range: { from: number; count: number }): void {
    if (word.length > cachedUnitsMax || range.count === 0 || this.#young.add(word, ids, range)) return;
    const forgotten = this.#old;
    this.#old = this.#young;
    this.#young = forgotten;
    forgotten.clear();
    forgotten.add(word, ids, range);
  }
}
