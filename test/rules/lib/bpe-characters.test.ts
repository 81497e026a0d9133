import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { bpeTokenizer, whyNotBpe } from '../../../rules/lib/bpe/bpe-tokenizer.ts';
import type { Tokenizer } from '../../../rules/lib/tokenizer.ts';

interface Case {
  ids: number[];
  special: number[];
  decoded: string;
  skipped?: string;
}

type Change = Record<string, unknown> & { ignoreMerges?: boolean };
type Base = Record<string, unknown> & { added_tokens: object[]; model: { vocab: Record<string, number>; merges: [string, string][] } };

const file = new URL('../../../fixtures/tokenizers/characters.json', import.meta.url);
const golden = JSON.parse(readFileSync(file, 'utf8')) as {
  base: Base;
  texts: string[];
  variants: Record<string, { change: Change; cases: Case[] }>;
};
const { base } = golden;
const plain = { addSpecialTokens: false };

const test = suite('bpe of characters');

function own(definition: Record<string, unknown>): Tokenizer {
  const tokenizer = bpeTokenizer(definition);
  if (!tokenizer) throw new Error(`not represented: ${whyNotBpe(definition)}`);
  return tokenizer;
}

function changed({ ignoreMerges, ...change }: Change): Record<string, unknown> {
  const merges = base.model.merges.filter((_, i) => i % 2 === 0);
  return { ...base, ...change, ...(ignoreMerges && { model: { ...base.model, ignore_merges: true, merges } }) };
}

for (const [name, { change, cases }] of Object.entries(golden.variants)) {
  test(`${name}: ids equal the reference's, with and without special tokens, and so does the text that they give back`, () => {
    const tokenizer = own(changed(change));
    assert.is(cases.length, golden.texts.length);
    for (const [i, { ids, special, decoded, skipped = decoded }] of cases.entries()) {
      const text = golden.texts[i] as string;
      assert.equal([...tokenizer.encode(text, plain)], ids, JSON.stringify(text));
      assert.equal([...tokenizer.encode(text, { addSpecialTokens: true }).subarray(0, 2)], special, JSON.stringify(text));
      assert.is(tokenizer.decode(ids, { skipSpecialTokens: false }), decoded, JSON.stringify(text));
      assert.is(tokenizer.decode(ids, { skipSpecialTokens: true }), skipped, JSON.stringify(text));
    }
  });
}

