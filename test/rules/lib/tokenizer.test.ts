import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadTokenizer, specialTokensOf, type Tokenizer, tokenizerFor } from '../../../rules/lib/tokenizer.ts';
import { huggingfaceEngine } from '../../../rules/lib/tokenizer-contract.ts';
import { isCuttable, segmentsOf } from '../../../rules/lib/tokenizer-cuts.ts';
import { huggingfaceTokenizer } from '../../../rules/lib/tokenizer-huggingface.ts';
import { repaired } from '../../../rules/lib/tokenizer-repairs.ts';
import { mergeLongWord } from '../../../rules/lib/tokenizer-words.ts';
import { BuildError } from '../../../src/base/errors.ts';
import { refusalOfCall } from '../../refusal.ts';

const root = new URL('../../../', import.meta.url);
const read = (path: string): Buffer => readFileSync(new URL(path, root));
const tiny = read('fixtures/tokenizers/tiny/tokenizer.json');
const tinyConfig = read('fixtures/tokenizers/tiny/tokenizer_config.json');
const tinyDefinition = JSON.parse(tiny.toString()) as Record<string, unknown>;
const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
const plain = { addSpecialTokens: false };

const test = suite('tokenizer');
const tokenizer = loadTokenizer({ model: tiny, config: tinyConfig });

test('the engine that goes into keys names the installed version', () => {
  const { version } = JSON.parse(read('node_modules/@huggingface/tokenizers/package.json').toString()) as { version: string };
  assert.ok(huggingfaceEngine.startsWith(`@huggingface/tokenizers@${version}+`));
  assert.is(huggingfaceTokenizer(tinyDefinition).engine, huggingfaceEngine);
});

test('a lone surrogate has the ids of U+FFFD', () => {
  assert.equal(tokenizer.encode('a\ud800b \udc00', plain), tokenizer.encode('a\ufffdb \ufffd', plain));
});

test('decoding gives back any text', () => {
  const text = fc.string({ unit: 'binary', maxLength: 60 });
  fc.assert(fc.property(text, (any) => tokenizer.decode(tokenizer.encode(any, plain), { skipSpecialTokens: false }) === any));
});

test('ids outside the vocabulary are left out of decoded text', () => {
  const [a = -1] = tokenizer.encode('a', plain);
  assert.is(tokenizer.decode([a, 1_000_000, a], { skipSpecialTokens: false }), 'aa');
});

test('truncation and padding that the file asks for are ignored', () => {
  const truncation = { max_length: 2, strategy: 'LongestFirst', stride: 0, direction: 'Right' };
  const truncating = loadTokenizer({ model: json({ ...tinyDefinition, truncation }) });
  assert.equal(truncating.encode('The builder reads a line of text', plain), tokenizer.encode('The builder reads a line of text', plain));
});

test('parts that the file leaves out count as null', () => {
  const { post_processor: _, normalizer: __, ...rest } = tinyDefinition;
  const bare = loadTokenizer({ model: json(rest) });
  assert.equal(bare.encode('The builder', { addSpecialTokens: true }), tokenizer.encode('The builder', plain));
});

test('bytes that are no tokenizer are named with what was seen', () => {
  for (const [bytes, hint] of [
    ['version https://git-lfs.github.com/spec/v1\noid', /git lfs pull/],
    ['<!doctype html>', /web page/],
    ['[1]', /fast/],
    ['{"model":{"type":"Strange"},"pre_tokenizer":null}', /BPE, Unigram/],
    ['{}', /BPE, Unigram/],
  ] as const) {
    const error = refusalOfCall(() => loadTokenizer({ model: Buffer.from(bytes) }));
    assert.is(error.code, 'bad-tokenizer');
    assert.match(error.message, /tokenizer\.json/);
    assert.match(error.hint ?? '', hint);
  }
});

test('a definition whose ids may differ from the reference says so', () => {
  const split = { type: 'Split', pattern: { String: ' ' }, behavior: 'MergedWithPrevious', invert: false };
  assert.match(loadTokenizer({ model: json({ ...tinyDefinition, pre_tokenizer: split }) }).differences.join(), /MergedWithPrevious/);
});

