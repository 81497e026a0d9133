import { existsSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { BuildEvent } from '../../src/base/events.ts';
import { errorsOf, type Outcome, TestProject } from './project.ts';

const test = suite('steps that run');

const steps = 240;
const waitsAt = 100;

/** What small steps, which travel many to a message, do: every so many wait for a moment, and some do something else at first. */
const configThat = (atFirst: string, marks: string): string => `import { existsSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { defineConfig, defineRule, defineStep } from 'dsbuild';
const isFirst = (i) => {
  const mark = ${JSON.stringify(marks)} + i;
  if (existsSync(mark)) return false;
  writeFileSync(mark, '');
  return true;
};
const small = defineStep('small', { version: 1 }, async (_inputs, { i }, io) => {
  if (i % 40 === 39) await delay(5);
  ${atFirst};
  const part = io.create('file');
  part.write(Buffer.from(String(i)));
  part.close();
});
const many = defineRule({ name: 'many', version: 1, inputs: {}, output: 'files', options: {}, steps: [small],
  async plan(_inputs, _options, build) {
    // Of later steps it is known that they are quick.
    for (let i = 0; i < 20; i++) await build.step(small, {}, { i });
    for (let i = 20; i < ${steps}; i++) build.emit(build.step(small, {}, { i }));
  },
});
export default defineConfig({ targets: { many: many({ retries: 3 }) } });
`;

const sometimes = 'if (i % 50 === 25 && isFirst(i))';
const waits = `if (i === ${waitsAt} && isFirst(i)) await new Promise(() => {})`;

async function withProject(atFirst: string, use: (project: TestProject) => Promise<void>): Promise<void> {
  const project = new TestProject();
  try {
    project.write('marks/none', '');
    project.write('datasets.config.ts', configThat(atFirst, project.path('marks/')));
    await use(project);
  } finally {
    project.end();
  }
}

/** How many steps run at once by what is told, at the most. */
function mostAtOnce(events: readonly BuildEvent[]): number {
  const running = new Set<number>();
  let most = 0;
  for (const event of events) {
    if (event.type === 'step-started') running.add(event.id);
    if (event.type === 'step-failed') running.delete(event.id);
    if (event.type === 'step-finished') assert.ok(running.delete(event.id), `step ${event.id} ended and was not told to have begun`);
    most = Math.max(most, running.size);
  }
  return most;
}

const finished = ({ events }: Outcome): number => events.filter(({ type }) => type === 'step-finished').length;

for (const jobs of [1, 3]) {
  for (const [does, code] of [
    ['fail', "throw new Error('at first')"],
    ['end their workers', 'process.exit(3)'],
  ] as const) {
    test(`with -j ${jobs} at most ${jobs} steps are told to run at once, also when some ${does} at first`, () =>
      withProject(`${sometimes} ${code}`, async (project) => {
        const outcome = await project.build('-j', String(jobs));
        assert.equal(errorsOf(outcome), []);
        assert.is(outcome.code, 0, outcome.stderr);
        assert.is(finished(outcome), steps);
        assert.ok(outcome.events.some(({ type }) => type === 'step-failed'));
        const most = mostAtOnce(outcome.events);
        assert.ok(most > 0 && most <= jobs, `${most} at once`);
      }));
  }
}

test('of a build that is broken off no more steps are told to run at once than there are workers', () =>
  withProject(waits, async (project) => {
    const running = project.start('build', '--json', '-j', '2');
    await running.says(({ type }) => type === 'step-finished');
    running.interrupt();
    const outcome = await running.done;
    assert.is(outcome.code, 130);
    assert.ok(finished(outcome) < steps);
    assert.ok(mostAtOnce(outcome.events) <= 2);
  }));

test('kill -9 while a step waits that came in a message with others loses that step only', () =>
  withProject(waits, async (project) => {
    const running = project.start('build', '--json', '-j', '1');
    let ended = 0;
    await running.says(({ type }) => type === 'step-finished' && ++ended === waitsAt);
    // Else it would wait in the next build.
    while (!existsSync(project.path(`marks/${waitsAt}`))) await new Promise((resolve) => void setImmediate(resolve));
    assert.is(finished(await running.kill()), waitsAt);
    const next = await project.build('-j', '1');
    assert.equal(errorsOf(next), []);
    assert.is(finished(next), steps - waitsAt);
  }));

test.run();
