import { exponential, exponentialUnit } from './exponential.ts';
import { finish } from './record-hash.ts';

/** Part of every key: raised whenever the same records would be cut elsewhere. */
export const CUT_VERSION = 1;

/** The size that chunks are aimed at (T). */
export const chunkBytesDefault = 8 * 1024 * 1024;

export const cutSizeMin = (target: number): number => target / 2;
export const cutSizeMax = (target: number): number => target * 2;

/** Chunks, pack groups and shards end by the same `u`; a salt for each keeps their ends independent of one another. */
export const cutSalts = { packGroup: 0x5bd1e995, shard: 0x27d4eb2f } as const;

/** 32 bits that are independent of `u` for all that a cut can see, but decided by it. */
export const mix = (u: number, salt: number): number => finish(u ^ salt);

/** Where a run of items ends. All figures but `items` and `u` count from the first item ever pushed. */
export interface Cut {
  /** Weight of all items up to the cut. */
  readonly end: number;
  /** How many items the run has. */
  readonly items: number;
  /** The hash of the run's last item. */
  readonly u: number;
  /** Weight of all items that the rule had looked at when it decided; more than `end` if it looked ahead. */
  readonly decidedAt: number;
}

interface Place {
  size: number;
  items: number;
  u: number;
}

/** The items since the last candidate: the rule looks at them again if it goes back to that candidate. */
class Lookahead {
  weights = new Float64Array(0);
  us = new Uint32Array(0);
  count = 0;

  push(weight: number, u: number): void {
    if (this.count === this.weights.length) this.#grow();
    this.weights[this.count] = weight;
    this.us[this.count++] = u;
  }

  dropTo(index: number): void {
    this.weights.copyWithin(0, index, this.count);
    this.us.copyWithin(0, index, this.count);
    this.count -= index;
  }

  #grow(): void {
    const { weights, us } = this;
    this.weights = new Float64Array(weights.length * 2 + 64);
    this.us = new Uint32Array(us.length * 2 + 64);
    this.weights.set(weights);
    this.us.set(us);
  }
}

/**
 * The cut rule: takes one item (a record, a chunk, a pack group) after another and says where runs of about `target` weight end. A place
 * depends on the items since the cut before it only, so that an edit moves the cuts beside it and no others.
 *
 * From target / 2 on, a run ends after an item with probability 1 - exp(-weight * rate), decided by the item's `u`; the rate is
 * 1 / (4 target) below the target, 4 / target above. A run that passes 2 * target ends after the item with the smallest -ln(u) / weight
 * since target / 2, and what came after that is looked at again. An item that would take a run without such a candidate past 2 * target,
 * or that alone is heavier, ends the run before it. Items of weight 0 never end a run; trailing ones belong to the next.
 */
export class Cutter {
  readonly #target: number;
  readonly #sizeMin: number;
  readonly #sizeMax: number;
  readonly #rateBelow: number;
  readonly #rateAbove: number;
  readonly #lookahead = new Lookahead();
  #next = 0;
  #start: number;
  /** The open run, up to the item in hand, and up to its last item that has a weight. */
  #open: Place = { size: 0, items: 0, u: 0 };
  #solidItems = 0;
  #solidU = 0;
  #best: Place | undefined;
  #bestKey = Number.POSITIVE_INFINITY;
  #bestIndex = -1;
  #cuts: Cut[] = [];

  /** @param start what `end` and `decidedAt` count from, such as the file offset of the first record. */
  constructor(target: number, start = 0) {
    this.#target = target;
    this.#sizeMin = cutSizeMin(target);
    this.#sizeMax = cutSizeMax(target);
    this.#rateBelow = exponentialUnit / (4 * target);
    this.#rateAbove = (4 * exponentialUnit) / target;
    this.#start = start;
  }

