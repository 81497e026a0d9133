import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { decodeTokens, documentLengths, encodeTokens } from '../../../rules/lib/tokens.ts';
import { TokensBuilder } from '../../../rules/lib/tokens-builder.ts';
import { BuildError } from '../../../src/base/errors.ts';

const test = suite('tokens part');

const idsOf = fc.array(fc.nat({ max: 0x7fffffff }), { maxLength: 40 });
/** Documents as lists of samples; of some nothing could be made. Samples of one document overlap by `stride` tokens. */
const documentsOf = fc.array(fc.array(fc.tuple(idsOf, fc.nat({ max: 3 })), { maxLength: 3 }), { maxLength: 40 });
type Documents = readonly (readonly (readonly [ids: readonly number[], stride: number])[])[];

const tokenizer = '0123456789abcdef'.repeat(4);

interface Expected {
  readonly ids: number[];
  readonly lengths: number[];
  readonly documents: number[];
  readonly starts: number[];
}

function built(documents: Documents, many: boolean): { builder: TokensBuilder; expected: Expected } {
  const builder = new TokensBuilder({ tokens: 1, samples: 1 });
  const expected: Expected = { ids: [], lengths: [], documents: [], starts: [] };
  for (const [d, samples] of documents.entries()) {
    let start = 0;
    for (const [i, [ids, stride]] of samples.entries()) {
      if (i > 0 && start === expected.starts.at(-1)) break;
      if (many) builder.append(ids);
      else for (const id of ids) builder.push(id);
      builder.endSample(d, start);
      expected.ids.push(...ids);
      expected.lengths.push(ids.length);
      expected.documents.push(d);
      expected.starts.push(start);
      start += Math.max(0, ids.length - stride);
    }
  }
  return { builder, expected };
}

const isBadPart = (error: Error): boolean => error instanceof BuildError && error.code === 'bad-part' && error.hint !== undefined;
const whole = (): Uint8Array => encodeTokens({ lengths: Uint32Array.of(2, 0, 1), ids: Int32Array.of(5, 6, 7), tokenizer });
/** Documents 0 (two windows) and 2 of 3. */
const cut = (): Uint8Array =>
  encodeTokens({
    lengths: Uint32Array.of(2, 2, 1),
    ids: Int32Array.of(5, 6, 6, 7, 8),
    documents: 3,
    spans: { documents: Uint32Array.of(0, 0, 2), starts: Uint32Array.of(0, 1, 0) },
    tokenizer,
  });

test('samples come out of a part as they were put in, empty ones too, with their documents and places', () => {
  fc.assert(
    fc.property(documentsOf, fc.boolean(), (documents, many) => {
      const { builder, expected } = built(documents, many);
      const decoded = decodeTokens(builder.finish({ documents: documents.length, tokenizer }));
      assert.equal([Array.from(decoded.lengths), Array.from(decoded.ids)], [expected.lengths, expected.ids]);
      assert.equal([decoded.documents, decoded.tokenizer], [documents.length, tokenizer]);
      const samples = expected.lengths.length;
      const spans = decoded.spans ?? { documents: Uint32Array.from({ length: samples }, (_, s) => s), starts: new Uint32Array(samples) };
      assert.equal([Array.from(spans.documents), Array.from(spans.starts)], [expected.documents, expected.starts]);
    }),
  );
});

test('a part whose samples are whole documents does not spell that out', () => {
  const builder = new TokensBuilder();
  for (const document of [0, 1, 2]) builder.endSample(document);
  const part = builder.finish({ documents: 4 });
  assert.is(decodeTokens(part).spans, undefined);
  assert.is(part.length, (16 + 3) * 4);
});

test('tokens of a document are counted once, whatever its windows share; a document of which nothing was made has none', () => {
  assert.equal(Array.from(documentLengths(decodeTokens(cut()))), [3, -1, 1]);
  assert.equal(Array.from(documentLengths({ ...decodeTokens(whole()), documents: 4 })), [2, 0, 1, -1]);
});

test('a decoded part is views on its bytes, unless they start at an odd address', () => {
  for (const part of [whole(), cut()]) {
    const decoded = decodeTokens(part);
    assert.is(decoded.ids.buffer, part.buffer);
    assert.is(decoded.lengths.buffer, part.buffer);
    const moved = new Uint8Array(part.length + 1);
    moved.set(part, 1);
    assert.equal(decodeTokens(moved.subarray(1)), decoded);
  }
});

