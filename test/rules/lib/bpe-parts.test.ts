import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { AddedTokenFinder } from '../../../rules/lib/bpe/added-tokens.ts';
import { PairMerger } from '../../../rules/lib/bpe/merge.ts';
import { noRank, PairTable } from '../../../rules/lib/bpe/pair-table.ts';
import { casedScanner, cl100kScanner, type Scanner, scanGpt2 } from '../../../rules/lib/bpe/scanners.ts';
import { classify } from '../../../rules/lib/bpe/unicode-classes.ts';
import { cachedUnitsMax, WordCache } from '../../../rules/lib/bpe/word-cache.ts';

const test = suite('bpe parts');

// The patterns in JavaScript's words; (?i:...) is written out, and \s is Unicode's white space.
const contractions = "'(?:[sSſtTmMdD]|[rR][eE]|[vV][eE]|[lL][lL])";
const lowerWord = '[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+';
const upperWord = '[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*';
const word = '[^\\r\\n\\p{L}\\p{N}]?\\p{L}+';
const symbols = ' ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*';
const symbolsAndSlashes = ' ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*';
const whites = '\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+';
const patterns: Readonly<Record<string, { scan: Scanner; alternatives: string[] }>> = {
  gpt2: {
    scan: scanGpt2,
    alternatives: ["'s|'t|'re|'ve|'m|'ll|'d", ' ?\\p{L}+', ' ?\\p{N}+', ' ?[^\\s\\p{L}\\p{N}]+', '\\s+(?!\\S)|\\s+'],
  },
  cl100k: { scan: cl100kScanner(3), alternatives: [contractions, word, '\\p{N}{1,3}', symbols, whites] },
  qwen: { scan: cl100kScanner(1), alternatives: [contractions, word, '\\p{N}', symbols, whites] },
  o200k: {
    scan: casedScanner({ digitsMax: 3, contractions: true }),
    alternatives: [`${lowerWord}(?:${contractions})?`, `${upperWord}(?:${contractions})?`, '\\p{N}{1,3}', symbolsAndSlashes, whites],
  },
  tekken: {
    scan: casedScanner({ digitsMax: 1, contractions: false }),
    alternatives: [lowerWord, upperWord, '\\p{N}', symbolsAndSlashes, whites],
  },
};

const oneOfAll = fc.constantFrom(...'aAzZéÉǅʰ漢١½\u0301\u0e33𐐀𐐨𠀀𝟘👍𑀀');
const contracted = fc.constantFrom("'", "'s", "'S", "'ſ", "'re", "'Ve", "'LL", "'l", "'d", 'ſ', 's');
const between = fc.constantFrom(
  ' ',
  '  ',
  '\n',
  '\r',
  '\t',
  '\u0085',
  '\u00a0',
  '\u2028',
  '\ufeff',
  '/',
  '.',
  '!',
  '(',
  '1',
  '22',
  '\u200b',
  '👍🏽',
);
const text = fc
  .array(fc.oneof(oneOfAll, contracted, between), { maxLength: 25 })
  .map((pieces) => pieces.join('').replace(/\p{Surrogate}/gu, '\ufffd'));

function scanned(text: string, scan: Scanner): string[] {
  const units = Uint16Array.from(text.split(''), (unit) => unit.charCodeAt(0));
  const classes = new Uint8Array(text.length);
  classify(units, text.length, classes);
  const words: string[] = [];
  for (let at = 0; at < text.length; ) {
    const end = scan({ units, classes }, at, text.length);
    assert.ok(end > at);
    words.push(text.slice(at, end));
    at = end;
  }
  return words;
}

for (const [name, { scan, alternatives }] of Object.entries(patterns)) {
  test(`the scanner of ${name} cuts where its pattern does`, () => {
    const source = alternatives.join('|').replaceAll('\\S', '\\P{White_Space}').replaceAll('\\s', '\\p{White_Space}');
    const pattern = new RegExp(source, 'gu');
    fc.assert(
      fc.property(text, (any) => assert.equal(scanned(any, scan), any.match(pattern) ?? [])),
      { numRuns: 1500 },
    );
  });
}

