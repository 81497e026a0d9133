import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CUT_VERSION } from '../../src/base/cut.ts';
import { entriesOf, keyOf, type Manifest, stepHead, stepKey, targetManifest } from '../../src/plan/manifest.ts';
import type { Part } from '../../src/rule/part.ts';
import { defineRule, type Rule } from '../../src/rule/rule.ts';
import { defineStep } from '../../src/rule/step.ts';
import { part } from '../rule/codecs.ts';
import { canonical, manifest } from './manifests.ts';

const test = suite('manifest');

const printed = (of: Manifest): string => JSON.stringify([...entriesOf(of)]);
const numRuns = 400;

test('two manifests have one key exactly if what is printed of them is the same, and exactly if they are equal', () => {
  fc.assert(
    fc.property(manifest, manifest, (a, b) => {
      for (const [left, right] of [
        [a, b],
        [a, structuredClone(a)],
      ] as const) {
        const same = canonical(left) === canonical(right);
        assert.is(keyOf(left) === keyOf(right), same);
        assert.is(printed(left) === printed(right), same);
      }
    }),
    { numRuns },
  );
});

test('the order in which names were written does not matter, the order of a list does', () => {
  fc.assert(
    fc.property(manifest, (of) => {
      const turned = Object.fromEntries(Object.entries(of).reverse());
      assert.is(keyOf(turned), keyOf(of));
    }),
    { numRuns },
  );
  assert.is.not(keyOf({ list: ['a', 'b'] }), keyOf({ list: ['b', 'a'] }));
});

test('no value looks like another one', () => {
  const different: readonly Manifest[] = [
    {},
    { a: 1 },
    { a: '1' },
    { a: true },
    { a: 'true' },
    { a: null },
    { a: 'null' },
    { a: [] },
    { a: {} },
    { a: [1] },
    { a: ['1'] },
    { a: [[1]] },
    { a: 'list of 1', 'a[0]': 1 },
    { a: { b: 1 } },
    { 'a.b': 1 },
    { 'a[0]': 1 },
    { a: 'x\nb\0"1"' },
    { a: 'x', b: '1' },
    { a: 0.1 },
    { a: 1e300 },
    { a: '\ud800' },
    { a: '\ufffd' },
  ];
  assert.is(new Set(different.map(keyOf)).size, different.length);
});

test('what is undefined counts as not there', () => {
  assert.is(keyOf({ a: 1, b: undefined }), keyOf({ a: 1 }));
  assert.is(keyOf({ a: { b: undefined } }), keyOf({ a: {} }));
});

const encode = defineStep('encode', { version: 2, uses: ['library@1'] }, () => {});
const ruleOf = (change: Partial<Rule> = {}): Rule => ({
  ...defineRule({
    name: 'manifested',
    version: 1,
    inputs: {},
    output: 'documents',
    options: {},
    steps: [encode],
    plan: () => Promise.resolve(),
  }).rule,
  ...change,
});
const stepOf = (change: object): Rule['steps'][number] => ({ ...encode, ...change }) as unknown as Rule['steps'][number];

test('the key of a target holds rule, versions of all its steps, libraries, options, inputs and settings', () => {
  const target = { rule: ruleOf(), options: { a: 1 }, inputs: { documents: 'x' }, settings: { chunkBytes: 8 } };
  const variants = [
    target,
    { ...target, rule: ruleOf({ name: 'other' }) },
    { ...target, rule: ruleOf({ version: 2 }) },
    { ...target, rule: ruleOf({ steps: [] }) },
    { ...target, rule: ruleOf({ steps: [stepOf({ version: 3 })] }) },
    { ...target, rule: ruleOf({ steps: [stepOf({ uses: ['library@2'] })] }) },
    { ...target, options: { a: 2 } },
    { ...target, inputs: { documents: 'y' } },
    { ...target, inputs: { other: 'x' } },
    { ...target, settings: { chunkBytes: 16 } },
    { ...target, code: 'c'.repeat(64) },
  ];
  assert.is(new Set(variants.map((variant) => keyOf(targetManifest(variant)))).size, variants.length);
});