test('the bytes of a part are pinned', () => {
  const words = (part: Uint8Array): number[] => Array.from(new Uint32Array(part.slice().buffer));
  const digest = [0x67452301, 0xefcdab89, 0x67452301, 0xefcdab89, 0x67452301, 0xefcdab89, 0x67452301, 0xefcdab89];
  assert.equal(words(whole()), [0x4b545344, 2, 3, 3, 3, 0, 0, 0, ...digest, 2, 0, 1, 5, 6, 7]);
  assert.equal(words(cut()), [0x4b545344, 2, 3, 5, 3, 2, 0, 0, ...digest, 2, 2, 1, 5, 6, 6, 7, 8, 0, 0, 2, 0, 1, 0]);
  assert.is(Buffer.from(whole().subarray(0, 4)).toString('latin1'), 'DSTK');
});

test('a part names the tokenizer that made it, or none', () => {
  assert.is(decodeTokens(cut()).tokenizer, tokenizer);
  assert.is(decodeTokens(encodeTokens({ lengths: Uint32Array.of(), ids: Int32Array.of() })).tokenizer, undefined);
});

test('a part that was cut short or made longer is refused', () => {
  for (const part of [whole(), cut()]) {
    for (let size = 0; size < part.length; size++) assert.throws(() => decodeTokens(part.subarray(0, size)), isBadPart);
    assert.throws(() => decodeTokens(Uint8Array.of(...part, 0, 0, 0, 0)), isBadPart);
  }
});

test('a part whose header, lengths or sign bits were changed is refused', () => {
  for (let word = 0; word < 19; word++) {
    // More documents than samples, and another tokenizer: both could be.
    if (word === 4 || (word >= 8 && word < 16)) continue;
    const part = whole();
    const words = new Int32Array(part.buffer);
    words[word] = (words[word] as number) + 1;
    assert.throws(() => decodeTokens(part), isBadPart, `word ${word}`);
  }
  const part = whole();
  new Int32Array(part.buffer)[20] = -1;
  assert.throws(() => decodeTokens(part), /token 1 has a negative id/);
});

test('samples that do not follow one another are refused', () => {
  const spans = 16 + 3 + 5;
  const wrong: readonly [at: number, value: number][] = [
    [spans, 1], // falls
    [spans + 2, 3], // more than were read
    [spans + 3, 1], // a first sample that begins later
    [spans + 4, 0], // begins where the one before does
    [spans + 4, 3], // leaves a gap
    [spans + 5, 1],
    [4, 2], // fewer documents than the samples name
  ];
  for (const [at, value] of wrong) {
    const part = cut();
    new Uint32Array(part.buffer)[at] = value;
    assert.throws(() => decodeTokens(part), isBadPart, `word ${at} = ${value}`);
  }
  const few = whole();
  new Uint32Array(few.buffer)[4] = 2;
  assert.throws(() => decodeTokens(few), /3 samples of 2 documents/);
});

test('whatever is done to the bytes, a part is refused or is one that could have been written', () => {
  fc.assert(
    fc.property(documentsOf, fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 4 }), (documents, edits) => {
      const { builder } = built(documents, true);
      const bytes = builder.finish({ documents: documents.length, tokenizer });
      for (const [at, value] of edits) bytes[at % bytes.length] = value;
      try {
        assert.equal(Buffer.compare(encodeTokens(decodeTokens(bytes)), bytes), 0);
      } catch (error) {
        assert.ok(isBadPart(error as Error), String(error));
      }
    }),
    { numRuns: 500 },
  );
});

test('lengths that do not add up are not encoded', () => {
  assert.throws(() => encodeTokens({ lengths: Uint32Array.of(2), ids: Int32Array.of(1) }), isBadPart);
});

test('a builder counts what it holds, and leaves out a sample that was not ended', () => {
  const { builder } = built([[[[1, 2], 0]], [[[], 0]]], false);
  builder.push(9);
  assert.equal([builder.tokens, builder.samples], [3, 2]);
  const { lengths, ids } = builder.view();
  assert.equal([lengths, ids], [Uint32Array.of(2, 0), Int32Array.of(1, 2)]);
  builder.endSample(2);
  assert.equal(builder.view().ids, Int32Array.of(1, 2, 9));
});

test('a builder grows by doubling, not by token', () => {
  const builder = new TokensBuilder({ tokens: 16 });
  const buffers = new Set<ArrayBufferLike>();
  for (let id = 0; id < 10_000; id++) {
    builder.push(id);
    builder.endSample(id);
    buffers.add(builder.view().ids.buffer);
  }
  assert.ok(buffers.size <= 11, `${buffers.size} buffers`);
});

test.run();
