import { unassignedRanges } from './unicode-classes.ts';
import { strangersToNfc } from './unicode-data.ts';

/**
 * NFC as the reference has it. Its tables are older than those of Node: code points that it does not know stand still and keep what is on
 * their two sides apart, so the stretches between them are normalized one by one.
 *
 * @param text well-formed
 */
export function nfc(text: string): string {
  strangers ??= strangersPattern();
  if (!beyondLatin.test(text)) return text;
  if (text.search(strangers) < 0) return text.normalize('NFC');
  return text
    .split(strangers)
    .map((stretch) => stretch.normalize('NFC'))
    .join('');
}

/** Below U+0300 nothing composes. */
const beyondLatin = /[\u0300-\uffff]/;

let strangers: RegExp | undefined;

function strangersPattern(): RegExp {
  const known = strangersToNfc.split(' ').map((range) => range.split('-').map((text) => Number.parseInt(text, 16)));
  const ranges = [...known, ...unassignedRanges()].map(([first = 0, last = first]) => `${escaped(first)}-${escaped(last)}`);
  // The group keeps the stranger itself among the stretches; normalizing it alone changes nothing.
  return new RegExp(`([${ranges.join('')}])`, 'u');
}

const escaped = (codePoint: number): string => `\\u{${codePoint.toString(16)}}`;
