/** Nearly every text is of these, and classes of Unicode take a regular expression long to compile. */
const harmless = /^[ -~\u00a1-\u00ac\u00ae-\u02ff\u2010-\u2027\u2030-\u205e\u2100-\u2bff]*$/;
const harmlessLines = /^[\n\t -~\u00a1-\u00ac\u00ae-\u02ff\u2010-\u2027\u2030-\u205e\u2100-\u2bff]*$/;

/** What moves the cursor, ends lines or turns the direction of writing. */
const acting = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

const named: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function escaped(character: string): string {
  const code = character.charCodeAt(0);
  return named[character] ?? (code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`);
}

/** A name as it can stand in a line for people: whoever gave it to a file or a group may have put anything into it. */
export const printedName = (name: string): string => (harmless.test(name) ? name : name.replace(acting, escaped));

const printedLines = (text: string): string =>
  harmlessLines.test(text)
    ? text
    : text.replace(acting, (character) => (character === '\n' || character === '\t' ? character : escaped(character)));

/** These may be of several lines. */
const ofLines: ReadonlySet<string> = new Set(['message', 'hint']);
/** Texts of documents: who shows them says where they begin and end. */
const ofDocuments: ReadonlySet<string> = new Set(['row', 'text', 'texts', 'textBefore', 'pieces']);

/**
 * What is told, for people: all texts in it as they can be printed, names in records too. This is the one room for it; what programs read
 * does not come through here. What needs no change is the same object.
 */
export function forPeople<T>(told: T): T {
  return printed(told, '') as T;
}

function printed(value: unknown, key: string): unknown {
  if (typeof value === 'string') return ofLines.has(key) ? printedLines(value) : printedName(value);
  if (typeof value !== 'object' || value === null || ofDocuments.has(key)) return value;
  if (Array.isArray(value)) return value.some((item) => printed(item, key) !== item) ? value.map((item) => printed(item, key)) : value;
  const record = value as Readonly<Record<string, unknown>>;
  // Every event of every step comes through here, and hardly any needs a copy.
  const isSame = (name: string): boolean => printedName(name) === name && printed(record[name], name) === record[name];
  if (Object.keys(record).every(isSame)) return value;
  return Object.fromEntries(Object.entries(record).map(([name, item]) => [printedName(name), printed(item, name)]));
}
