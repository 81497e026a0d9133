import { cutAll, cutSalts, mix } from '../../src/base/cut.ts';

/** Aimed at, as a share of the size that is asked for: most runs then end below it. */
const targetShare = 0.77;

export interface Weighed {
  /** Bytes of each pack group. */
  readonly weights: readonly number[];
  /** Hash of each pack group's last record. */
  readonly us: readonly number[];
}

/**
 * Which pack groups share a shard: exclusive end indexes, the last one the list's length.
 *
 * The cut rule with T = 0.77 * `bytesMax` gives runs of up to 2T, and about a quarter of them above `bytesMax`. Those are cut once more,
 * so that the size asked for is a bound, not a hope: only a pack group that alone is larger makes a larger shard. The second cut looks
 * at its own run alone, so that an edit still moves nothing in other runs. (T = `bytesMax` / 2 would need no second cut, but shards
 * would have 0.59 of the size asked for on average, instead of 0.72; a hundred pack groups to a shard.)
 */
export function shardEnds({ weights, us }: Weighed, bytesMax: number): number[] {
  const mixed = us.map((u) => mix(u, cutSalts.shard));
  const ends: number[] = [];
  for (const end of cutAll(weights, mixed, targetShare * bytesMax)) {
    for (let start = ends.at(-1) ?? 0; start < end; start = ends.at(-1) as number) {
      ends.push(endWithin({ weights, us: mixed }, { start, end, bytesMax }));
    }
  }
  return ends;
}

/** Where the first shard of a run ends: after the item of the greatest `u` that leaves a third of the run or more on either side. */
function endWithin({ weights, us }: Weighed, { start, end, bytesMax }: { start: number; end: number; bytesMax: number }): number {
  const total = weights.slice(start, end).reduce((sum, weight) => sum + weight, 0);
  if (total <= bytesMax) return end;
  const sideMax = Math.min(bytesMax, (2 * total) / 3);
  let [best, bestU, last, left] = [0, -1, start + 1, 0];
  for (let i = start; i < end - 1; i++) {
    left += weights[i] as number;
    if (left > bytesMax) break;
    last = i + 1;
    if (left <= sideMax && total - left <= sideMax && (us[i] as number) > bestU) [best, bestU] = [i + 1, us[i] as number];
  }
  return bestU < 0 ? last : best;
}
