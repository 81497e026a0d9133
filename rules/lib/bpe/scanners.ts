import { caseless, digit, lower, mark, newline, space, symbol, upper, white } from './unicode-classes.ts';

/** UTF-16 units of a text, and the class of each (see `classify`). Both may be longer than the text. */
export interface ClassifiedText {
  units: Uint16Array;
  classes: Uint8Array;
}

/**
 * A pre-tokenizer's pattern as a function: the end of the match that begins at `at` in the text that ends at `end`.
 * The patterns written here match at every place, so matches lie side by side.
 */
export type Scanner = (text: ClassifiedText, at: number, end: number) => number;

const setOf = (...classes: readonly number[]): number => classes.reduce((bits, one) => bits | (1 << one), 0);
const letters = setOf(upper, lower, caseless);
const symbols = setOf(symbol, mark);
const whites = setOf(white, space, newline);
/** `[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]` and `[\p{Ll}\p{Lm}\p{Lo}\p{M}]` */
const upperish = setOf(upper, caseless, mark);
const lowerish = setOf(lower, caseless, mark);
const eitherCase = setOf(caseless, mark);
/** `[^\r\n\p{L}\p{N}]` */
const beforeWord = setOf(symbol, white, space, mark);

const has = (set: number, one: number | undefined): boolean => ((set >> (one as number)) & 1) === 1;

/** A function that gives the end of a run of these classes, which may be empty. */
const runOf =
  (set: number) =>
  (classes: Uint8Array, from: number, end: number): number => {
    let at = from;
    while (at < end && has(set, classes[at])) at++;
    return at;
  };

const lettersEnd = runOf(letters);
const digitRunEnd = runOf(setOf(digit));
const symbolsEnd = runOf(symbols);
const whitesEnd = runOf(whites);
const newlinesEnd = runOf(setOf(newline));
const upperishEnd = runOf(upperish);
const lowerishEnd = runOf(lowerish);

const widthAt = (units: Uint16Array, at: number): number => (((units[at] as number) & 0xfc00) === 0xd800 ? 2 : 1);

const apostrophe = 0x27;
const slash = 0x2f;
const longS = 0x17f;
const codeOf = (letter: string): number => letter.charCodeAt(0);
const [codeD, codeE, codeL, codeM, codeR, codeS, codeT, codeV] = ['d', 'e', 'l', 'm', 'r', 's', 't', 'v'].map(codeOf);

/** Units of `'s|'t|'re|'ve|'m|'ll|'d` at an apostrophe, 0 if it is none of them. */
function contraction(units: Uint16Array, at: number, end: number): number {
  const second = at + 1 < end ? units[at + 1] : 0;
  if (second === codeS || second === codeT || second === codeM || second === codeD) return 2;
  const third = at + 2 < end ? units[at + 2] : 0;
  return ((second === codeR || second === codeV) && third === codeE) || (second === codeL && third === codeL) ? 3 : 0;
}

/** The same under `(?i:...)`, where the long s is an s. */
function contractionAnyCase(units: Uint16Array, at: number, end: number): number {
  const second = at + 1 < end ? (units[at + 1] as number) : 0;
  if (second === longS) return 2;
  const folded = second | 0x20;
  if (second > 0x7f) return 0;
  if (folded === codeS || folded === codeT || folded === codeM || folded === codeD) return 2;
  const third = at + 2 < end ? (units[at + 2] as number) : 0;
  if (third > 0x7f) return 0;
  const foldedThird = third | 0x20;
  return ((folded === codeR || folded === codeV) && foldedThird === codeE) || (folded === codeL && foldedThird === codeL) ? 3 : 0;
}

/** `\s+(?!\S)|\s+`: a run of white space, without its last character if something follows and it is not alone. */
function whiteEnd(classes: Uint8Array, at: number, end: number): number {
  const stop = whitesEnd(classes, at, end);
  return stop < end && stop - at > 1 ? stop - 1 : stop;
}

/** `\s*[\r\n]+|\s+(?!\S)|\s+` */
function whiteOrLinesEnd(classes: Uint8Array, at: number, end: number): number {
  let stop = at;
  let afterNewline = -1;
  while (stop < end && has(whites, classes[stop])) {
    if (classes[stop] === newline) afterNewline = stop + 1;
    stop++;
  }
  if (afterNewline >= 0) return afterNewline;
  return stop < end && stop - at > 1 ? stop - 1 : stop;
}

