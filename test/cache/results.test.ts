import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { digestHex } from '../../src/base/digest.ts';
import { Results, type StepResult, type TargetResult } from '../../src/cache/results.ts';
import { digest } from '../rule/codecs.ts';
import { temporaryFolder } from './folders.ts';
import { stepResult } from './remote/results.ts';

const test = suite('results');

const key = digestHex('key');
const targetResult: TargetResult = {
  outputs: { main: { digest: key, parts: 1, bytes: 2, records: 3, tokens: 4 } },
  counters: { documents: 3 },
  quarantined: [],
  badGroups: ['a/b'],
  documentsIn: 5,
  steps: 6,
  tookMs: 7,
};

test('a step result comes back as it was put, in this process and in the next', () => {
  const dir = temporaryFolder();
  const results = new Results(dir);
  const kept = new Map<string, StepResult>();
  fc.assert(
    fc.property(digest, stepResult, (at, result) => {
      results.putStep(at, result);
      kept.set(at, result);
      assert.equal(results.step(at), result);
    }),
    { numRuns: 50 },
  );
  results.close();
  const next = new Results(dir);
  for (const [at, result] of kept) assert.equal(next.step(at), result);
});

test('the keys of steps and of targets do not meet', () => {
  const results = new Results(temporaryFolder());
  results.putTarget(key, targetResult);
  assert.equal([results.target(key), results.step(key)], [targetResult, undefined]);
});

test('who asks for targets only never opens the results of steps', () => {
  const dir = temporaryFolder();
  const results = new Results(dir);
  results.putTarget(key, targetResult);
  results.close();
  assert.ok(readdirSync(join(dir, 'results', 'v1')).every((name) => name.startsWith('targets-')));
  assert.equal(new Results(dir).target(key), targetResult);
});

test('what another process put is seen after looking again', () => {
  const dir = temporaryFolder();
  const [a, b] = [new Results(dir), new Results(dir)];
  const result: StepResult = { parts: [], counters: { documents: 1 }, quarantined: [], tookMs: 0 };
  assert.is(b.step(key), undefined);
  a.putStep(key, result);
  a.putTarget(key, targetResult);
  a.flush();
  assert.equal([b.step(key), b.target(key)], [undefined, undefined]);
  b.refresh();
  assert.equal([b.step(key), b.target(key)], [result, targetResult]);
});

test.run();
