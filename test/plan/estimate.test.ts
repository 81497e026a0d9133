import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { estimate, type StepsNow, type TargetNow } from '../../src/plan/estimate.ts';
import { type Amount, type LastFigures, learn, noRates, type Rates } from '../../src/plan/rates.ts';

const test = suite('estimate');

const amount = (steps: number, bytesIn: number, tookMs: number, bytesOut = bytesIn): Amount => ({
  steps,
  bytesIn,
  bytesOut,
  tokens: bytesIn / 4,
  tookMs,
});
const figures = (rule: string, steps: LastFigures['steps'], more: Partial<LastFigures> = {}): LastFigures => ({
  rule,
  bytesIn: 10_000,
  parts: 10,
  bytes: 10_000,
  steps,
  ...more,
});

/** Ten chunks of 1,000 bytes: checked in 10 ms each, tokenized in 100 ms, put into one file in 50 ms. */
const rates: Rates = {
  kinds: {
    'raw/check': { warm: amount(10, 10_000, 100, 0) },
    'tokens/encode': { warm: amount(10, 10_000, 1000) },
    'file/write': { warm: amount(1, 10_000, 50) },
  },
  targets: {
    raw: figures('raw', { check: amount(10, 10_000, 100, 0) }),
    tokens: figures('tokens', { encode: amount(10, 10_000, 1000) }),
    file: figures('file', { write: amount(1, 10_000, 50) }, { parts: 1 }),
  },
  overheadMs: 20,
};

const asked = (of: Partial<StepsNow>): StepsNow => ({ asked: 0, bytesAsked: 0, toRun: 0, bytesToRun: 0, unsized: 0, ...of });
const target = (name: string, more: Partial<TargetNow> = {}): TargetNow => ({
  name,
  rule: name,
  needs: [],
  state: 'open',
  steps: new Map(),
  isChanged: false,
  reusing: new Set(),
  ...more,
});
const stale = (name: string, step: string, [toRun, all]: readonly [number, number], more: Partial<TargetNow> = {}): TargetNow =>
  target(name, {
    state: 'planned',
    steps: new Map([[step, asked({ asked: all, bytesAsked: all * 1000, toRun, bytesToRun: toRun * 1000 })]]),
    ...more,
  });
const kept = (name: string): TargetNow => target(name, { state: 'kept', kept: { bytes: 10_000, parts: 10 } });
const chain = (raw: TargetNow, tokens: Partial<TargetNow> = {}, file: Partial<TargetNow> = {}): TargetNow[] => [
  raw,
  target('tokens', { needs: ['raw'], ...tokens }),
  target('file', { needs: ['tokens'], ...file }),
];

test('steps that are known to run are counted and not guessed; one job takes as long as they do together', () => {
  const estimated = estimate([stale('raw', 'check', [3, 10])], { rates, jobs: 1 });
  const { raw } = estimated.targets;
  assert.equal([raw?.steps, raw?.bytesIn, raw?.bytesOut, raw?.isExact, raw?.isAtLeast], [3, 3000, 0, true, false]);
  assert.ok(Math.abs((raw?.workMs ?? 0) - 30) < 1e-9);
  assert.ok(Math.abs(estimated.tookMs - (20 + 30 + 7 * 0.02)) < 1e-9, `${estimated.tookMs}`);
});

test('behind an unknown step as much is stale as reads from what is: one chunk of ten, and the one file of all', () => {
  const { targets, isExact } = estimate(chain(stale('raw', 'check', [1, 10])), { rates, jobs: 2 });
  assert.equal([targets['tokens']?.steps, targets['file']?.steps, isExact], [1, 1, false]);
  assert.equal([targets['tokens']?.bytesIn, targets['file']?.bytesIn], [1000, 10_000]);
});

test('steps that read little show what a step costs, and not what a byte does', () => {
  const small = (ways: Rates['kinds'][string]): number =>
    estimate(
      [stale('raw', 'check', [1, 1], { steps: new Map([['check', asked({ asked: 1, bytesAsked: 1e8, toRun: 1, bytesToRun: 1e8 })]]) })],
      {
        rates: { ...rates, kinds: { 'raw/check': ways } },
        jobs: 1,
      },
    ).tookMs;
  const inProportion = 400 * (1e8 / 5000);
  assert.ok(small({ first: amount(1, 5000, 400) }) < inProportion / 1000, 'one that also loaded');
  assert.ok(small({ warm: amount(40, 40 * 5000, 40 * 400) }) < inProportion / 1000, 'many');
  const [slow, large] = [60_000, 1e7];
  const known = small({ warm: amount(4, 4 * large, 4 * slow) });
  assert.ok(Math.abs(known / ((slow * 1e8) / large) - 1) < 0.25, `those that read much show it: ${known}`);
});