/** GPT-2: `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+` */
export const scanGpt2: Scanner = ({ units, classes }, at, end) => {
  if (units[at] === apostrophe) {
    const length = contraction(units, at, end);
    if (length > 0) return at + length;
  }
  const start = classes[at] === space && at + 1 < end ? at + 1 : at;
  const first = classes[start];
  if (has(letters, first)) return lettersEnd(classes, start + 1, end);
  if (first === digit) return digitRunEnd(classes, start + 1, end);
  return has(symbols, first) ? symbolsEnd(classes, start + 1, end) : whiteEnd(classes, at, end);
};

/** `\p{N}{1,max}` at a digit. */
function digitsEnd({ units, classes }: ClassifiedText, at: number, { end, digitsMax }: { end: number; digitsMax: number }): number {
  let stop = at + widthAt(units, at);
  for (let digits = 1; digits < digitsMax && stop < end && classes[stop] === digit; digits++) stop += widthAt(units, stop);
  return stop;
}

/**
 * cl100k, Llama 3 (`digitsMax` 3), Qwen 2 (1):
 * `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,max}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
 */
export function cl100kScanner(digitsMax: number): Scanner {
  return (text, at, end) => {
    const { units, classes } = text;
    const first = classes[at] as number;
    if (has(letters, first)) return lettersEnd(classes, at + 1, end);
    if (units[at] === apostrophe) {
      const length = contractionAnyCase(units, at, end);
      if (length > 0) return at + length;
    }
    if (first === digit) return digitsEnd(text, at, { end, digitsMax });
    if (has(beforeWord, first)) {
      const next = at + widthAt(units, at);
      if (next < end && has(letters, classes[next])) return lettersEnd(classes, next, end);
    }
    const start = first === space && at + 1 < end ? at + 1 : at;
    if (!has(symbols, classes[start])) return whiteOrLinesEnd(classes, at, end);
    return newlinesEnd(classes, symbolsEnd(classes, start, end), end);
  };
}

/** `[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+`: the end, or -1. */
function lowerWordEnd(classes: Uint8Array, at: number, end: number): number {
  const uppers = upperishEnd(classes, at, end);
  const lowers = lowerishEnd(classes, uppers, end);
  if (lowers > uppers) return lowers;
  // The first part gives characters back until one that belongs to both is left for the second.
  for (let last = uppers - 1; last >= at; last--) if (has(eitherCase, classes[last])) return last + 1;
  return -1;
}

/** `[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*`: the end, or -1. */
function upperWordEnd(classes: Uint8Array, at: number, end: number): number {
  const uppers = upperishEnd(classes, at, end);
  return uppers === at ? -1 : lowerishEnd(classes, uppers, end);
}

/** Both kinds of words, each with `[^\r\n\p{L}\p{N}]?` before it: the end, or -1. */
function casedWordEnd({ units, classes }: ClassifiedText, at: number, end: number): number {
  const after = has(beforeWord, classes[at]) ? at + widthAt(units, at) : -1;
  let stop = -1;
  if (after >= 0) stop = lowerWordEnd(classes, after, end);
  if (stop < 0) stop = lowerWordEnd(classes, at, end);
  if (stop < 0 && after >= 0) stop = upperWordEnd(classes, after, end);
  return stop < 0 ? upperWordEnd(classes, at, end) : stop;
}

export interface CasedPattern {
  digitsMax: number;
  /** Whether a contraction belongs to the word before it: `(?i:'s|'t|'re|'ve|'m|'ll|'d)?` */
  contractions: boolean;
}

/** o200k, Llama 4, Mistral Nemo: words begin where the case rises; ` ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+` for the rest. */
export function casedScanner({ digitsMax, contractions }: CasedPattern): Scanner {
  return (text, at, end) => {
    const { units, classes } = text;
    const first = classes[at] as number;
    if (first === digit) return digitsEnd(text, at, { end, digitsMax });
    const word = casedWordEnd(text, at, end);
    if (word >= 0) return contractions && word < end && units[word] === apostrophe ? word + contractionAnyCase(units, word, end) : word;
    const start = first === space && at + 1 < end ? at + 1 : at;
    if (!has(symbols, classes[start])) return whiteOrLinesEnd(classes, at, end);
    let stop = symbolsEnd(classes, start, end);
    while (stop < end && (classes[stop] === newline || units[stop] === slash)) stop++;
    return stop;
  };
}
