import { BuildError } from '../../../src/base/errors.ts';

/** A longer word would take about a gigabyte. */
const wordUnitsMax = 8 * 1024 * 1024;

/** @throws {BuildError} `text-too-long` for a word of more than 8 Mi characters */
export function assertNotTooLong(units: number): void {
  if (units <= wordUnitsMax) return;
  throw new BuildError('text-too-long', {
    message: `a text has ${units.toLocaleString('en-US')} characters that are one word to this tokenizer; the limit is ${wordUnitsMax.toLocaleString('en-US')}`,
    hint: 'Split the record before `tokenize`, or drop it with a filter: such texts are mostly encoded binary data.',
  });
}

export function hashOf(units: Uint16Array, start: number, stop: number): number {
  let hash = stop - start;
  for (let at = start; at < stop; at++) hash = Math.imul(hash ^ (units[at] as number), 0x9e3779b1) ^ (hash >>> 15);
  return hash ^ (hash >>> 16);
}
