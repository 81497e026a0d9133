import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { digestHex } from '../../src/base/digest.ts';
import { limits } from '../../src/base/limits.ts';
import { BadRecord, badDocument, DocumentRow, idOf, isBlank, linesOf, parseRecord, rowsOf } from '../../src/rule/documents.ts';

const test = suite('documents');

const bytes = (text: string): Buffer => Buffer.from(text);
const textsOf = (text: string): [number, string][] => [...linesOf(bytes(text))].map(({ index, line }) => [index, line.toString('utf8')]);
const reasonOf = (line: string | Buffer): string | undefined => {
  const parsed = parseRecord(typeof line === 'string' ? bytes(line) : line);
  return (parsed instanceof BadRecord ? parsed : badDocument(parsed))?.reason;
};
const idIn = (line: string): string => new DocumentRow(0, bytes(line)).document.id;

test('lines are what lies between newlines, the last one with or without its own', () => {
  const oracle = (text: string): string[] => (text.endsWith('\n') ? text.slice(0, -1) : text).split('\n');
  const lines = fc.array(fc.constantFrom('', 'a', '\r', '{"text":"x"}', 'ü'), { minLength: 1, maxLength: 9 });
  fc.assert(
    fc.property(lines, fc.boolean(), (list, ends) => {
      const text = `${list.join('\n')}${ends ? '\n' : ''}`;
      assert.equal(
        textsOf(text).map(([, line]) => line),
        text === '' ? [] : oracle(text),
      );
    }),
  );
});

test('a byte order mark before the first line is no part of it, later ones are', () => {
  assert.equal(textsOf('\ufeffa\n\ufeffb\n'), [
    [0, 'a'],
    [1, '\ufeffb'],
  ]);
  assert.equal(textsOf('\ufeff'), []);
});

test('rows of a raw part leave blank lines out and keep their places', () => {
  const rows = [...rowsOf(bytes('{"text":"a"}\r\n \t\r\n\n{"text":"b"}'))];
  assert.equal(
    rows.map(({ record, document }) => [record, document.text]),
    [
      [0, 'a'],
      [3, 'b'],
    ],
  );
  const chosen = [...rowsOf(bytes('x\n\n{"text":"c"}\n'), (record) => record === 2)];
  assert.equal(
    chosen.map(({ record, raw }) => [record, raw['text']]),
    [[2, 'c']],
  );
});

test('spaces, tabs and carriage returns alone are blank', () => {
  for (const blank of ['', ' ', '\t\r', '  \r']) assert.ok(isBlank(bytes(blank)));
  for (const full of ['x', '\u00a0', '\ufeff', ' {}']) assert.not.ok(isBlank(bytes(full)));
});

test('each thing that keeps a line from being a document has its own reason', () => {
  const reasons: readonly (readonly [string | Buffer, string | undefined])[] = [
    ['{"text":"a"}', undefined],
    ['{"text":""}\r', undefined],
    ['{"text":"a","id":5,"id2":[]}', undefined],
    ['{"text":"a","id":null}', undefined],
    ['{"text":', 'not-json'],
    ['\ufeff{"text":"a"}', 'not-json'],
    ['[{"text":"a"}]', 'not-an-object'],
    ['"text"', 'not-an-object'],
    ['null', 'not-an-object'],
    ['{}', 'no-text'],
    ['{"Text":"a"}', 'no-text'],
    ['{"messages":[]}', 'chat-record'],
    ['{"conversations":[{}]}', 'chat-record'],
    ['{"messages":"none"}', 'no-text'],
    ['{"text":5}', 'text-not-a-string'],
    ['{"text":null}', 'text-not-a-string'],
    ['{"text":"a","id":{}}', 'id-not-a-string'],
    ['{"text":"a","id":true}', 'id-not-a-string'],
    [Buffer.concat([bytes('{"text":"'), Buffer.of(0xff), bytes('"}')]), 'invalid-utf8'],
    [Buffer.from('{"text":"a"}', 'utf16le'), 'not-json'],
    [Buffer.alloc(limits.recordBytesMax + 1, 'x'), 'too-long'],
  ];
  for (const [line, reason] of reasons) assert.is(reasonOf(line), reason, line.toString('utf8').slice(0, 60));
});

test('`__proto__` is a field like any other', () => {
  assert.is(reasonOf('{"__proto__":{"text":"a"}}'), 'no-text');
  const row = new DocumentRow(0, bytes('{"text":"a","__proto__":{"x":1}}'));
  assert.ok(Object.hasOwn(row.raw, '__proto__'));
  assert.is((row.document as { x?: number }).x, undefined);
  assert.ok(Object.hasOwn(row.document, '__proto__'));
});

test('no line makes parsing throw', () => {
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 40 }).map(Buffer.from), fc.json().map(bytes)), (line) => {
      const parsed = parseRecord(line);
      if (!(parsed instanceof BadRecord)) badDocument(parsed);
      assert.ok(parsed instanceof BadRecord || typeof parsed === 'object');
    }),
  );
});

test('an id is the given text, a number in its digits, or the digest of the line', () => {
  assert.is(idIn('{"text":"a","id":"x"}'), 'x');
  assert.is(idIn('{"text":"a","id":7}'), '7');
  const line = '{"text":"a"}';
  assert.is(idIn(line), digestHex(line));
  assert.is(idIn(`${line}\r`), digestHex(line));
  for (const none of ['{"text":"a","id":""}', '{"text":"a","id":null}']) assert.is(idIn(none), digestHex(none));
  assert.is(idOf({}, bytes(line)), digestHex(line));
});

test('numbers that JavaScript would round keep their digits as ids, so that no two become one', () => {
  assert.is(idIn('{"text":"a","id":9007199254740993}'), '9007199254740993');
  assert.is(idIn('{"text":"a", "meta":{"id":1}, "id" : 12345678901234567890 }'), '12345678901234567890');
  assert.is(idIn('{"text":"\\"id\\":1","id":1e400}'), '1e400');
  fc.assert(
    fc.property(fc.bigInt(), fc.bigInt(), (a, b) => {
      assert.is(idIn(`{"id":${a},"text":""}`) === idIn(`{"id":${b},"text":""}`), a === b);
      assert.is(idIn(`{"id":${a},"text":""}`), String(a));
    }),
  );
});

test.run();
