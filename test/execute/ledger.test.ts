import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { BuildError } from '../../src/base/errors.ts';
import type { OutputPart, StepResult } from '../../src/cache/results.ts';
import { assertBalanced, assertTargetBalanced, sumByPrefix, type TargetFigures } from '../../src/execute/ledger.ts';
import type { Facts, Form, Part } from '../../src/rule/part.ts';

const test = suite('ledger');

const part = (form: Form, facts: Facts): Part => ({ digest: '0'.repeat(64), form, bytes: 1, facts, group: '' });
const made = (form: Form, facts: Facts, output = 'main'): OutputPart => ({ ...part(form, facts), output });
const result = (parts: readonly OutputPart[], counters: Facts = {}): StepResult => ({ parts, counters, quarantined: [], tookMs: 0 });
const balances = (inputs: readonly Part[], outcome: StepResult): boolean => {
  try {
    assertBalanced({ name: 'step', firstOutput: 'main', inputs: { inputs }, params: {} }, outcome);
    return true;
  } catch (error) {
    if (error instanceof BuildError && error.code === 'ledger') return false;
    throw error;
  }
};

const counts = fc.record({
  out: fc.nat({ max: 9 }),
  dropped: fc.nat({ max: 9 }),
  quarantined: fc.nat({ max: 9 }),
  blank: fc.nat({ max: 9 }),
  lost: fc.integer({ min: -3, max: 3 }),
});

for (const [from, to] of [
  ['lines', 'lines'],
  ['lines', 'view'],
  ['view', 'view'],
  ['view', 'tokens'],
] as const) {
  test(`a step from ${from} to ${to} that loses or invents a document is refused`, () => {
    fc.assert(
      fc.property(counts, ({ out, dropped, quarantined, blank, lost }) => {
        const counters = { 'dropped:short': dropped, 'dropped:other': 1, 'quarantined:bad': quarantined, blank };
        const inputs = [part(from, { records: out + dropped + 1 + quarantined + blank + lost })];
        assert.is(balances(inputs, result([made(to, { records: out })], counters)), lost === 0);
      }),
    );
  });
}

test('several inputs and outputs are summed, side outputs are not', () => {
  const inputs = [part('lines', { records: 3 }), part('view', { records: 4 })];
  assert.ok(
    balances(inputs, result([made('lines', { records: 2 }), made('lines', { records: 5 }), made('view', { records: 99 }, 'rejected')])),
  );
  assert.not.ok(balances(inputs, result([made('lines', { records: 2 })])));
});

test('what a step counts for itself as read takes the place of what its inputs say', () => {
  const packed = [part('file', {})];
  assert.ok(balances(packed, result([made('lines', { records: 5 })], { recordsIn: 6, 'quarantined:x': 1, blank: 7 })));
  assert.not.ok(balances(packed, result([made('lines', { records: 5 })], { recordsIn: 5, 'quarantined:x': 1 })));
});

test('a program that counts its own output may add and leave out; what is no documents has no such law', () => {
  assert.ok(balances([part('lines', { records: 3 })], result([made('lines', { records: 30 })], { documentsIn: 3, documentsOut: 30 })));
  assert.ok(balances([part('lines', { records: 3 })], result([made('file', {})])));
});

test('tokens that are lost or invented are refused', () => {
  const counters = (change: Facts = {}): Facts => ({ tokensAdded: 2, tokensPacked: 10, tokensTruncated: 1, tokensDropped: 1, ...change });
  const inputs = [part('tokens', { tokens: 4, records: 1 }), part('tokens', { tokens: 6, records: 1 })];
  const rows = [made('rows', { rows: 1 })];
  assert.ok(balances(inputs, result(rows, counters())));
  for (const name of ['tokensAdded', 'tokensPacked', 'tokensTruncated', 'tokensDropped']) {
    assert.not.ok(balances(inputs, result(rows, counters({ [name]: 3 }))), name);
  }
});