/** Byte-pair encoding of a whole text as it is defined: characters or their bytes, then the lowest rank first, the leftmost of equals. */
function encodedByDefinition(
  text: string,
  vocab: Readonly<Record<string, number>>,
  merges: readonly (readonly [string, string])[],
): number[] {
  const bytesOf = (character: string): string[] =>
    [...Buffer.from(character)].map((byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`);
  const tokens = Array.from(text).flatMap((character) => (character in vocab ? [character] : bytesOf(character)));
  for (;;) {
    const ranks = tokens.slice(1).map((right, at) => merges.findLastIndex((merge) => merge[0] === tokens[at] && merge[1] === right));
    const best = Math.min(...ranks.filter((rank) => rank >= 0));
    if (best === Number.POSITIVE_INFINITY) return tokens.map((token) => vocab[token] as number);
    const at = ranks.indexOf(best);
    tokens.splice(at, 2, `${tokens[at]}${tokens[at + 1]}`);
  }
}

const letters = ['a', 'b', '▁', 'é', '👍', '.'];
const token = fc.array(fc.constantFrom(...letters), { minLength: 1, maxLength: 3 }).map((all) => all.join(''));
const bytes = Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`);

test('a text cut where no merge can cross has the ids of the whole text, whatever the merges and their order', () => {
  const merges = fc.array(fc.tuple(token, token), { maxLength: 20 });
  const text = fc.array(fc.oneof(fc.constantFrom(...letters, ' ', 'x', '漢', '👎'), token), { maxLength: 40 }).map((all) => all.join(''));
  fc.assert(
    fc.property(merges, fc.array(text, { minLength: 1, maxLength: 4 }), (pairs, texts) => {
      const all = [...bytes, ...letters, ...pairs.flatMap(([left, right]) => [left, right, left + right])];
      const vocab = Object.fromEntries([...new Set(all)].map((one, id) => [one, id]));
      const tokenizer = own({ ...base, added_tokens: [], post_processor: null, model: { ...base.model, vocab, merges: pairs } });
      // Again and again: words come from the cache the second time.
      for (const any of [...texts, ...texts]) {
        assert.equal([...tokenizer.encode(any, plain)], encodedByDefinition(any.replaceAll(' ', '▁'), vocab, pairs), JSON.stringify(any));
      }
    }),
    { numRuns: 400 },
  );
});

test('an added token of one character is no character of the model', () => {
  const id = Object.keys(base.model.vocab).length;
  const llama = changed(golden.variants['llama2']?.change ?? {});
  const tokenizer = own({ ...llama, added_tokens: [...base.added_tokens, { id, content: '$', normalized: true, special: false }] });
  const byte = base.model.vocab['<0x24>'] as number;
  // As the reference has it: it looks for the token with the bar that the normalizer puts before it.
  assert.equal([...tokenizer.encode('a $$', plain)].slice(-2), [id, byte]);
});

test('a megabyte that is one word has the ids that its short form has', () => {
  const tokenizer = own(base);
  const [short] = tokenizer.encode('aaaa', plain);
  const ids = tokenizer.encode('a'.repeat(1 << 20), plain);
  assert.is(ids.length, 1 << 18);
  assert.ok(ids.every((id) => id === short));
});

test('a definition of this kind is represented exactly or not at all, and the reason is said', () => {
  assert.is(whyNotBpe(base), undefined);
  const metaspace = { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true };
  const model = (change: object): object => ({ model: { ...base.model, ...change } });
  const without = Object.fromEntries(Object.entries(base.model.vocab).filter(([one]) => one !== '<0xE2>'));
  const others: Readonly<Record<string, [change: object, reason: string]>> = {
    'a byte without token': [model({ vocab: without }), 'bytes without a token'],
    'bytes that merge': [
      model({ vocab: { ...base.model.vocab, '<0x41>a': 9000 }, merges: [['<0x41>', 'a']] }),
      'merges of tokens that stand for bytes',
    ],
    'another normalizer': [{ normalizer: { type: 'NFKC' } }, 'a normalizer of type NFKC'],
    'another replacement': [{ normalizer: { type: 'Replace', pattern: { String: 'a' }, content: 'b' } }, 'a normalizer of type Replace'],
    'two prefixes': [{ normalizer: { type: 'Prepend', prepend: '▁' }, pre_tokenizer: metaspace }, 'a Metaspace in a form unknown here'],
    'an old Metaspace': [{ pre_tokenizer: { ...metaspace, split: undefined } }, 'a Metaspace in a form unknown here'],
    'a split at spaces that are there': [
      { normalizer: null, pre_tokenizer: { type: 'Split', pattern: { String: ' ' }, behavior: 'Isolated' } },
      'a pre-tokenizer of type Split',
    ],
    'another decoder': [{ decoder: { type: 'Metaspace' } }, 'a decoder unknown here'],
    Unigram: [model({ type: 'Unigram' }), 'a Unigram model'],
    'ignored merges of split words': [
      { ...model({ ignore_merges: true }), pre_tokenizer: metaspace },
      'ignore_merges together with a Metaspace that splits',
    ],
    rstrip: [
      { added_tokens: [{ id: 0, content: '<unk>', rstrip: true, special: true }] },
      'an added token that takes white space with it (lstrip, rstrip)',
    ],
  };
  for (const [name, [change, reason]] of Object.entries(others)) {
    assert.is(whyNotBpe({ ...base, ...change }), reason, name);
    assert.is(bpeTokenizer({ ...base, ...change }), undefined, name);
  }
});

test.run();