/** Byte-pair encoding as it is defined: the lowest rank first, the leftmost of equals. */
function mergedByDefinition(ids: readonly number[], pairs: readonly (readonly [number, number, number])[]): number[] {
  const left = [...ids];
  const rankAt = (at: number): number => pairs.findLastIndex(([first, second]) => first === left[at] && second === left[at + 1]);
  for (;;) {
    const ranks = left.slice(1).map((_, at) => rankAt(at));
    const best = ranks.reduce((least, rank) => (rank >= 0 && rank < least ? rank : least), noRank);
    if (best === noRank) return left;
    left.splice(ranks.indexOf(best), 2, pairs[best]?.[2] as number);
  }
}

test('words of any length are merged as byte-pair encoding is defined, whatever the merges and their order', () => {
  const id = fc.integer({ min: 0, max: 5 });
  const pairs = fc.array(fc.tuple(id, id, fc.integer({ min: 3, max: 5 })), { maxLength: 16 });
  const ids = fc.oneof(
    fc.array(fc.integer({ min: 0, max: 2 }), { maxLength: 150 }),
    fc.tuple(id, fc.integer({ min: 1, max: 200 })).map(([one, times]) => Array<number>(times).fill(one)),
  );
  fc.assert(
    fc.property(pairs, ids, (merges, word) => {
      const merger = new PairMerger(new PairTable(Int32Array.from(merges.flat())));
      const work = Int32Array.from(word);
      assert.equal([...work.subarray(0, merger.merge(work, work.length))], mergedByDefinition(word, merges));
    }),
    { numRuns: 500 },
  );
});

test('added tokens are found from the left, the longest of those that begin at one place', () => {
  const finder = new AddedTokenFinder(['<a>', '<a><b>', '> <c', 'x', '<|end|>'].map((content, id) => ({ id, content })));
  const found = (text: string): string[] => finder.find(text).map(({ content, at }) => `${at}${content}`);
  assert.equal(found('<a><b><a><c'), ['0<a><b>', '6<a>']);
  assert.equal(found('<a> <c> <c'), ['0<a>', '6> <c']);
  assert.equal(found('<|end<|end|>xx'), ['5<|end|>', '12x', '13x']);
  assert.equal(found(''), []);
});

test('a remembered word has its own ids, and words seen lately are not forgotten', () => {
  const cache = new WordCache();
  const units = new Uint16Array(8);
  const out = new Int32Array(8);
  const wordOf = (n: number): { units: Uint16Array; start: number; length: number; hash: number } => {
    for (let at = 0; at < 6; at++) units[at + 1] = 97 + ((n >> (3 * at)) & 7);
    // Few hashes, so that words meet.
    return { units, start: 1, length: 6, hash: n % 50_021 };
  };
  const words = 100_000;
  let known = 0;
  for (let n = 0; n < words; n++) {
    const ids = Int32Array.of(-1, n, n + 1);
    if (cache.read(wordOf(n), out, 0) !== 0) assert.unreachable(`word ${n} is known before it was written`);
    cache.write(wordOf(n), ids, { from: 1, count: 1 + (n & 1) });
    if (n < 1000) continue;
    const recent = n - 999;
    if (cache.read(wordOf(recent), out, 2) === 1 + (recent & 1) && out[2] === recent && (!(recent & 1) || out[3] === recent + 1)) known++;
  }
  assert.is(known, words - 1000);
  for (let n = 0; n < words; n += 7) if (cache.read(wordOf(n), out, 0) > 0) assert.is(out[0], n);
});

test('words that are too long to be seen twice are not remembered', () => {
  const cache = new WordCache();
  const word = { units: new Uint16Array(cachedUnitsMax + 1), start: 0, length: cachedUnitsMax + 1, hash: 7 };
  cache.write(word, Int32Array.of(1), { from: 0, count: 1 });
  assert.is(cache.read(word, new Int32Array(1), 0), 0);
});

test.run();