test('a step that makes tokens of texts is refused when it loses or invents one', () => {
  const counters = (change: Facts = {}): Facts => ({
    tokensText: 20,
    'tokensAdded:special': 2,
    'tokensAdded:overlap': 5,
    'tokensDropped:short': 3,
    'tokensDropped:special': 1,
    ...change,
  });
  const inputs = [part('lines', { records: 1 })];
  const outcome = (change?: Facts, tokens = 23): StepResult => result([made('tokens', { records: 1, tokens })], counters(change));
  assert.ok(balances(inputs, outcome()));
  assert.not.ok(balances(inputs, outcome({}, 22)));
  for (const name of Object.keys(counters())) assert.not.ok(balances(inputs, outcome({ [name]: 9 })), name);
  assert.ok(balances(inputs, result([made('tokens', { records: 1, tokens: 0 })], { tokensText: 0 })));
});

test('of documents and their tokens, the documents are counted', () => {
  const inputs = [part('view', { records: 3 }), part('tokens', { records: 2, tokens: 9 })];
  assert.ok(balances(inputs, result([made('lines', { records: 3 })])));
  assert.not.ok(balances(inputs, result([made('lines', { records: 2 })])));
});

test('the error names the step, the law and both sides', () => {
  assert.throws(
    () =>
      assertBalanced(
        { name: 'filtering', firstOutput: 'main', inputs: { a: part('lines', { records: 3 }) }, params: {} },
        result([made('lines', { records: 2 })]),
      ),
    (error: unknown) => error instanceof BuildError && /filtering.*documents in.*3 is not 2/.test(error.message),
  );
});

test('rows that do not hold what was packed into them are refused', () => {
  const outcome = (rows: number): StepResult => result([made('rows', { rows })], { tokensPacked: 10, tokensPadding: 2 });
  const step = { name: 'pack', firstOutput: 'main', inputs: { a: part('tokens', { tokens: 10 }) }, params: { maxSeqLength: 4 } };
  assert.not.throws(() => assertBalanced(step, outcome(3)));
  assert.throws(() => assertBalanced(step, outcome(4)), /rows \* length = packed \+ padding, but 16 is not 12/);
  const whole = { inputKinds: ['tokens'], outputKind: 'shards', tokensIn: 10, counters: { tokensPacked: 10, tokensPadding: 2 } };
  assert.ok(targetBalances({ ...whole, rows: { count: 3, tokens: 4 } }));
  assert.not.ok(targetBalances({ ...whole, rows: { count: 2, tokens: 4 } }));
});

test('counters are summed by prefix', () => {
  assert.is(sumByPrefix({ 'dropped:a': 1, 'dropped:b': 2, dropped: 4, 'quarantined:a': 8 }, 'dropped:'), 3);
});

const figures: TargetFigures = {
  name: 'target',
  inputKinds: ['documents'],
  outputKind: 'documents',
  documentsIn: 5,
  documentsOut: 3,
  tokensIn: 0,
  tokensOut: 0,
  rows: undefined,
  counters: { 'dropped:x': 2 },
};
const targetBalances = (change: Partial<TargetFigures>): boolean => {
  try {
    assertTargetBalanced({ ...figures, ...change });
    return true;
  } catch {
    return false;
  }
};

test('a plan that forgets a part, or passes one on twice, is found by what the whole target got and gave', () => {
  assert.ok(targetBalances({}));
  assert.not.ok(targetBalances({ documentsOut: 2 }));
  assert.not.ok(targetBalances({ documentsOut: 6 }));
  assert.not.ok(targetBalances({ inputKinds: ['tokens'], outputKind: 'shards', tokensIn: 9, counters: { tokensPacked: 8 } }));
  assert.ok(targetBalances({ inputKinds: ['tokens'], outputKind: 'shards', tokensIn: 9, counters: { tokensPacked: 8, tokensDropped: 1 } }));
  assert.not.ok(targetBalances({ inputKinds: ['documents', 'tokens'], documentsOut: 2 }));
  assert.ok(targetBalances({ outputKind: 'tokens', tokensOut: 9, counters: { 'dropped:x': 2, tokensText: 8, 'tokensAdded:bos': 1 } }));
  assert.not.ok(targetBalances({ outputKind: 'tokens', tokensOut: 8, counters: { 'dropped:x': 2, tokensText: 8, 'tokensAdded:bos': 1 } }));
  assert.ok(targetBalances({ inputKinds: [], outputKind: 'documents', documentsIn: 0 }));
});

test.run();
