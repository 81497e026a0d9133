/** 32 bits after each call, from a seed: a counter that is mixed well (the finisher of MurmurHash3, Appleby 2011). */
function generator(seed: number): () => number {
  let state = Math.imul(seed % 0x1_0000_0000, 0x9e3779b1) ^ Math.floor(seed / 0x1_0000_0000);
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    return (mixed ^ (mixed >>> 16)) >>> 0;
  };
}

const span = 2 ** 53;

/** A whole number below `bound`, each as likely as the others: numbers of an incomplete last round are drawn again. */
function below(bound: number, next: () => number): number {
  const limit = span - (span % bound);
  for (;;) {
    const drawn = (next() >>> 11) * 0x1_0000_0000 + next();
    if (drawn < limit) return drawn % bound;
  }
}

/**
 * Some of the numbers from 0 to `total` - 1, rising: each set of `count` is as likely as any other, and one seed gives one set on every
 * machine. All of them where there are no more. Source: Floyd's algorithm, Bentley 1987, "A sample of brilliance". Cost: O(count log count).
 */
export function drawn(total: number, count: number, seed: number): number[] {
  if (count >= total) return Array.from({ length: total }, (_, i) => i);
  const next = generator(seed);
  const chosen = new Set<number>();
  for (let last = total - count; last < total; last++) {
    const one = below(last + 1, next);
    chosen.add(chosen.has(one) ? last : one);
  }
  return [...chosen].sort((a, b) => a - b);
}