test('who reads a part each reads as many bytes as are new; who reads them all, all', () => {
  const small = target('raw', {
    state: 'planned',
    steps: new Map([['check', asked({ asked: 10, bytesAsked: 10_000, toRun: 1, bytesToRun: 100 })]]),
  });
  const { targets } = estimate(chain(small), { rates, jobs: 2 });
  assert.equal([targets['tokens']?.bytesIn, targets['file']?.bytesIn], [100, 10_000]);
});

test('a target of which more than its inputs changed runs as a whole, and so does what reads all of it', () => {
  const { targets, bytesOut } = estimate(chain(kept('raw'), { isChanged: true }), { rates, jobs: 2 });
  assert.equal([targets['raw']?.steps, targets['tokens']?.steps, targets['file']?.steps, bytesOut], [0, 10, 1, 20_000]);
});

test('what grew upstream grows downstream, in steps and in bytes', () => {
  const twice = stale('raw', 'check', [10, 20]);
  const { targets } = estimate(chain(twice), { rates, jobs: 2 });
  assert.equal([targets['tokens']?.steps, targets['tokens']?.bytesIn], [10, 10_000]);
  assert.equal([targets['file']?.steps, targets['file']?.bytesIn], [2, 20_000]);
});

test('jobs share the work, but not the longest chain', () => {
  const all = chain(stale('raw', 'check', [10, 10]));
  const took = (jobs: number): number => estimate(all, { rates, jobs }).tookMs;
  const [work, path] = [100 + 1000 + 50, 10 + 100 + 50];
  assert.ok(Math.abs(took(1) - (20 + work)) < 1e-6, `${took(1)}`);
  assert.ok(Math.abs(took(2) - (20 + work / 2 + path / 2)) < 1e-6, `${took(2)}`);
  assert.ok(took(1000) > 20 + path * 0.99);
});

test('the first steps of workers take longer by what they load, and those that know their rows take less', () => {
  const first = { 'tokens/encode': { first: amount(2, 2000, 1200), warm: amount(8, 8000, 800) } };
  const workMs = (more: Partial<TargetNow>, kinds: Rates['kinds'], jobs = 2): number =>
    estimate([stale('tokens', 'encode', [10, 10], more)], { rates: { ...rates, kinds }, jobs }).targets['tokens']?.workMs ?? 0;
  assert.ok(Math.abs(workMs({}, first) - (10 * 100 + 2 * 500)) < 1e-6);
  assert.ok(Math.abs(workMs({}, first, 20) - (10 * 100 + (10 * 500) / 2)) < 1e-6, 'with cores to spare they load faster');
  const reusing = { reusing: new Set(['encode']) };
  assert.ok(workMs(reusing, first) < workMs({}, first) * 0.8, 'as long as none was seen they are taken to do a small part');
  const seen = { 'tokens/encode': { ...first['tokens/encode'], 'warm-reused': amount(4, 4000, 20) } };
  assert.ok(Math.abs(workMs(reusing, seen) - 10 * 5) < 1e-6, 'then it is known');
  assert.ok(Math.abs(workMs({ ...reusing, isChanged: true }, seen) - workMs({}, seen)) < 1e-6, 'nothing is known after another option');
});

test('a kind of step that never ran makes it "at least"; a target that was never built is taken for another of its rule', () => {
  const unknown = estimate([stale('new', 'step', [5, 5])], { rates, jobs: 2 });
  assert.equal([unknown.steps, unknown.isAtLeast], [5, true]);
  const alike = estimate([kept('raw'), target('second', { rule: 'tokens', needs: ['raw'], isChanged: true })], { rates, jobs: 2 });
  assert.equal([alike.targets['second']?.steps, alike.targets['second']?.bytesIn, alike.isAtLeast], [10, 10_000, false]);
});

test('nothing to do takes no time', () => {
  assert.equal([estimate([kept('raw')], { rates, jobs: 2 }).tookMs, estimate([], { rates, jobs: 2 }).tookMs], [0, 0]);
});

test('a run counts twice as much as the one before it, and targets are as they were last', () => {
  const once = learn(noRates, {
    kinds: new Map([['a/b', { warm: amount(10, 1000, 100) }]]),
    targets: { a: figures('a', {}) },
    overheadMs: 10,
  });
  const twice = learn(once, { kinds: new Map([['a/b', { warm: amount(10, 1000, 400) }]]), targets: {}, overheadMs: 30 });
  assert.equal(twice.kinds['a/b']?.warm, amount(15, 1500, 450));
  assert.equal([twice.overheadMs, twice.targets], [20, once.targets]);
  assert.is(learn(twice, { kinds: new Map(), targets: {} }).overheadMs, 20, 'a run that was broken off says nothing of it');
});

test.run();
