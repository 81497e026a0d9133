import { publicAddress } from './address.ts';

const charsMax = 80;

const open = (_name: string, value: unknown): unknown => (typeof value === 'string' ? publicAddress(value) : value);

/** JSON, or where a value has none (a circle, a BigInt, a `toJSON` that throws) its kind. */
function textOf(value: unknown): string {
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'bigint') return `${value}n`;
  try {
    return JSON.stringify(value, open) ?? String(value);
  } catch {
    return Array.isArray(value) ? 'a list' : 'an object';
  }
}

/** Any value as a message shows it, shortened, without the secrets of addresses. Never throws: it is called for what the user gave in place of something else. */
export function shownValue(value: unknown): string {
  const shown = textOf(value);
  return shown.length > charsMax ? `${shown.slice(0, charsMax - 3)}...` : shown;
}
