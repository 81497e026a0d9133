/** Texts on which tokenizers go wrong: seeded, so that each run tries the same. */
import { readFileSync } from 'node:fs';
import { unicodeEdges } from '../../../rules/lib/bpe/unicode-classes.ts';
import { numbers } from '../../source/files.ts';

const root = new URL('../../../', import.meta.url);
const white = [
  ...'\t\n\v\f\r \u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000',
];
const likeWhite = ['\u001c', '\u001d', '\u001e', '\u001f', '\u180e', '\u200b', '\u2060', '\ufeff', '\u2800', '\u3164', '▁'];
const emoji = ['👍', '👍🏽', '👨‍👩‍👧‍👦', '🇩🇪', '🏴󠁧󠁢󠁥󠁮󠁧󠁿', '❤️', '☃', '1️⃣', '🧑🏿‍🚀', '\u200d', '\ufe0f'];
const marks = [
  'e\u0301',
  'e\u0323\u0301',
  'e\u0301\u0323',
  '\u0301',
  'a\u0308\u0323',
  'ẹ\u0301',
  '\u0e01\u0e33',
  '\u0651\u064e',
  'क\u094d\u200d',
  '\u1100\u1161\u11a8',
  '\u0344',
  '\u212b',
];
const surrogates = ['\ud800', '\udc00', '\udbff', '\udfff', '\ud83d', '\udc4d'];
const words = [
  'a',
  'the',
  ' The',
  "it's",
  "IT'S",
  "'ll",
  'naïve',
  'straße',
  'İstanbul',
  'ǅ',
  'где',
  '漢字',
  'かな',
  '한국어',
  'مرحبا',
  'שלום',
  'ไทย',
  'हिन्दी',
  'camelCase',
  'XMLHttp2',
];
const others = [
  '1',
  '12',
  '1234567',
  '٣',
  'Ⅷ',
  '½',
  '²',
  '.',
  '...',
  '!?',
  '://',
  '<',
  '</',
  '> </',
  '|>',
  '{"',
  '_',
  '__',
  '-',
  '\0',
  '\x7f',
  '\ufffd',
  '\uffff',
  '\u{10ffff}',
  '\ue000',
  '\u0378',
];

/** Every code point at which a class of characters begins or ends, each in several surroundings, some dozens to a text. */
function edgeTexts(): string[] {
  const around = unicodeEdges()
    .filter((point) => point < 0xd800 || point > 0xdfff)
    .map((point) => String.fromCodePoint(point))
    .map((character) => `a${character}1 ${character}${character}b`);
  return Array.from({ length: Math.ceil(around.length / 60) }, (_, i) => around.slice(60 * i, 60 * (i + 1)).join('\n'));
}

/** Pieces put together at random; `tokens` are a tokenizer's added ones, whole and cut short. */
function randomTexts(tokens: readonly string[], count: number): string[] {
  const next = numbers(20);
  const pick = (from: readonly string[]): string => from[next() % from.length] as string;
  const cut = tokens.flatMap((token) => [token, token.slice(0, -1), token.slice(1)]);
  const kinds = [white, likeWhite, emoji, marks, surrogates, words, words, others, cut.length > 0 ? cut : words];
  const anything = (): string => String.fromCodePoint(next() % 0x11_0000);
  const piece = (): string => {
    const kind = next() % 24;
    if (kind === 0) return anything();
    if (kind === 1) return pick([...words, ...others, ' ']).repeat(1 + (next() % 40));
    return pick(kinds[kind % kinds.length] as string[]);
  };
  return Array.from({ length: count }, () => Array.from({ length: 1 + (next() % 40) }, piece).join(''));
}

/** Texts of the fixtures, in a dozen scripts, and code. */
function fixtureTexts(): string[] {
  const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');
  const golden = JSON.parse(read('fixtures/tokenizers/golden.json')) as { files: { tiny: { cases: { text: string }[] } } };
  return golden.files.tiny.cases.map(({ text }) => text);
}

const runs = (): string[] =>
  [...'a .1=漢\n👍▁é'].flatMap((character) => [2, 3, 7, 16, 33, 100, 1000].map((times) => character.repeat(times)));

/** Every `step`-th document of a file of JSONL records with `text`. */
export function documentsOf(path: string, step: number): string[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line, i) => line !== '' && i % step === 0)
    .map((line) => (JSON.parse(line) as { text: string }).text);
}

export const hardTexts = (addedTokens: readonly string[]): string[] => [
  ...fixtureTexts(),
  ...runs(),
  ...edgeTexts(),
  ...white.flatMap((one) => [one, `${one}${one}`, `a${one}b`, ` ${one}1`, `${one}\n x`]),
  ...randomTexts(addedTokens, 400),
];
