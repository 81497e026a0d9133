// time limit: 600 s
import { setTimeout as delay } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { dice, matrixProject, sourceName } from './matrix.ts';
import { errorsOf, type Outcome, type TestProject } from './project.ts';

const test = suite('garbage collection by processes');

const kills = 20;
const rounds = 5;
const sources = 6;

const gc = (project: TestProject, max: string): Promise<Outcome> => project.start('cache', 'gc', '--max', max, '--json').done;
const edit = (project: TestProject, i: number): void =>
  project.edit(sourceName(1 + (i % (sources - 1))), (text) => text.replace('"text":"', `"text":"edit ${i} `));

async function buildWell(project: TestProject): Promise<Outcome> {
  const outcome = await project.build();
  assert.equal(errorsOf(outcome), []);
  assert.is(outcome.code, 0, outcome.stderr);
  return outcome;
}

/** What is published after a build of nothing but the sources as they are. */
async function cleanSnapshot(project: TestProject): Promise<Record<string, string>> {
  const clean = matrixProject(sources);
  try {
    clean.remove('in');
    clean.copyIn(project.path('in'), 'in');
    await buildWell(clean);
    return clean.snapshot();
  } finally {
    clean.end();
  }
}

test('kill -9 at any moment of a collection leaves a cache with which all goes on', async () => {
  const project = matrixProject(sources);
  const roll = dice(7);
  try {
    await buildWell(project);
    const started = performance.now();
    await gc(project, '1KB');
    const tookMs = performance.now() - started;
    for (let i = 0; i < kills; i++) {
      edit(project, i);
      await buildWell(project);
      const running = project.start('cache', 'gc', '--max', i % 2 === 0 ? '0' : '40KB', '--json');
      await delay(tookMs * 0.4 + roll(tookMs * 0.8));
      await running.kill();
      assert.is((await buildWell(project)).summary.steps.ran, 0, `after kill ${i}`);
    }
    project.remove('out');
    assert.is((await buildWell(project)).summary.steps.ran, 0);
    assert.equal(project.snapshot(), await cleanSnapshot(project));
  } finally {
    project.end();
  }
});

test('collections by other processes while a build runs keep it from nothing', async () => {
  const project = matrixProject(sources);
  try {
    await buildWell(project);
    for (let i = 0; i < rounds; i++) {
      edit(project, i);
      if (i % 2 === 1) await gc(project, '0');
      if (i % 2 === 1) project.remove('out');
      const building = buildWell(project);
      let isBuilding = true;
      const over = building.finally(() => {
        isBuilding = false;
      });
      while (isBuilding) assert.is((await Promise.all([gc(project, '0'), gc(project, '20KB')])).filter(({ code }) => code !== 0).length, 0);
      await over;
      assert.is((await buildWell(project)).summary.steps.ran, 0);
    }
    assert.equal(project.snapshot(), await cleanSnapshot(project));
  } finally {
    project.end();
  }
});

test.run();
