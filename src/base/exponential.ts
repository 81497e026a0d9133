/** One is this many units: the logarithm is kept as a whole number of 2^-40. */
export const exponentialUnit = 0x100_0000_0000;

const intervals = 4096;
const seriesTerms = 24;

/**
 * ln(1 + i / 4096) in units of 2^-40. `Math.log` may differ between engines in its last bits; the series 2 atanh(i / (8192 + i)) needs
 * nothing but + * /, which IEEE 754 rounds alike on every machine, and its 24 terms are exact far below one unit.
 */
function logarithms(): Float64Array {
  const table = new Float64Array(intervals + 1);
  for (let i = 0; i <= intervals; i++) {
    const z = i / (2 * intervals + i);
    let power = z;
    let sum = 0;
    for (let term = 0; term < seriesTerms; term++) {
      sum += power / (2 * term + 1);
      power *= z * z;
    }
    table[i] = Math.round(2 * sum * exponentialUnit);
  }
  return table;
}

/** Made when it is first asked for: a build with nothing to do cuts nothing. */
let table: Float64Array | undefined;

/** intervals / 2^exponent, by halving: `**` is not the same on all versions of Node. */
function scales(): Float64Array {
  const list = new Float64Array(33);
  let scale = intervals;
  for (let exponent = 0; exponent < list.length; exponent++, scale /= 2) list[exponent] = scale;
  return list;
}

const scaleOf = scales();

/**
 * An exponential variate with mean one from 32 uniform bits: -ln((u + 1/2) / 2^32), in units of 2^-40, a whole number.
 *
 * Between the table's 4,097 points it is linear, so it is within 1.3e-4 of the true value, relative, and one unit at every `u`; it never
 * rises as `u` grows, and is the same on every machine. It serves two ends: `exponential(u) <= length * rate` holds with probability 1 - exp(-length * rate), and
 * the smallest `exponential(u) / length` of some records is at each with a probability in proportion to its length.
 */
export function exponential(u: number): number {
  table ??= logarithms();
  const odd = 2 * u + 1;
  const exponent = 32 - Math.clz32(u);
  const position = odd * (scaleOf[exponent] as number) - intervals;
  const index = Math.floor(position);
  const low = table[index] as number;
  const logarithm = Math.floor(low + ((table[index + 1] as number) - low) * (position - index));
  return (33 - exponent) * (table[intervals] as number) - logarithm;
}
