import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { BuildEvent } from '../../src/base/events.ts';
import { errorsOf, type Outcome, TestProject } from './project.ts';

const test = suite('steps that travel together');

/** What a step does before it ends; one that is held ends when there is a file of its number in `$HOME`, or gives up after a minute. */
interface Doing {
  readonly n: number;
  readonly busyMs?: number;
  readonly held?: boolean;
  readonly exit?: boolean;
  readonly slow?: boolean;
}

/** One rule of steps that do as they are told. Before these, so many run that the quick kind is known to be quick, and the slow to be slow. */
const config = (steps: readonly Doing[], home: string): string => `import { existsSync } from 'node:fs';
import { defineConfig, defineRule, defineStep } from 'dsbuild';
function run(_inputs, { n, busyMs = 0, held = false, exit = false }, io) {
  const started = performance.now();
  while (performance.now() - started < busyMs);
  const open = () => existsSync(${JSON.stringify(`${home}/`)} + n);
  while (held && !open() && performance.now() - started < 60_000) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
  if (exit && !open()) process.exit(3);
  io.count('n', n);
  io.create('file').close();
}
const quick = defineStep('quick', { version: 1 }, run);
const slow = defineStep('slow', { version: 1 }, run);
const doing = defineRule({ name: 'doing', version: 1, inputs: {}, output: 'files', options: {}, steps: [quick, slow],
  async plan(_inputs, _options, build) {
    for (let n = 1000; n < 1040; n++) await build.step(quick, {}, { n });
    await build.step(slow, {}, { n: 2000, busyMs: 20 });
    for (const step of ${JSON.stringify(steps)}) build.emit(build.step(step.slow ? slow : quick, {}, step));
  } });
export default defineConfig({ targets: { all: doing({}) } });
`;

async function withSteps(steps: readonly Doing[], use: (project: TestProject) => Promise<void>): Promise<void> {
  const project = new TestProject();
  try {
    project.write('datasets.config.ts', config(steps, project.home));
    await use(project);
  } finally {
    project.end();
  }
}

const numberOf = (event: BuildEvent): number => (event.type === 'step-finished' ? (event.counters['n'] ?? 0) : 0);

/** Numbers of the steps that ran, without those that came before. */
const ranBy = ({ events }: Outcome): number[] =>
  events
    .map(numberOf)
    .filter((n) => n > 0 && n < 1000)
    .sort((a, b) => a - b);

/** Builds with one worker, kills it as soon as step `n` is said to have ended, and tells what the next build ran. */
async function ranAfterKill(project: TestProject, n: number): Promise<number[]> {
  const running = project.start('build', '--json', '-j', '1');
  await running.says((event) => numberOf(event) === n);
  assert.is((await running.kill()).code, 'SIGKILL');
  for (const held of [1, 2, 3, 4]) project.writeHome(String(held), '');
  const next = await project.build('-j', '1');
  assert.equal(errorsOf(next), []);
  return ranBy(next);
}

test('after kill -9 a step that had ended is not run again, though another of its message was still running', () =>
  withSteps([{ n: 1, busyMs: 5 }, { n: 2, held: true }, { n: 3 }], async (project) => {
    assert.equal(await ranAfterKill(project, 1), [2, 3]);
  }));

test('a step that is known to be slow goes alone: after kill -9 the quick ones before it are not run again', () =>
  withSteps([{ n: 1 }, { n: 2 }, { n: 3 }, { n: 4, slow: true, held: true }], async (project) => {
    assert.equal(await ranAfterKill(project, 3), [4]);
  }));

test('a worker that dies takes only the steps with it whose end it had not reported', () =>
  withSteps(
    [
      { n: 1, busyMs: 5 },
      { n: 2, exit: true },
    ],
    async (project) => {
      const failed = await project.build('-j', '1');
      assert.equal([ranBy(failed), errorsOf(failed).map(({ code }) => code)], [[1], ['worker-died']]);
      project.writeHome('2', '');
      assert.equal(ranBy(await project.build('-j', '1')), [2]);
    },
  ));

test.run();
