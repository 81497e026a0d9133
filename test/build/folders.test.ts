import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { matrixProject } from './matrix.ts';
import { errorsOf } from './project.ts';

const test = suite('same bytes anywhere');

test('two folders, one worker and two: all published bytes are equal', async () => {
  const projects = [matrixProject(12), matrixProject(12)] as const;
  try {
    const outcomes = await Promise.all(projects.map((project, i) => project.build('-j', String(i + 1))));
    assert.equal(outcomes.flatMap(errorsOf), []);
    const [one, two] = projects.map((project) => project.snapshot());
    assert.is(Object.keys(one as object).length, 12 * 2 + 1 + 2);
    assert.equal(one, two);
  } finally {
    for (const project of projects) project.end();
  }
});

test('a project that was moved builds nothing again, and publishes the same bytes', async () => {
  const [project, other] = [matrixProject(4), matrixProject(0)];
  try {
    await project.build();
    for (const name of ['in', '.dsbuild']) {
      other.remove(name);
      other.copyIn(project.path(name), name);
    }
    const moved = await other.build();
    assert.equal(errorsOf(moved), []);
    assert.is(moved.summary.steps.ran, 0);
    assert.equal(other.snapshot(), project.snapshot());
  } finally {
    project.end();
    other.end();
  }
});

test.run();
