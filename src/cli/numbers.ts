import { BuildError } from '../base/errors.ts';

/** A whole number from a flag. @throws {BuildError} `usage` */
export function wholeNumber(flag: string, text: string | undefined, min: number): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text.replaceAll('_', ''));
  if (text.trim() !== '' && Number.isSafeInteger(value) && value >= min) return value;
  throw new BuildError('usage', {
    message: `${flag} must be a whole number, at least ${min}, but is "${text}"`,
    hint: `For example ${flag} ${Math.max(min, 4)}.`,
  });
}
