/** Real tokenizers beside PyPI `tokenizers`, the reference: the same ids, and the same text back. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { PairMerger } from '../../../rules/lib/bpe/merge.ts';
import { loadTokenizer, type Tokenizer } from '../../../rules/lib/tokenizer.ts';
import { bpeEngine } from '../../../rules/lib/tokenizer-contract.ts';
import { nativeTokenizer } from '../../../rules/lib/tokenizer-native.ts';
import { python, runPython } from '../../python.ts';
import { fetchedForTests, realTokenizer } from '../../tokenizers.ts';
import { documentsOf, hardTexts } from './tokenizer-texts.ts';

interface Reference {
  readonly ids: number[];
  readonly special: number[];
  readonly decoded: string;
}

const test = suite('tokenizer reference');
const folder = mkdtempSync(join(tmpdir(), 'dsbuild-reference-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

/** A sample of the corpora of `DSBUILD_CORPUS`, where that is set. */
function corpusTexts(): string[] {
  const corpus = process.env['DSBUILD_CORPUS'];
  return corpus === undefined ? [] : ['docs', 'multilang'].flatMap((name) => documentsOf(join(corpus, `${name}.jsonl`), 100));
}

function addedTokensOf(model: Buffer): string[] {
  const { added_tokens: added } = JSON.parse(model.toString()) as { added_tokens: { content: string }[] };
  const step = Math.ceil(added.length / 100);
  return added.filter((_, i) => i % step === 0).map(({ content }) => content);
}

function referenceOf(interpreter: string, model: string, texts: readonly string[]): Reference[] {
  const file = join(folder, 'texts.json');
  writeFileSync(file, JSON.stringify(texts));
  return runPython(interpreter, 'encode_texts.py', [model, file]) as Reference[];
}

for (const name of ['gpt2', 'llama2', 'llama3', 'qwen2_5', 'gpt4o', 'gemma3']) {
  test(`${name}: ids and decoded text equal the reference's, with and without special tokens`, () => {
    const [path, interpreter] = [realTokenizer(name), python('tokenizers')];
    if (path === undefined || interpreter === undefined) return;
    const model = readFileSync(path);
    const tokenizer = loadTokenizer({ model });
    assert.is(tokenizer.engine, bpeEngine);
    const texts = [...hardTexts(addedTokensOf(model)), ...corpusTexts()];
    const reference = referenceOf(interpreter, path, texts);
    assert.is(reference.length, texts.length);
    for (const [i, { ids, special, decoded }] of reference.entries()) {
      const text = texts[i] as string;
      assert.equal([...tokenizer.encode(text, { addSpecialTokens: false })], ids, JSON.stringify(text.slice(0, 2000)));
      assert.equal([...tokenizer.encode(text, { addSpecialTokens: true })], special, JSON.stringify(text.slice(0, 2000)));
      assert.is(tokenizer.decode(ids, { skipSpecialTokens: false }), decoded, JSON.stringify(text.slice(0, 2000)));
    }
  });
}

test("the native package's ids equal the reference's, behind the same face", async () => {
  const [path, package_, interpreter] = [realTokenizer('llama2'), fetchedForTests('node_modules/tokenizers'), python('tokenizers')];
  if (path === undefined || package_ === undefined || interpreter === undefined) return;
  const model = readFileSync(path);
  const tokenizer = nativeTokenizer(model, JSON.parse(model.toString()) as Record<string, unknown>, package_);
  const own = loadTokenizer({ model });
  assert.is(tokenizer.engine, 'tokenizers@0.23.2');
  assert.equal(
    [tokenizer.vocabularySize, tokenizer.specialTokens, tokenizer.around, tokenizer.idOf('</s>'), tokenizer.idOf('no such')],
    [own.vocabularySize, own.specialTokens, own.around, own.idOf('</s>'), undefined],
  );
  const texts = hardTexts(addedTokensOf(model)).slice(0, 300);
  for (const [i, { ids, special, decoded }] of referenceOf(interpreter, path, texts).entries()) {
    const text = texts[i] as string;
    for (const [addSpecialTokens, expected] of [[false, ids] as const, [true, special] as const]) {
      await tokenizer.prepare?.(text, { addSpecialTokens });
      assert.equal([...tokenizer.encode(text, { addSpecialTokens })], expected, JSON.stringify(text));
    }
    assert.is(tokenizer.decode(ids, { skipSpecialTokens: false }), decoded, JSON.stringify(text));
  }
});

/** Symbols that were given to be merged while a text was encoded. */
function symbolsMerged(tokenizer: Tokenizer, text: string): number {
  const { merge } = PairMerger.prototype;
  let symbols = 0;
  PairMerger.prototype.merge = function counted(ids: Int32Array, count: number): number {
    symbols += count;
    return merge.call(this, ids, count);
  };
  try {
    tokenizer.encode(text, { addSpecialTokens: false });
    return symbols;
  } finally {
    PairMerger.prototype.merge = merge;
  }
}

for (const name of ['gpt2', 'llama2']) {
  test(`${name}: a megabyte of one character, or of a few again and again, is merged about once`, () => {
    const path = realTokenizer(name);
    if (path === undefined) return;
    const tokenizer = loadTokenizer({ model: readFileSync(path) });
    for (const piece of ['a', ' ', 'ab', '👍', '\n', '=', 'é', '漢']) {
      const text = piece.repeat((1 << 20) / Buffer.byteLength(piece));
      const symbols = symbolsMerged(tokenizer, text);
      assert.ok(symbols < 1.5 * (1 << 20), `${JSON.stringify(piece)}: ${symbols} symbols`);
    }
  });
}

test.run();
