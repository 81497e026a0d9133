/** Index behind the closing quote of the string that begins at `start`. */
function stringEnd(text: string, start: number): number {
  for (let quote = text.indexOf('"', start + 1); ; quote = text.indexOf('"', quote + 1)) {
    let backslashes = 0;
    while (text[quote - 1 - backslashes] === '\\') backslashes++;
    if (backslashes % 2 === 0) return quote + 1;
  }
}

const structural = /["[\]{}]/g;
const afterScalar = /[\s,}]|$/g;
const notSpace = /[^ \t\r\n]/g;

function find(pattern: RegExp, text: string, from: number): number {
  pattern.lastIndex = from;
  return pattern.exec(text)?.index ?? text.length;
}

function nestedEnd(text: string, start: number): number {
  let depth = 0;
  for (let at = start; ; ) {
    at = find(structural, text, at);
    const sign = text[at];
    if (sign === '"') at = stringEnd(text, at);
    else {
      depth += sign === '{' || sign === '[' ? 1 : -1;
      at++;
      if (depth === 0) return at;
    }
  }
}

function valueEnd(text: string, start: number): number {
  const first = text[start];
  if (first === '"') return stringEnd(text, start);
  return first === '{' || first === '[' ? nestedEnd(text, start) : find(afterScalar, text, start);
}

/** Where a value stands in its text, its end not included. */
export interface JsonSpan {
  readonly start: number;
  readonly end: number;
}

/**
 * Where the values of a JSON object stand, by name, so that one can be replaced without touching a byte beside it. Of a name that comes
 * twice, the last value counts, as with JSON.parse.
 *
 * @param text one valid JSON object; of anything else the outcome is undefined.
 * Cost: one pass; strings are skipped by native search.
 */
export function spansOf(text: string): Map<string, JsonSpan> {
  const spans = new Map<string, JsonSpan>();
  let at = find(notSpace, text, text.indexOf('{') + 1);
  while (text[at] === '"') {
    const nameEnd = stringEnd(text, at);
    const name = JSON.parse(text.slice(at, nameEnd)) as string;
    const start = find(notSpace, text, text.indexOf(':', nameEnd) + 1);
    const end = valueEnd(text, start);
    spans.set(name, { start, end });
    at = find(notSpace, text, end);
    if (text[at] === ',') at = find(notSpace, text, at + 1);
  }
  return spans;
}

/**
 * The fields of a JSON object as they were written, so that numbers that JavaScript can not hold, odd spellings and names such as `__proto__`
 * survive. What it takes and costs: see `spansOf`.
 */
export function fieldsOf(text: string): Map<string, string> {
  return new Map(Array.from(spansOf(text), ([name, { start, end }]) => [name, text.slice(start, end)] as const));
}

/** The JSON object with one value set, in its place or, if it is new, as the last; all else is the same to the byte. */
export function withField(text: string, name: string, json: string): string {
  const spans = spansOf(text);
  const span = spans.get(name);
  if (span) return text.slice(0, span.start) + json + text.slice(span.end);
  const end = text.lastIndexOf('}');
  return `${text.slice(0, end)}${spans.size === 0 ? '' : ','}${JSON.stringify(name)}:${json}${text.slice(end)}`;
}

/** The JSON object with these fields, in their order. */
export function objectOf(fields: Iterable<readonly [string, string]>): string {
  return `{${Array.from(fields, ([name, value]) => `${JSON.stringify(name)}:${value}`).join(',')}}`;
}
