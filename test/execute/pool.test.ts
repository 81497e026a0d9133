import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Worker } from 'node:worker_threads';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { digestHex } from '../../src/base/digest.ts';
import type { Job, Made } from '../../src/execute/job.ts';
import { LostStep } from '../../src/execute/lost-step.ts';
import { PoolRunner } from '../../src/execute/pool.ts';
import type { Runner, StepListener } from '../../src/execute/runner.ts';
import { WarmRunner } from '../../src/execute/warm-runner.ts';
import type { Part } from '../../src/rule/part.ts';
import { temporaryFolder } from '../cache/folders.ts';

const test = suite('pool');

const folder = temporaryFolder();
const tmpDir = join(folder, 'tmp');
mkdirSync(tmpDir);
const bytes = Buffer.from('{"text":"one"}\n'.repeat(5));
const path = join(folder, 'chunk');
writeFileSync(path, bytes);
const chunk: Part = { digest: digestHex(bytes), form: 'lines', bytes: bytes.length, facts: { records: 5, u: 1 }, group: 'a/b' };
const recordMsMax = 200;

interface WanderParams {
  readonly at?: number;
  readonly does?: 'loop' | 'backtrack' | 'wait' | 'exit' | 'pause';
  /** Makes this file, and does it only when there is none. */
  readonly once?: string;
  /** Tells how far it is. */
  readonly says?: boolean;
}

/** Of what was built: a thread can not be started from TypeScript on every Node. */
const built = (name: string): string => new URL(`../../dist/src/${name}.js`, import.meta.url).href;

/** A rule whose one step goes through documents and does at one of them what it is told. */
const rule = join(folder, 'wander.mjs');
writeFileSync(
  rule,
  `import { existsSync, writeFileSync } from 'node:fs';
import { defineRule, defineStep } from ${JSON.stringify(built('index'))};
const never = {
  loop() { for (;;); },
  backtrack: () => /^(a+)+$/.test('a'.repeat(60) + 'b'),
  wait: () => new Promise(() => {}),
  exit: () => process.exit(3),
  pause: () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5),
};
function mayDo(once) {
  if (once === undefined) return true;
  if (existsSync(once)) return false;
  writeFileSync(once, '');
  return true;
}
const wander = defineStep('wander', { version: 1 }, async ({ chunk }, { at, does, once, says }, io) => {
  for (const { record } of io.documents(chunk)) {
    if (says) io.progress(record);
    if (does && record === at && mayDo(once)) await never[does]();
    io.count('documents');
  }
});
defineRule({ name: 'wandering', version: 1, inputs: {}, output: 'files', options: {}, steps: [wander], async plan() {} });
`,
);

let nextId = 0;
const jobOf = (params: WanderParams): Job => ({
  id: nextId++,
  module: pathToFileURL(rule).href,
  rule: 'wandering',
  step: 'wander',
  inputs: { chunk },
  params,
  earlier: [],
  locations: { [chunk.digest]: [{ path, offset: 0, length: bytes.length }] },
  bundles: {},
  secrets: {},
  tmpDir,
  chunkBytes: 1 << 20,
  recordMsMax,
});

const run = (runner: Runner, params: WanderParams = {}, listener: StepListener = {}): Promise<Made> => runner.run(jobOf(params), listener);
const documentsOf = async (made: Promise<Made>): Promise<number | undefined> => (await made).counters['documents'];

/** How a step was lost: the error's code, and the record. */
async function lossOf(made: Promise<Made>): Promise<readonly [string, number | undefined]> {
  try {
    await made;
  } catch (error) {
    assert.instance(error, LostStep);
    const { code, record } = error as LostStep;
    assert.ok(record === undefined || (record.part === chunk.digest && record.bytes === 14));
    return [code, record?.record];
  }
  return ['none', undefined];
}

/** Threads that were started and have not ended. */
const threads = new Set<Worker>();
process.on('worker', (worker) => {
  threads.add(worker);
  worker.once('exit', () => threads.delete(worker));
});
const allGone = (): Promise<void> =>
  new Promise((resolve) => {
    const look = (): void => {
      if (threads.size === 0) resolve();
      else for (const worker of threads) worker.once('exit', look);
    };
    look();
  });

const poolOf = (jobs: number): PoolRunner => new PoolRunner(jobs, { workerUrl: built('execute/worker'), graceMs: 50 });

async function withRunner(jobs: number, use: (runner: PoolRunner) => Promise<void>): Promise<void> {
  const runner = poolOf(jobs);
  try {
    await use(runner);
  } finally {
    await runner.close(true);
  }
  await allGone();
}

for (const does of ['loop', 'backtrack', 'wait'] as const) {
  test(`a step that does not come back from a record (${does}) is lost with the record's number, its worker is killed, and the next step runs`, () =>
    withRunner(1, async (runner) => {
      assert.equal(await lossOf(run(runner, { does, at: 3 })), ['record-timeout', 3]);
      assert.is(await documentsOf(run(runner)), 5);
      assert.is(threads.size, 1, 'the one that hung is gone: there is room for one');
    }));
}

test('what hangs once only comes to its end when it is run again; steps beside it go on meanwhile', () =>
  withRunner(2, async (runner) => {
    const once = { does: 'loop', at: 0, once: join(folder, 'once') } as const;
    const lost = lossOf(run(runner, once));
    assert.is(await documentsOf(run(runner)), 5);
    assert.equal(await lost, ['record-timeout', 0]);
    assert.is(await documentsOf(run(runner, once)), 5);
  }));

