import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { fold } from '../../src/cli/fold.ts';
import { blockOf } from '../../src/cli/show-head.ts';
import type { HeadRow } from '../../src/engine/api.ts';
import { coloured, uncoloured } from '../../src/report/colour.ts';
import { widthOf } from '../../src/report/width.ts';

const test = suite('head for people');

const shown = (found: HeadRow, columns = 60): string[] => blockOf(found, { paint: uncoloured, columns });

test('a document is a block: where it is, then field by field, long texts folded and cut', () => {
  const text = `first line\n${'a word '.repeat(200)}`;
  const lines = shown({ group: 'web/a', place: 'clean:7', reason: 'too-long', row: { id: 'd1', text, metadata: { a: [1] } } });
  assert.equal(lines.slice(0, 3), ['clean:7  web/a  too-long', '  id        d1', '  text      first line']);
  assert.is(lines[3], `            ${'a word '.repeat(7).trim()}`);
  assert.ok(lines.includes('            … 1,411 characters in all'));
  assert.equal(lines.slice(-3), ['  metadata  {"a":[1]}', '', '']);
});

const packed: HeadRow = {
  group: 'web/a',
  place: 'shards:0',
  row: { input_ids: [5, 6, 0, 7, 8, 1, 1], attention_mask: [1, 1, 1, 1, 1, 0, 0], labels: [6, 0, -100, 8, -100, -100, -100] },
  texts: [' the', '\n', '</s>', 'x', 'y', '<pad>', '<pad>'],
  pieces: [
    { is: 'document', from: 0, to: 3, ends: true, text: ' the\n</s>' },
    { is: 'document', from: 3, to: 5, ends: false, text: 'xy' },
    { is: 'padding', from: 5, to: 7 },
  ],
};

test('a training row shows each document with its text, its ids with theirs, masked labels in brackets, and padding', () => {
  assert.equal(shown(packed, 78), [
    'shards:0  web/a  7 tokens, 2 documents, 2 of padding, 2 labels masked, in ( )',
    '  document 1  0-2, 3 tokens',
    '     the',
    '    </s>',
    '    5:␣the  6:⏎  (0:</s>)',
    '  document 2  3-4, 2 tokens, no end of document',
    '    xy',
    '    7:x  (8:y)',
    '  padding  5-6, 2 tokens of id 1',
    '',
    '',
  ]);
});

test('without a tokenizer ids stand alone', () => {
  const { texts: _, pieces = [], ...rest } = packed;
  const lines = shown({ ...rest, pieces: pieces.map(({ text: _text, ...piece }) => piece) });
  assert.ok(lines.includes('    5  6  (0)'));
});

test('no line is wider than the terminal, and nothing in a text reaches it as a control', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 400 }), fc.integer({ min: 40, max: 100 }), (text, columns) => {
      const found: HeadRow = {
        group: 'a/b',
        place: 'x:1',
        row: { text, ids: [1] },
        texts: [text.slice(0, 5)],
        pieces: [{ is: 'document', from: 0, to: 1, text }],
      };
      const { pieces: _, texts: _texts, ...document } = found;
      for (const line of [...shown(found, columns), ...shown(document, columns)]) {
        assert.ok(widthOf(line) <= columns, line);
        assert.not.match(line, /\p{Cc}/u);
      }
    }),
  );
});

test('colours add nothing but colours: without them the same words are there', () => {
  const plain = (line: string): string => line.replaceAll(new RegExp(`${String.fromCharCode(27)}\\[\\d+m`, 'g'), '');
  assert.equal(blockOf(packed, { paint: coloured, columns: 78 }).map(plain), shown(packed, 78));
});

test('a fold breaks at blanks where it can, and inside words where it must', () => {
  assert.equal(fold('one two three', { columns: 8, linesMax: 5 }), { lines: ['one two', 'three'], isCut: false });
  assert.equal(fold('abcdefghij', { columns: 4, linesMax: 5 }), { lines: ['abcd', 'efgh', 'ij'], isCut: false });
  assert.equal(fold('日本語', { columns: 4, linesMax: 1 }), { lines: ['日本'], isCut: true });
});

test.run();
