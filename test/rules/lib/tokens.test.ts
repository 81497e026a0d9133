import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { decodeTokens, encodeTokens, TokensBuilder } from '../../../rules/lib/tokens.ts';
import { BuildError } from '../../../src/base/errors.ts';

const test = suite('tokens part');
const documentsOf = fc.array(fc.array(fc.nat({ max: 0x7fffffff }), { maxLength: 40 }), { maxLength: 60 });

function built(documents: readonly number[][], many: boolean): TokensBuilder {
  const builder = new TokensBuilder({ tokens: 1, documents: 1 });
  for (const document of documents) {
    if (many) builder.append(document);
    else for (const id of document) builder.push(id);
    builder.endDocument();
  }
  return builder;
}

const isBadPart = (error: Error): boolean => error instanceof BuildError && error.code === 'bad-part' && error.hint !== undefined;
const sample = (): Uint8Array => encodeTokens({ lengths: Uint32Array.of(2, 0, 1), ids: Int32Array.of(5, 6, 7) });

test('documents come out of a part as they were put in, empty ones too', () => {
  fc.assert(
    fc.property(documentsOf, fc.boolean(), (documents, many) => {
      const { lengths, ids } = decodeTokens(built(documents, many).finish());
      assert.equal(
        Array.from(lengths),
        documents.map((document) => document.length),
      );
      assert.equal(Array.from(ids), documents.flat());
    }),
  );
});

test('a decoded part is views on its bytes, unless they start at an odd address', () => {
  const part = sample();
  const decoded = decodeTokens(part);
  assert.is(decoded.ids.buffer, part.buffer);
  assert.is(decoded.lengths.buffer, part.buffer);
  const moved = new Uint8Array(part.length + 1);
  moved.set(part, 1);
  assert.equal(decodeTokens(moved.subarray(1)), decoded);
});

test('the bytes of a part are pinned', () => {
  const words = Array.from(new Uint32Array(sample().slice().buffer));
  assert.equal(words, [0x4b545344, 1, 3, 3, 0, 0, 0, 0, 2, 0, 1, 5, 6, 7]);
  assert.is(Buffer.from(sample().subarray(0, 4)).toString('latin1'), 'DSTK');
});

test('a part that was cut short or made longer is refused', () => {
  const part = sample();
  for (let size = 0; size < part.length; size++) assert.throws(() => decodeTokens(part.subarray(0, size)), isBadPart);
  assert.throws(() => decodeTokens(Uint8Array.of(...part, 0, 0, 0, 0)), isBadPart);
});

test('a part whose header, lengths or sign bits were changed is refused', () => {
  for (let word = 0; word < 11; word++) {
    const part = sample();
    const words = new Int32Array(part.buffer);
    words[word] = (words[word] as number) + 1;
    assert.throws(() => decodeTokens(part), isBadPart, `word ${word}`);
  }
  const part = sample();
  new Int32Array(part.buffer)[12] = -1;
  assert.throws(() => decodeTokens(part), /token 1 has a negative id/);
});

test('lengths that do not add up are not encoded', () => {
  assert.throws(() => encodeTokens({ lengths: Uint32Array.of(2), ids: Int32Array.of(1) }), isBadPart);
});

test('a builder counts what it holds, and leaves out a document that was not ended', () => {
  const builder = built([[1, 2], []], false);
  builder.push(9);
  assert.equal([builder.tokens, builder.documents], [3, 2]);
  assert.equal(builder.view(), { lengths: Uint32Array.of(2, 0), ids: Int32Array.of(1, 2) });
  assert.is(builder.endDocument(), 1);
  assert.equal(builder.view().ids, Int32Array.of(1, 2, 9));
});

test('a builder grows by doubling, not by token', () => {
  const builder = new TokensBuilder({ tokens: 16 });
  const buffers = new Set<ArrayBufferLike>();
  for (let id = 0; id < 10_000; id++) {
    builder.push(id);
    builder.endDocument();
    buffers.add(builder.view().ids.buffer);
  }
  assert.ok(buffers.size <= 11, `${buffers.size} buffers`);
});

test.run();
