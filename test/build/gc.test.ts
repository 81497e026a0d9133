import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { CacheStats } from '../../src/engine/gc/cache-stats.ts';
import type { GcReport } from '../../src/engine/gc/report.ts';
import { matrixProject } from './matrix.ts';
import { type Outcome, TestProject } from './project.ts';

const test = suite('dsbuild cache');

const answer = <T>({ events }: Outcome): T => events.at(-1) as unknown as T;
const run = (project: TestProject, ...args: string[]): Promise<Outcome> => project.start(...args).done;

async function text(project: TestProject, ...args: string[]): Promise<string> {
  const running = project.startText(...args);
  assert.is(await running.done, 0);
  return running.text;
}

test('cache gc and cache stats say what they see, to people and to programs', async () => {
  const project = matrixProject(4);
  try {
    await project.build();
    const before = project.snapshot();
    const stats = answer<CacheStats>(await run(project, 'cache', 'stats', '--json'));
    assert.ok(stats.store.bytes > 0 && stats.bytes.published > 0);
    assert.ok(stats.targets.some(({ target, bytes }) => target === 'tokens' && bytes.intermediate > 0));
    assert.match(
      await text(project, 'cache', 'stats'),
      /tokens[\s\S]*the cache may grow to .* \(half of what this disk would have free without it\)[\s\S]*never collected/,
    );

    const plan = answer<GcReport>(await run(project, 'cache', 'gc', '--max', '0', '--dry-run', '--json'));
    assert.equal([plan.dryRun, plan.bytesBefore], [true, stats.store.bytes]);
    assert.match(
      await text(project, 'cache', 'gc', '--max', '0', '-n'),
      /tokens {2}[\s\S]* built \d{4}-\d\d-\d\d \d\d:\d\d, last used [\s\S]*would be freed/,
    );
    assert.match(await text(project, 'cache', 'gc', '--max', '0'), /never collected: .* lists[\s\S]* freed: the cache has /);
    assert.match(await text(project, 'cache', 'stats'), /last collection \d{4}/);

    const again = await project.build();
    assert.equal(again.summary.steps, { ran: 0, hit: 0, restored: 0, failed: 0 });
    assert.equal(project.snapshot(), before);
    project.remove('out');
    assert.ok((await project.build()).summary.steps.restored > 0);
    assert.equal(project.snapshot(), before);
  } finally {
    project.end();
  }
});

test('a size that is none is a mistake on the command line', async () => {
  const project = new TestProject();
  try {
    const running = project.startText('cache', 'gc', '--max', 'lots');
    assert.is(await running.done, 2);
  } finally {
    project.end();
  }
});

test('doctor says how large the cache is and may grow', async () => {
  const project = matrixProject(2);
  try {
    await project.build();
    assert.match(await text(project, 'doctor'), /cache +[\d.]+ [KM]?B, may grow to [\d.]+ [GT]B/);
  } finally {
    project.end();
  }
});

test.run();
