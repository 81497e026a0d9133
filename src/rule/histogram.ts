/** Below this each length has a bucket of its own. */
const exactBelow = 128;
/** Buckets to an octave above: none is wider than a 64th of its lengths. */
const perOctave = exactBelow / 2;
const lengthMax = 0xffff_ffff;

/** The bucket of a length: whole numbers and shifts only, so that every machine counts alike. */
export function bucketOf(length: number): number {
  if (length < exactBelow) return length;
  const counted = Math.min(length, lengthMax);
  const shift = 25 - Math.clz32(counted);
  return shift * perOctave + (counted >>> shift);
}

/** The smallest length of a bucket. */
export function bucketStart(bucket: number): number {
  if (bucket < exactBelow) return bucket;
  const shift = Math.floor(bucket / perOctave) - 1;
  return ((bucket - shift * perOctave) << shift) >>> 0;
}

const bucketCount = bucketOf(lengthMax) + 1;

/** A histogram as plain data: buckets that are not empty and their counts in turn, rising. `min` and `max` are 0 where nothing was counted. */
export interface HistogramData {
  readonly count: number;
  readonly sum: number;
  readonly min: number;
  readonly max: number;
  readonly buckets: readonly number[];
}

/** Counts lengths (whole numbers from 0 on) in buckets. Count, sum, smallest and largest are exact; merging in any order gives the same. */
export class Histogram {
  readonly #counts = new Float64Array(bucketCount);
  #count = 0;
  #sum = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = 0;

  add(length: number): void {
    const bucket = bucketOf(length);
    this.#counts[bucket] = (this.#counts[bucket] as number) + 1;
    this.#count++;
    this.#sum += length;
    if (length < this.#min) this.#min = length;
    if (length > this.#max) this.#max = length;
  }

  merge({ count, sum, min, max, buckets }: HistogramData): void {
    for (let i = 0; i < buckets.length; i += 2) {
      const bucket = buckets[i] as number;
      this.#counts[bucket] = (this.#counts[bucket] as number) + (buckets[i + 1] as number);
    }
    if (count === 0) return;
    this.#count += count;
    this.#sum += sum;
    this.#min = Math.min(this.#min, min);
    this.#max = Math.max(this.#max, max);
  }

  get data(): HistogramData {
    const buckets: number[] = [];
    for (let bucket = 0; bucket < bucketCount; bucket++) {
      const count = this.#counts[bucket] as number;
      if (count > 0) buckets.push(bucket, count);
    }
    return { count: this.#count, sum: this.#sum, min: this.#count === 0 ? 0 : this.#min, max: this.#max, buckets };
  }
}
