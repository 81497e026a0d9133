/**
 * Rows by the room that they have left, to be asked for the least room from some size on. A set of bits tells which rooms there are;
 * above it lie sets of bits that tell which words below are not 0, up to a single word: 2^20 rooms are four levels.
 *
 * Cost: a few word operations for each call, whatever the number of rows and rooms. Memory: 4 bytes a room and a row.
 */
export class RoomIndex {
  readonly #levels: Uint32Array[] = [];
  /** The row that was added last of each room, plus one; 0 for none. */
  readonly #newest: Uint32Array;
  /** The row that was added before a row of the same room, plus one. */
  readonly #before: Uint32Array;

  constructor(roomMax: number, rowsMax: number) {
    this.#newest = new Uint32Array(roomMax + 1);
    this.#before = new Uint32Array(rowsMax);
    for (let words = (roomMax >>> 5) + 1; ; words = ((words - 1) >>> 5) + 1) {
      this.#levels.push(new Uint32Array(words));
      if (words === 1) return;
    }
  }

  add(room: number, row: number): void {
    const newest = this.#newest[room] as number;
    this.#before[row] = newest;
    this.#newest[room] = row + 1;
    if (newest === 0) this.#set(room);
  }

  /** Takes out the row with this room that was added last. */
  take(room: number): number {
    const row = (this.#newest[room] as number) - 1;
    const before = this.#before[row] as number;
    this.#newest[room] = before;
    if (before === 0) this.#clear(room);
    return row;
  }

  /** The least room of any row that is `size` or more; -1 if there is none. */
  leastFrom(size: number): number {
    let at = size;
    for (let level = 0; level < this.#levels.length; level++) {
      const word = ((this.#levels[level] as Uint32Array)[at >>> 5] ?? 0) & (-1 << (at & 31));
      if (word !== 0) return this.#down(level, (at & ~31) + lowestBit(word));
      // What is left lies in the words behind this one.
      at = (at >>> 5) + 1;
    }
    return -1;
  }

  #down(from: number, bit: number): number {
    let at = bit;
    for (let level = from - 1; level >= 0; level--) at = at * 32 + lowestBit((this.#levels[level] as Uint32Array)[at] as number);
    return at;
  }

  #set(room: number): void {
    let at = room;
    for (const words of this.#levels) {
      const word = words[at >>> 5] as number;
      words[at >>> 5] = word | (1 << (at & 31));
      if (word !== 0) return;
      at >>>= 5;
    }
  }

  #clear(room: number): void {
    let at = room;
    for (const words of this.#levels) {
      const word = (words[at >>> 5] as number) & ~(1 << (at & 31));
      words[at >>> 5] = word;
      if (word !== 0) return;
      at >>>= 5;
    }
  }
}

const lowestBit = (word: number): number => 31 - Math.clz32(word & -word);
