import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { BuildError } from '../../src/base/errors.ts';
import { decodeView, emptyBitmap, encodeView, isSelected, select } from '../../src/rule/view.ts';
import { digest } from './codecs.ts';

const test = suite('view');

const isDamaged = (error: unknown): boolean => error instanceof BuildError && error.code === 'bad-part';
const selection = fc
  .nat({ max: 70 })
  .chain((records) => fc.tuple(fc.constant(records), fc.uniqueArray(fc.nat({ max: Math.max(0, records - 1) }), { maxLength: records })));

test('exactly the records that were selected are selected, also after coming back from bytes', () => {
  fc.assert(
    fc.property(digest, selection, (base, [records, selected]) => {
      const bitmap = emptyBitmap(records);
      for (const record of selected) select(bitmap, record);
      const view = decodeView(encodeView({ base, records, bitmap }));
      assert.equal([view.base, view.records], [base, records]);
      const found = Array.from({ length: records + 20 }, (_, record) => record).filter((record) => isSelected(view, record));
      assert.equal(
        found,
        [...selected].sort((a, b) => a - b),
      );
    }),
  );
});

test('a view that is cut off anywhere, or is too long, is damaged', () => {
  const bytes = encodeView({ base: 'a'.repeat(64), records: 17, bitmap: emptyBitmap(17) });
  for (let length = 0; length < bytes.length; length++) assert.throws(() => decodeView(bytes.subarray(0, length)), isDamaged);
  assert.throws(() => decodeView(Buffer.concat([bytes, Buffer.of(0)])), isDamaged);
  assert.throws(() => decodeView(Buffer.from('{"text":"a line"}\n')), isDamaged);
  assert.throws(() => decodeView(Buffer.from('no JSON\n')), isDamaged);
});

test.run();
