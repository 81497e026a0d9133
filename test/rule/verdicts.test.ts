import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { BuildError } from '../../src/base/errors.ts';
import { decodeVerdicts, VerdictsBuilder } from '../../src/rule/verdicts.ts';

const test = suite('verdicts');

const isDamaged = (error: unknown): boolean => error instanceof BuildError && error.code === 'bad-part';
const dropped = fc.uniqueArray(fc.tuple(fc.nat({ max: 5000 }), fc.constantFrom('too-short', '__proto__', 'a "b"', 'länge')), {
  selector: ([record]) => record,
});

test('each record that was dropped has its reason, also after coming back from bytes; others have none', () => {
  fc.assert(
    fc.property(dropped, (records) => {
      const ordered = records.sort(([a], [b]) => a - b);
      const builder = new VerdictsBuilder();
      for (const [record, reason] of ordered) builder.drop(record, reason);
      const read = [...decodeVerdicts(builder.finish())].sort(([a], [b]) => a - b);
      assert.equal(read, ordered);
    }),
  );
});

test('a chunk of which nothing was dropped has a few bytes', () => {
  assert.ok(new VerdictsBuilder().finish().length < 40);
});

test('what is no list of verdicts is refused', () => {
  for (const text of ['', '{', 'null', '[]', '{"verdicts":2,"dropped":[]}', '{"verdicts":1}', '{"verdicts":1,"dropped":[[1,[2]]]}']) {
    assert.throws(() => decodeVerdicts(Buffer.from(text)), isDamaged);
  }
});

test.run();