test('a stretch without a place to cut that is over the limit is an error, not a crash', () => {
  for (const engine of [tokenizer, huggingfaceTokenizer(tinyDefinition)])
    assert.is(refusalOfCall(() => engine.encode('='.repeat(8 * 1024 * 1024 + 1), plain)).code, 'text-too-long');
});

test('a long text is cut into segments that make it up again, each but the last at least 64 Ki units', () => {
  const text = 'words, 漢字 and 👍 more\n'.repeat(20_000);
  const segments = [...segmentsOf(text)];
  assert.is(segments.join(''), text);
  assert.ok(segments.length > 2 && segments.slice(0, -1).every((segment) => segment.length >= 64 * 1024));
});

test('ids of a text that is cut equal ids of the uncut text', () => {
  // An added token with lstrip forbids cutting, and these texts do not hold it.
  const added = [...(tinyDefinition['added_tokens'] as object[]), { id: 1_000_000, content: '<none>', lstrip: true, special: true }];
  const uncut = huggingfaceTokenizer({ ...tinyDefinition, added_tokens: added });
  const cut = huggingfaceTokenizer(tinyDefinition);
  const piece = fc.constantFrom('a ', 'é\n', ' ', '\n', "it's ", '漢', '. ', ' 12', '<|pad|>', '  \n ', '👍');
  const text = fc.array(piece, { minLength: 50, maxLength: 200 }).map((pieces) => pieces.join('').repeat(300));
  fc.assert(
    fc.property(
      text,
      (any) => Buffer.compare(Buffer.from(cut.encode(any, plain).buffer), Buffer.from(uncut.encode(any, plain).buffer)) === 0,
    ),
    { numRuns: 8 },
  );
});

test('a tokenizer is cut only where every part of it allows that', () => {
  const cuttable = (change: object): boolean => isCuttable(repaired({ ...tinyDefinition, ...change }));
  assert.ok(cuttable({}));
  assert.ok(cuttable({ normalizer: { type: 'NFC' } }));
  assert.not(cuttable({ normalizer: { type: 'Lowercase' } }));
  assert.not(cuttable({ pre_tokenizer: null }));
  assert.not(cuttable({ pre_tokenizer: { type: 'ByteLevel', add_prefix_space: true, use_regex: true } }));
  assert.not(cuttable({ pre_tokenizer: { type: 'Split', pattern: { Regex: '.+' }, behavior: 'Isolated', invert: false } }));
  assert.not(cuttable({ added_tokens: [{ id: 3, content: 'two words' }] }));
  assert.not(cuttable({ model: { type: 'Unigram' } }));
});

/** Byte-pair encoding as it is defined: the lowest rank first, the leftmost of equals. */
function mergeByDefinition(word: string, ranks: ReadonlyMap<string, number>): string[] {
  const tokens = Array.from(word);
  const rankAt = (at: number): number => ranks.get(`${tokens[at]} ${tokens[at + 1]}`) ?? Number.POSITIVE_INFINITY;
  for (;;) {
    let best = 0;
    for (let at = 1; at + 1 < tokens.length; at++) if (rankAt(at) < rankAt(best)) best = at;
    if (tokens.length < 2 || rankAt(best) === Number.POSITIVE_INFINITY) return tokens;
    tokens.splice(best, 2, `${tokens[best]}${tokens[best + 1]}`);
  }
}

test('a long word merged in windows has the tokens of the whole word, whatever the merges and their order', () => {
  const symbol = fc.constantFrom('a', 'b', '😀', 'aa', 'ab', 'ba', 'aab', 'aaaa', 'abab', 'b😀');
  const merges = fc.array(fc.tuple(symbol, symbol), { maxLength: 14 });
  const word = fc.oneof(
    fc.array(fc.constantFrom('a', 'b', '😀'), { maxLength: 90 }).map((letters) => letters.join('')),
    fc
      .tuple(fc.constantFrom('a', 'ab', 'aab', 'aaab', 'a😀b'), fc.integer({ min: 1, max: 40 }))
      .map(([piece, times]) => piece.repeat(times)),
  );
  fc.assert(
    fc.property(merges, word, fc.integer({ min: 2, max: 20 }), (pairs, any, windowUnits) => {
      const ranks = new Map(pairs.map(([left, right], rank) => [`${left} ${right}`, rank]));
      const merge = (part: string): string[] => mergeByDefinition(part, ranks);
      assert.equal(mergeLongWord(any, { merge, windowUnits }), merge(any));
    }),
    { numRuns: 1500 },
  );
});

