import { BuildError } from '../base/errors.ts';

/** Ids from here on are few in any vocabulary, or come from damaged bytes: one of them must not ask for gigabytes. */
const denseIdsMax = 1 << 20;

/** How often each token id was seen. Memory: 8 bytes for each id up to the largest below 2^20, and some for each other one. */
export class VocabularyCounts {
  #counts = new Float64Array(0);
  readonly #sparse = new Map<number, number>();
  #used = 0;

  /** @throws {BuildError} `bad-part` for what is no id. */
  add(id: number, count: number): void {
    if (id >= 0 && id < denseIdsMax) this.#addDense(id, count);
    else if (id >= denseIdsMax) this.#addSparse(id, count);
    else throw new BuildError('bad-part', { message: `${id} is no token id` });
  }

  #addDense(id: number, count: number): void {
    if (id >= this.#counts.length) this.#grow(id + 1);
    const before = this.#counts[id] as number;
    if (before === 0) this.#used++;
    this.#counts[id] = before + count;
  }

  #addSparse(id: number, count: number): void {
    const before = this.#sparse.get(id) ?? 0;
    if (before === 0) this.#used++;
    this.#sparse.set(id, before + count);
  }

  addAll(ids: Int32Array): void {
    for (let i = 0; i < ids.length; i++) this.add(ids[i] as number, 1);
  }

  /** Ids that were seen at all. */
  get used(): number {
    return this.#used;
  }

  /** Ids that were seen and their counts, rising by id. */
  *entries(): Generator<readonly [id: number, count: number]> {
    for (let id = 0; id < this.#counts.length; id++) {
      const count = this.#counts[id] as number;
      if (count > 0) yield [id, count];
    }
    yield* [...this.#sparse].sort(([a], [b]) => a - b);
  }

  /** Compact bytes: for each id that was seen the distance from the one before (the first from -1) and its count, 7 bits to a byte, lowest first. */
  encode(): Uint8Array {
    const bytes: number[] = [];
    let last = -1;
    for (const [id, count] of this.entries()) {
      pushNumber(bytes, id - last);
      pushNumber(bytes, count);
      last = id;
    }
    return Uint8Array.from(bytes);
  }

  /** Adds what `encode` wrote. @throws {BuildError} `bad-part` where the bytes are cut off. */
  merge(bytes: Uint8Array): void {
    let id = -1;
    let at = 0;
    const next = (): number => {
      let value = 0;
      for (let scale = 1; ; scale *= 128) {
        const byte = bytes[at++];
        if (byte === undefined) throw new BuildError('bad-part', { message: 'the counts of token ids end too early' });
        value += (byte & 127) * scale;
        if (byte < 128) return value;
      }
    };
    while (at < bytes.length) {
      id += next();
      this.add(id, next());
    }
  }

  #grow(length: number): void {
    const counts = new Float64Array(Math.max(length, this.#counts.length * 2));
    counts.set(this.#counts);
    this.#counts = counts;
  }
}

/** By division: counts may be larger than 32 bits. */
function pushNumber(bytes: number[], value: number): void {
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
}
