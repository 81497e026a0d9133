import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { digestHex } from '../../src/base/digest.ts';
import { RecordMark } from '../../src/execute/record-mark.ts';

const test = suite('record mark');

/** The mark as another thread has it. */
const seen = (mark: RecordMark): RecordMark => new RecordMark(mark.buffer);
const parts = ['a', 'b', 'c'].map((name) => digestHex(Buffer.from(name)));
const word = fc.nat({ max: 2 ** 31 });

test('tells another thread which step and which record of which part was begun last', () => {
  fc.assert(
    fc.property(word, fc.array(fc.tuple(fc.constantFrom(...parts), word, word), { minLength: 1 }), (job, begun) => {
      const mark = new RecordMark();
      const other = seen(mark);
      mark.starts(job);
      assert.is(other.read().at, undefined);
      for (const [part, record, bytes] of begun) {
        mark.begins(part, record, bytes);
        assert.equal([other.read().job, other.read().at], [job, { part, record, bytes }]);
      }
      mark.ends();
      assert.equal([other.read().job, other.read().at], [job, undefined]);
    }),
  );
});

test('nothing was begun at first', () => {
  const { job, at } = new RecordMark().read();
  assert.equal([job, at], [undefined, undefined]);
});

test('each call is a sign of life', () => {
  const mark = new RecordMark();
  const [part = ''] = parts;
  const calls = [
    () => mark.starts(1),
    () => mark.begins(part, 3, 10),
    () => mark.begins(part, 3, 10),
    () => mark.alive(),
    () => mark.aside(() => {}),
    () => mark.ends(),
  ];
  for (const call of calls) {
    const { signs } = seen(mark).read();
    call();
    assert.is.not(seen(mark).read().signs, signs, String(call));
  }
});

test('what is done aside is not work on the record, which goes on after it, also when it failed', () => {
  const mark = new RecordMark();
  const at = { part: parts[0] as string, record: 3, bytes: 10 };
  mark.begins(at.part, at.record, at.bytes);
  assert.is(
    mark.aside(() => seen(mark).read().at),
    undefined,
  );
  assert.equal(seen(mark).read().at, at);
  assert.throws(() =>
    mark.aside(() => {
      throw new Error('disk');
    }),
  );
  assert.equal(seen(mark).read().at, at);
  mark.ends();
  mark.aside(() => {});
  assert.is(seen(mark).read().at, undefined);
});

test('a step that begins is at no record, though the one before it left one open', () => {
  const mark = new RecordMark();
  mark.begins(parts[0] as string, 3, 10);
  mark.starts(7);
  assert.equal([seen(mark).read().job, seen(mark).read().at], [7, undefined]);
});

test.run();
