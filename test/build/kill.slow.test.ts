// time limit: 600 s
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { dice, matrixProject, records, sourceName } from './matrix.ts';
import { errorsOf, ranInAll, type TestProject } from './project.ts';

const test = suite('kill -9 at random moments');

const kills = 100;
const jobs = 2;
const sources = 6;

/** Notes in `$HOME` each time that it has done its work. */
const notingScript = `#!/bin/sh
tr 'A-Z' 'a-z'
echo done >> "$HOME/programs"
`;

const programsRun = (project: TestProject): number => readFileSync(join(project.home, 'programs'), 'utf8').split('\n').length - 1;

test('after each of 100 kills the next build ends well by itself, and repeats at most the steps that were running', async () => {
  const project = matrixProject(0);
  project.write('tools/lower.sh', notingScript);
  for (let i = 1; i <= sources; i++) project.write(sourceName(i), records(i, 20));
  const roll = dice(2026);
  try {
    const started = performance.now();
    const first = await project.build('-j', String(jobs));
    const tookMs = performance.now() - started;
    const total = first.summary.steps.ran;
    const clean = project.snapshot();
    let midway = 0;
    for (let i = 0; i < kills; i++) {
      project.remove('.dsbuild');
      project.remove('out');
      project.writeHome('programs', '');
      const running = project.start('build', '--json', '-j', String(jobs));
      await delay(roll(tookMs * 1.1));
      const killed = await running.kill();
      const finished = ranInAll(killed);
      if (killed.code === 'SIGKILL' && finished > 0) midway++;
      const next = await project.build('-j', String(jobs));
      assert.equal(errorsOf(next), [], `after kill ${i}`);
      assert.is(next.code, 0, next.stderr);
      assert.equal(project.snapshot(), clean, `after kill ${i}`);
      assert.ok(ranInAll(next) + finished <= total, `${finished} had ended, ${ranInAll(next)} ran afterwards, of ${total}`);
      const programs = programsRun(project);
      // For each worker, one whose result is on its way to the log and one that was begun meanwhile.
      assert.ok(programs <= sources + 2 * jobs, `${programs} programs ran to their end, for ${sources} steps`);
    }
    assert.ok(midway > 5, `only ${midway} kills hit a build between its first and its last step`);
    assert.is((await project.build()).summary.steps.ran, 0);
  } finally {
    project.end();
  }
});

test.run();
