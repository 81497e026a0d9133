import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { changesBetween, describeChange } from '../../src/plan/explain.ts';
import { entriesOf, keyOf, type Manifest } from '../../src/plan/manifest.ts';
import { manifest } from './manifests.ts';

const test = suite('explain');

const valuesOf = (of: Manifest): Map<string, string> => new Map([...entriesOf(of)].map(({ path, value }) => [path, value]));

test('exactly what changed is told: every entry that differs, and no other', () => {
  fc.assert(
    fc.property(manifest, manifest, (before, after) => {
      const [old, now] = [valuesOf(before), valuesOf(after)];
      const expected = new Set([...old.keys(), ...now.keys()].filter((path) => old.get(path) !== now.get(path)));
      const changes = changesBetween(before, after);
      assert.equal(new Set(changes.map(({ path }) => path)), expected);
      assert.is(changes.length, expected.size);
      for (const { path, before: was, after: is } of changes) assert.equal([was, is], [old.get(path), now.get(path)]);
    }),
    { numRuns: 400 },
  );
});

test('nothing is told exactly if the keys are equal', () => {
  fc.assert(
    fc.property(manifest, manifest, (a, b) => {
      assert.is(changesBetween(a, b).length === 0, keyOf(a) === keyOf(b));
      assert.equal(changesBetween(a, structuredClone(a)), []);
    }),
    { numRuns: 400 },
  );
});

test('an option that changed is the one change that is told', () => {
  fc.assert(
    fc.property(manifest, fc.integer(), fc.integer(), (rest, was, is) => {
      const of = (value: number): Manifest => ({ ...rest, options: { maxSeqLength: value, labels: 'hf' } });
      const expected = was === is ? [] : [{ path: 'options.maxSeqLength', after: String(is), before: String(was) }];
      assert.equal(changesBetween(of(was), of(is)), expected);
    }),
  );
});

test('changes read as sentences', () => {
  const before: Manifest = {
    version: 1,
    steps: { pack: { version: 1 } },
    options: { maxSeqLength: 1024, tokenizer: { model: 'a'.repeat(64) } },
    inputs: { tokens: 'b'.repeat(64) },
    settings: { chunkBytes: 8 },
  };
  const after: Manifest = {
    version: 2,
    steps: { pack: { version: 2 } },
    options: { maxSeqLength: 2048, tokenizer: { model: 'c'.repeat(64) }, eos: '<e>' },
    inputs: { tokens: 'd'.repeat(64) },
    settings: { chunkBytes: 16 },
  };
  assert.equal(
    changesBetween(before, after).map(describeChange).sort(),
    [
      'input tokens changed',
      'option eos: nothing -> "<e>"',
      'option maxSeqLength: 1024 -> 2048',
      `option tokenizer.model: ${'a'.repeat(12)}… -> ${'c'.repeat(12)}…`,
      'rule version: 1 -> 2',
      'setting chunkBytes: 8 -> 16',
      'step version pack.version: 1 -> 2',
    ].sort(),
  );
});

test.run();
