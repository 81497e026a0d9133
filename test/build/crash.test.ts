import { cpSync, existsSync, readdirSync, readFileSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { dice, matrixConfig, matrixProject } from './matrix.ts';
import { errorsOf, type Outcome, ranInAll, type TestProject } from './project.ts';

const test = suite('crashes and company');

const jobs = 2;
const sources = 6;
/** Steps of a clean build with so many sources. */
let total = 0;
let clean: Record<string, string> = {};

async function with6Sources(use: (project: TestProject) => Promise<void>): Promise<void> {
  const project = matrixProject(sources);
  try {
    await use(project);
  } finally {
    project.end();
  }
}

async function assertSound(project: TestProject, outcome: Outcome): Promise<void> {
  assert.equal(errorsOf(outcome), []);
  assert.is(outcome.code, 0, outcome.stderr);
  assert.equal(project.snapshot(), clean);
  assert.is((await project.build()).summary.steps.ran, 0, 'the build after it has nothing to do');
}

/** A build of the program's targets, held while some of its programs run, and killed with its whole process group. */
async function killedMidway(project: TestProject): Promise<Outcome> {
  const gate = project.gate();
  const running = project.start('build', '--json', '-j', String(jobs));
  await gate.held(jobs);
  const killed = await running.kill();
  gate.end();
  assert.is(killed.code, 'SIGKILL');
  return killed;
}

test.before(async () => {
  await with6Sources(async (project) => {
    const outcome = await project.build();
    assert.is(outcome.code, 0, JSON.stringify(errorsOf(outcome)));
    total = outcome.summary.steps.ran;
    clean = project.snapshot();
  });
});

test('after kill -9 of the process group midway the next build goes on, and repeats at most the steps that were running', () =>
  with6Sources(async (project) => {
    const killed = await killedMidway(project);
    const [finished, leftovers] = [ranInAll(killed), project.list('.dsbuild/tmp')];
    assert.ok(finished > 0 && finished < total, `${finished} of ${total} steps had ended`);
    assert.ok(leftovers.length > 0, 'half-written files were left behind');
    const next = await project.build('-j', String(jobs));
    assert.ok(ranInAll(next) + finished <= total, `${finished} ended before, ${ranInAll(next)} ran afterwards, of ${total}`);
    await assertSound(project, next);
    assert.equal(project.list('.dsbuild/tmp'), []);
  }));

test('logs that were torn at any byte lose what stood behind it, and nothing is wrong', () =>
  with6Sources(async (project) => {
    await killedMidway(project);
    const state = join(project.home, 'state');
    cpSync(project.path('.dsbuild'), state, { recursive: true });
    const roll = dice(5);
    for (let i = 0; i < 6; i++) {
      project.remove('.dsbuild');
      project.remove('out');
      cpSync(state, project.path('.dsbuild'), { recursive: true });
      const open = project.list('.dsbuild').filter((name) => name.endsWith('.open') || name.endsWith('.pack'));
      assert.ok(open.some((name) => name.includes('/results/')) && open.some((name) => name.includes('/store/')));
      for (const name of open) truncateSync(project.path(name), roll(statSync(project.path(name)).size + 1));
      const next = await project.build();
      assert.equal(errorsOf(next), []);
      assert.equal(project.snapshot(), clean);
    }
    assert.is((await project.build()).summary.steps.ran, 0);
  }));

test('damaged bytes in the middle of a log or a pack are noticed', () =>
  with6Sources(async (project) => {
    await project.build();
    const roll = dice(11);
    for (const name of project.list('.dsbuild/store').concat(project.list('.dsbuild/results'))) {
      const bytes = readFileSync(project.path(name));
      for (let i = 0; i < 5; i++) {
        const at = roll(bytes.length);
        bytes[at] = (bytes[at] as number) ^ 0xff;
      }
      project.write(name, bytes);
    }
    project.remove('out');
    const next = await project.build();
    await assertSound(project, next);
  }));

test('kill -9 while files are being published leaves each of them old or new, and the next build ends the change', () =>
  with6Sources(async (project) => {
    await project.build();
    const configs = [matrixConfig(), matrixConfig({ labels: 'hf' })] as const;
    project.write('datasets.config.ts', configs[1]);
    await project.build();
    const snapshots = [clean, project.snapshot()] as const;
    const roll = dice(23);
    for (let i = 0; i < 24; i++) {
      const [before, after] = i % 2 === 0 ? [snapshots[1], snapshots[0]] : [snapshots[0], snapshots[1]];
      project.write('datasets.config.ts', configs[i % 2 === 0 ? 0 : 1]);
      const running = project.start('build', '--json');
      await running.says((event) => event.type === 'target-finished' && event.target === 'train');
      // Every other kill comes when the journal appears, with which publishing begins; the others at any moment around it. That a kill
      // before each single change is mended is held by the journal's own tests.
      if (i % 2 === 0) await Promise.race([project.changeIn('.dsbuild/published'), running.done]);
      else await delay(roll(12));
      await running.kill();
      const now = project.snapshot();
      for (const [name, digest] of Object.entries(now)) {
        if (/\/\.[^/]*\.tmp$/.test(name)) continue;
        assert.ok(digest === before[name] || digest === after[name], `${name} is neither as before nor as after`);
      }
      const next = await project.build();
      assert.equal(errorsOf(next), []);
      assert.is(next.summary.steps.ran, 0);
      assert.equal(project.snapshot(), after);
    }
  }));

test('two builds at once share the work, and leave a sound state', () =>
  with6Sources(async (project) => {
    const gate = project.gate();
    const both = [project.start('build', '--json'), project.start('build', '--json')];
    await gate.held();
    gate.open();
    const outcomes = await Promise.all(both.map(({ done }) => done));
    gate.end();
    assert.equal(
      outcomes.map(({ code }) => code),
      [0, 0],
      JSON.stringify(outcomes.flatMap(errorsOf)),
    );
    const steps = outcomes.map(ranInAll);
    assert.ok((steps[0] as number) + (steps[1] as number) <= total + 2, `${steps.join(' + ')} of ${total} steps`);
    assert.equal(project.snapshot(), clean);
    const third = await project.build();
    assert.is(third.code, 0);
    assert.equal(third.summary.steps, { ran: 0, hit: 0, restored: 0, failed: 0 });
  }));

test('a build that waits for another goes on by itself when that one is killed', () =>
  with6Sources(async (project) => {
    const gate = project.gate();
    const first = project.start('build', '--json');
    await gate.held();
    const second = project.start('build', '--json');
    await second.says(({ type }) => type === 'scanned');
    await first.kill();
    gate.open();
    const outcome = await second.done;
    gate.end();
    await assertSound(project, outcome);
  }));

test('Ctrl-C exits with 130, ends the programs that it had started, and the next build goes on', () =>
  with6Sources(async (project) => {
    const gate = project.gate();
    const running = project.start('build', '--json', '-j', String(jobs));
    await gate.held(jobs);
    const programs = readdirSync(project.home).flatMap((name) => /^gate\.held\.(\d+)$/.exec(name)?.[1] ?? []);
    running.interrupt();
    const interrupted = await running.done;
    const alive = programs.filter((pid) => existsSync(`/proc/${pid}/stat`) && !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8')));
    gate.end();
    assert.is(interrupted.code, 130);
    assert.is(interrupted.summary.ok, false);
    assert.equal(alive, []);
    assert.equal(project.list('out'), []);
    const next = await project.build('-j', String(jobs));
    assert.ok(ranInAll(next) + ranInAll(interrupted) <= total);
    await assertSound(project, next);
  }));

test.run();
