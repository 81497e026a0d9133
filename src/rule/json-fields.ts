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

/**
 * The fields of a JSON object as they were written, so that numbers that JavaScript can not hold, odd spellings and names such as `__proto__`
 * survive. Of a name that comes twice, the last value counts, as with JSON.parse.
 *
 * @param text one valid JSON object; of anything else the outcome is undefined.
 * Cost: one pass; strings are skipped by native search.
 */
export function fieldsOf(text: string): Map<string, string> {
  const fields = new Map<string, string>();
  let at = find(notSpace, text, text.indexOf('{') + 1);
  while (text[at] === '"') {
    const nameEnd = stringEnd(text, at);
    const name = JSON.parse(text.slice(at, nameEnd)) as string;
    const start = find(notSpace, text, text.indexOf(':', nameEnd) + 1);
    const end = valueEnd(text, start);
    fields.set(name, text.slice(start, end));
    at = find(notSpace, text, end);
    if (text[at] === ',') at = find(notSpace, text, at + 1);
  }
  return fields;
}

/** The JSON object with these fields, in their order. */
export function objectOf(fields: Iterable<readonly [string, string]>): string {
  return `{${Array.from(fields, ([name, value]) => `${JSON.stringify(name)}:${value}`).join(',')}}`;
}