test('the key of a step holds rule, step, versions, libraries, params and settings', () => {
  const step = { rule: ruleOf(), definition: encode as never, params: { a: 1 }, settings: { chunkBytes: 8 } };
  const changed = (change: object): never => ({ ...encode, ...change }) as never;
  const variants = [
    step,
    { ...step, rule: ruleOf({ name: 'other' }) },
    { ...step, rule: ruleOf({ version: 2 }) },
    { ...step, definition: changed({ name: 'decode' }) },
    { ...step, definition: changed({ version: 3 }) },
    { ...step, definition: changed({ uses: [] }) },
    { ...step, params: { a: 2 } },
    { ...step, params: {} },
    { ...step, params: { a: {} } },
    { ...step, settings: { chunkBytes: 16 } },
  ];
  assert.is(new Set(variants.map((variant) => keyOf(stepHead(variant)))).size, variants.length);
});

test('every key holds the version of the rule by which chunks, pack groups and shards are cut', () => {
  const settings = { chunkBytes: 8 };
  const manifests = [
    targetManifest({ rule: ruleOf(), options: {}, inputs: {}, settings }),
    stepHead({ rule: ruleOf(), definition: encode as never, params: {}, settings }),
  ];
  for (const of of manifests) assert.is([...entriesOf(of)].find(({ path }) => path === 'cut')?.value, String(CUT_VERSION));
});

const head = 'f'.repeat(64);
const keyed = (one: Part): unknown => [one.form, one.digest, Object.entries(one.facts).sort(([a], [b]) => (a < b ? -1 : 1))];

test('a step is keyed by form, digest and facts of its inputs in order; not by group, name or place', () => {
  fc.assert(
    fc.property(fc.array(part, { maxLength: 4 }), fc.array(part, { maxLength: 4 }), (a, b) => {
      const same = JSON.stringify(a.map(keyed)) === JSON.stringify(b.map(keyed));
      assert.is(stepKey(head, { parts: a }) === stepKey(head, { parts: b }), same);
      const moved = a.map((one) => ({ ...one, group: 'x/y', name: 'moved' }));
      assert.is(stepKey(head, { parts: moved }), stepKey(head, { parts: a }));
      const noted = a.map((one) => ({ ...one, facts: Object.fromEntries(Object.entries(one.facts).reverse()) }));
      assert.is(stepKey(head, { parts: noted }), stepKey(head, { parts: a }));
    }),
    { numRuns },
  );
});

test('to which input a part is given, and in what order, is in the key', () => {
  const [a, b] = ['a', 'b'].map(
    (letter): Part => ({ digest: letter.repeat(64), form: 'lines', bytes: 1, facts: { records: 1, u: 2 }, group: '' }),
  ) as [Part, Part];
  const keys = [
    stepKey(head, { x: [a, b] }),
    stepKey(head, { x: [b, a] }),
    stepKey(head, { x: [a], y: [b] }),
    stepKey(head, { x: [], y: [a, b] }),
    stepKey(head, { x: [a] }),
    stepKey(head, { y: [a] }),
    stepKey(head, {}),
    stepKey(head, { x: [{ ...a, form: 'view' }] }),
    stepKey(head, { x: [{ ...a, facts: { records: 1, u: 3 } }] }),
    stepKey(head, { x: [{ ...a, facts: { records: 1 } }] }),
    stepKey('0'.repeat(64), { x: [a] }),
  ];
  assert.is(new Set(keys).size, keys.length);
  assert.is(stepKey(head, { y: b, x: a }), stepKey(head, { x: a, y: b }));
  assert.is(stepKey(head, { x: a }), stepKey(head, { x: [a] }));
});

test.run();