  /** Looks at one more item. @returns whether a cut is ready to be taken. */
  push(weight: number, u: number): boolean {
    if (this.#best === undefined) this.#look(weight, u, -1);
    else this.#pushAhead(weight, u);
    return this.#cuts.length > 0;
  }

  get ready(): boolean {
    return this.#cuts.length > 0;
  }

  /** The next cut that was decided, in order. */
  take(): Cut | undefined {
    return this.#cuts.shift();
  }

  /** The open run at the end of the list, if it has items. The cutter is not to be used after it. */
  end(): Cut | undefined {
    const { size, items, u } = this.#open;
    const end = this.#start + size;
    return items === 0 ? undefined : { end, items, u, decidedAt: end };
  }

  #pushAhead(weight: number, u: number): void {
    const ahead = this.#lookahead;
    ahead.push(weight, u);
    while (this.#next < ahead.count) {
      const index = this.#next++;
      this.#look(ahead.weights[index] as number, ahead.us[index] as number, index);
    }
    if (this.#best === undefined || this.#bestIndex === ahead.count - 1) this.#forget(ahead.count);
  }

  /** @param index the item's place in the lookahead, -1 if it is not there: it is kept only behind a candidate. */
  #look(weight: number, u: number, index: number): void {
    if (this.#mustEndBefore(weight)) this.#cutBefore(weight);
    const open = this.#open;
    open.size += weight;
    open.items++;
    open.u = u;
    if (weight === 0) return;
    this.#solidItems = open.items;
    this.#solidU = u;
    if (open.size >= this.#sizeMin) this.#decide(weight, index);
  }

  #mustEndBefore(weight: number): boolean {
    const { size } = this.#open;
    if (size === 0 || size + weight <= this.#sizeMax) return false;
    return weight > this.#sizeMax || this.#best === undefined;
  }

  #cutBefore(weight: number): void {
    const { size, items, u } = this.#open;
    this.#cut({ size, items: this.#solidItems, u: this.#solidU }, size + weight);
    this.#open = { size: 0, items: items - this.#solidItems, u };
  }

  #decide(weight: number, index: number): void {
    const open = this.#open;
    const key = exponential(open.u) / weight;
    if (open.size > this.#sizeMax) this.#cutAtBest(index);
    else if (key <= (open.size < this.#target ? this.#rateBelow : this.#rateAbove)) this.#cutAfter(index);
    else if (key < this.#bestKey) {
      this.#best = { ...open };
      this.#bestKey = key;
      this.#bestIndex = index;
    }
  }

  #cutAfter(index: number): void {
    this.#cut(this.#open, this.#open.size);
    this.#forget(index + 1);
  }

  #cutAtBest(index: number): void {
    if (this.#best === undefined) {
      this.#cutAfter(index);
      return;
    }
    const resume = this.#bestIndex + 1;
    this.#cut(this.#best, this.#open.size);
    this.#forget(resume);
    this.#next = 0;
  }

  #forget(count: number): void {
    this.#lookahead.dropTo(count);
    this.#next -= count;
    this.#bestIndex = -1;
  }

  #cut({ size, items, u }: Place, decidedSize: number): void {
    this.#cuts.push({ end: this.#start + size, items, u, decidedAt: this.#start + decidedSize });
    this.#start += size;
    this.#open = { size: 0, items: 0, u: 0 };
    this.#best = undefined;
    this.#bestKey = Number.POSITIVE_INFINITY;
    this.#bestIndex = -1;
  }
}

/**
 * The cut rule over a list that is at hand.
 *
 * @param us record hashes, one for each weight; `mix` them first where the list is itself made of cuts.
 * @returns the exclusive end index of each run, the last one being the list's length; empty for an empty list. The last run may weigh 0.
 */
export function cutAll(weights: ArrayLike<number>, us: ArrayLike<number>, target: number): number[] {
  const cutter = new Cutter(target);
  const ends: number[] = [];
  const add = (cut: Cut | undefined): void => void (cut && ends.push((ends.at(-1) ?? 0) + cut.items));
  for (let i = 0; i < weights.length; i++) {
    cutter.push(weights[i] as number, us[i] as number);
    while (cutter.ready) add(cutter.take());
  }
  add(cutter.end());
  return ends;
}