/** From now on steps of this kind are known to be quick. */
async function hasten(runner: Runner): Promise<void> {
  for (let i = 0; i < 40; i++) await run(runner);
}

/** Runs steps that may travel together, and notes what is told of them. */
async function noted(runner: Runner, all: readonly WanderParams[]): Promise<readonly string[]> {
  const said: string[] = [];
  const runs = all.map((params, i) => {
    const note = (word: string) => () => void said.push(`${i} ${word}`);
    return run(runner, params, { begins: note('begins'), lost: note('lost') }).then(note('ends'), note('fails'));
  });
  await Promise.all(runs);
  return said;
}

test('what steps of one worker took comes to no more than the time that passed: none counts its wait in a message', () =>
  withRunner(1, async (runner) => {
    await hasten(runner);
    const began = performance.now();
    const all = await Promise.all(Array.from({ length: 12 }, () => run(runner, { does: 'pause', at: 0 })));
    const tookMs = all.reduce((sum, made) => sum + made.tookMs, 0);
    assert.ok(tookMs <= performance.now() - began, 'a worker can not have been at two at once');
  }));

for (const [what, params] of [
  ['waits', { does: 'wait', at: 1 }],
  ['is long and says how far it is', { does: 'loop', at: 1, says: true }],
] as const) {
  test(`the end of a step does not wait for one behind it that ${what}`, () =>
    withRunner(1, async (runner) => {
      await hasten(runner);
      const [first, second] = [{}, params].map((given) => runner.run({ ...jobOf(given), recordMsMax: 600_000 }, {}));
      const stopped = (second as Promise<Made>).catch((error: { code: string }) => error.code);
      assert.is(await documentsOf(first as Promise<Made>), 5);
      await runner.close(true);
      assert.is(await stopped, 'interrupted');
    }));
}

/** A worker whose steps are told to be quick, and which tells no end of a message before all. One step ends it. */
const tellsLate = join(folder, 'tells-late.mjs');
writeFileSync(
  tellsLate,
  `import workerpool from ${JSON.stringify(pathToFileURL(createRequire(import.meta.url).resolve('workerpool')).href)};
function run(jobs, buffer) {
  // As a RecordMark says which step was begun last.
  const words = new Uint32Array(buffer, 0, 2);
  workerpool.workerEmit({ type: 'begins' });
  return jobs.map(({ id, params }) => {
    words[1] = id + 1;
    if (params.does === 'exit') process.exit(3);
    return { made: { parts: [], counters: {}, quarantined: [], tookMs: 0.01 } };
  });
}
workerpool.worker({ run });
`,
);

test('a step whose end is lost with a worker that was at the next is told to be lost, and to begin again', async () => {
  const runner = new PoolRunner(1, { workerUrl: pathToFileURL(tellsLate).href });
  await run(runner);
  const said = await noted(runner, [{}, {}, { does: 'exit' }, {}]);
  const [once, again] = [
    ['0 begins', '0 lost', '2 fails'],
    ['0 begins', '1 begins', '3 begins'],
  ];
  assert.equal(said.slice(0, 3), once);
  assert.equal(
    said.filter((word) => word.endsWith('begins')),
    ['0 begins', ...again],
  );
  assert.equal(said.filter((word) => word.endsWith('ends')).sort(), ['0 ends', '1 ends', '3 ends']);
  await runner.close(true);
});

for (const [does, code] of [
  ['loop', 'record-timeout'],
  ['exit', 'worker-died'],
] as const) {
  test(`of steps that travel together only the one is lost that its worker was at (${does}): the others come to their ends`, () =>
    withRunner(1, async (runner) => {
      await hasten(runner);
      const others = [run(runner), run(runner)];
      const lost = lossOf(run(runner, { does, at: 2 }));
      others.push(run(runner), run(runner));
      assert.equal(await lost, [code, 2]);
      assert.equal(await Promise.all(others.map(documentsOf)), [5, 5, 5, 5]);
    }));
}

test('workers that stay for the next build are replaced when one of them was killed', async () => {
  const runner = new WarmRunner(poolOf(2));
  assert.equal(await lossOf(run(runner, { does: 'loop', at: 1 })), ['record-timeout', 1]);
  await runner.close();
  assert.equal(await Promise.all([1, 2, 3].map(() => documentsOf(run(runner)))), [5, 5, 5]);
  await runner.end();
  await allGone();
});

test('workers that can not even start are given up: every step fails, none waits for ever', async () => {
  const runner = new PoolRunner(2, { workerUrl: built('there-is-none') });
  const inThreeTries = async (): Promise<string> => {
    for (let i = 0; i < 2; i++) await lossOf(run(runner));
    return (await lossOf(run(runner)))[0];
  };
  const all = await Promise.all([1, 2, 3, 4, 5, 6].map(inThreeTries));
  assert.equal([...new Set(all)], ['worker-died']);
  await runner.close(true);
});

test('a pool that is closed while a step hangs leaves no worker', () =>
  withRunner(1, async (runner) => {
    const begun = join(folder, 'begun');
    const lost = run(runner, { does: 'wait', at: 0, once: begun }).catch((error: { code: string }) => error.code);
    while (!existsSync(begun)) await new Promise((resolve) => void setImmediate(resolve));
    await runner.close(true);
    assert.ok(['interrupted', 'record-timeout'].includes(String(await lost)));
  }));

test.run();
