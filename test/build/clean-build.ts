/** What the project of the correctness matrix comes to when it is built from nothing. */
import * as assert from 'uvu/assert';
import { matrixProject } from './matrix.ts';
import { errorsOf, type Outcome, type TestProject } from './project.ts';

/** All that a build reads, as far as a test has it. */
const inputs = ['datasets.config.ts', 'in', 'tools', 'adapter.ts', 'fussy.ts'];

export async function withProject(project: TestProject, use: (project: TestProject) => Promise<void>): Promise<void> {
  try {
    await use(project);
  } finally {
    project.end();
  }
}

/** What a build of the same inputs from nothing publishes. */
export async function cleanBuild(project: TestProject): Promise<Record<string, string>> {
  const other = matrixProject(0);
  try {
    for (const name of inputs) if (project.has(name)) other.copyIn(project.path(name), name);
    assert.is((await other.build()).code, 0);
    return other.snapshot();
  } finally {
    other.end();
  }
}

export async function assertAsClean(project: TestProject, outcome: Outcome): Promise<void> {
  assert.equal(errorsOf(outcome), []);
  assert.is(outcome.code, 0, outcome.stderr);
  assert.equal(project.snapshot(), await cleanBuild(project));
}