test('a megabyte of one character is merged in windows, none of them long', () => {
  let longest = 0;
  const merge = (word: string): string[] => {
    longest = Math.max(longest, word.length);
    return word.match(/.{1,4}/g) ?? [];
  };
  assert.is(mergeLongWord('a'.repeat(1_000_000), { merge, windowUnits: 512 }).length, 250_000);
  assert.is(longest, 512);
});

test('EOS, PAD and BOS come from tokenizer_config.json, spelled as a string or as an object', () => {
  const expected = { eos: tokenizer.idOf('<|endoftext|>'), pad: tokenizer.idOf('<|pad|>'), bos: tokenizer.idOf('<|begin|>') };
  assert.equal(specialTokensOf({ tokenizer, config: tinyConfig }), expected);
});

test('options win over tokenizer_config.json', () => {
  const tokens = specialTokensOf({ tokenizer, config: tinyConfig, eos: '<|pad|>', pad: '<|begin|>', bos: '<|endoftext|>' });
  assert.equal(tokens, { eos: tokenizer.idOf('<|pad|>'), pad: tokenizer.idOf('<|begin|>'), bos: tokenizer.idOf('<|endoftext|>') });
});

test('PAD falls back to EOS, and a BOS that nobody names is none', () => {
  const config = json({ eos_token: '<|endoftext|>', pad_token: null });
  const eos = tokenizer.idOf('<|endoftext|>');
  assert.equal(specialTokensOf({ tokenizer, config }), { eos, pad: eos, bos: undefined });
});

test('without an EOS the error says what was looked at and names candidates', () => {
  const absent = refusalOfCall(() => specialTokensOf({ tokenizer }));
  assert.is(absent.code, 'no-eos');
  assert.match(absent.message, /no tokenizer_config\.json/);
  assert.match(absent.hint ?? '', /`eos`.*"<\|endoftext\|>"/);
  assert.match(refusalOfCall(() => specialTokensOf({ tokenizer, config: json({ eos_token: null }) })).message, /has no eos_token/);
});

test('an unknown token is named with the nearest right one and with where it came from', () => {
  const option = refusalOfCall(() => specialTokensOf({ tokenizer, config: tinyConfig, eos: '<|endoftxt|>' }));
  assert.is(option.code, 'unknown-token');
  assert.match(option.message, /option `eos`.*Did you mean "<\|endoftext\|>"\?/);
  const configured = refusalOfCall(() => specialTokensOf({ tokenizer, config: json({ eos_token: '</s>' }) }));
  assert.match(configured.message, /tokenizer_config\.json names "<\/s>"/);
});

test('a tokenizer is loaded once per digest, and the least recently used is let go', async () => {
  const loads: string[] = [];
  const load = (digest: string) => (): Tokenizer => {
    loads.push(digest);
    return tokenizer;
  };
  for (const digest of ['one', 'two', 'three', 'one', 'four', 'one', 'two']) await tokenizerFor(digest, load(digest));
  assert.equal(loads, ['one', 'two', 'three', 'four', 'two']);
});

test('two steps that ask at once share one load, and a failed load is tried again', async () => {
  let loads = 0;
  const failing = (): Tokenizer => {
    loads++;
    throw new BuildError('bad-tokenizer', { message: 'broken' });
  };
  const outcomes = await Promise.allSettled([tokenizerFor('broken', failing), tokenizerFor('broken', failing)]);
  assert.equal(
    outcomes.map((outcome) => outcome.status),
    ['rejected', 'rejected'],
  );
  assert.is(loads, 1);
  assert.is(await tokenizerFor('broken', () => tokenizer), tokenizer);
});

test.run();
