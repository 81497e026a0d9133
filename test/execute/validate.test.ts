import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { BuildError } from '../../src/base/errors.ts';
import type { MadePart } from '../../src/execute/job.ts';
import { assertValid } from '../../src/execute/validate.ts';
import { forms } from '../../src/rule/part.ts';
import { defineStep } from '../../src/rule/step.ts';
import { temporaryFolder } from '../cache/folders.ts';

const test = suite('validate');

const step = defineStep('step', { version: 1, outputs: ['main', 'other'] }, () => {});
const good: MadePart = {
  output: 'main',
  form: 'tokens',
  digest: '0'.repeat(64),
  bytes: 3,
  facts: { records: 1, tokens: 2, u: 3 },
  data: new Uint8Array(3),
};
const problemOf = (change: object): string | undefined => {
  try {
    const part = { ...good, ...change } as MadePart;
    assertValid({ parts: [good, part], counters: {}, quarantined: [], tookMs: 0 }, step as never);
    return undefined;
  } catch (error) {
    assert.ok(error instanceof BuildError && error.code === 'bad-output');
    return (error as BuildError).message;
  }
};

test('outputs that hold what they must are taken', () => {
  assert.is(problemOf({}), undefined);
  assert.is(problemOf({ output: 'other', form: 'file', facts: {} }), undefined);
  const path = join(temporaryFolder(), 'made');
  writeFileSync(path, 'abc');
  assert.is(problemOf({ data: undefined, file: path }), undefined);
  assert.match(problemOf({ data: undefined, file: path, bytes: 4 }) ?? '', /not that long/);
});

test('each thing that would mislead who reads it later is refused', () => {
  assert.match(problemOf({ output: 'nowhere' }) ?? '', /none of its outputs/);
  assert.match(problemOf({ digest: 'abc' }) ?? '', /without a digest/);
  assert.match(problemOf({ digest: 'G'.repeat(64) }) ?? '', /without a digest/);
  assert.match(problemOf({ bytes: 4 }) ?? '', /4 bytes came as 3/);
  assert.match(problemOf({ data: undefined, file: '/nowhere/at/all' }) ?? '', /not that long/);
  assert.match(problemOf({ facts: { records: Number.NaN, tokens: 1, u: 1 } }) ?? '', /"records" is NaN/);
  assert.match(problemOf({ facts: { records: Number.POSITIVE_INFINITY, tokens: 1, u: 1 } }) ?? '', /Infinity/);
});

test('parts that others count on must have their facts', () => {
  const lacking = forms.map((form) => [form, problemOf({ form, facts: {} })?.match(/lacks the fact "(\w+)"/)?.[1]]);
  assert.equal(Object.fromEntries(lacking), {
    lines: 'records',
    view: 'records',
    tokens: 'records',
    rows: undefined,
    file: undefined,
    side: undefined,
  });
  assert.match(problemOf({ facts: { records: 1, u: 1 } }) ?? '', /"tokens"/);
  assert.match(problemOf({ form: 'view', facts: { records: 1 } }) ?? '', /"u"/);
});

test.run();
