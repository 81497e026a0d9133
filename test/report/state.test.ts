import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { apply, emptyView, shareDone, type TargetView } from '../../src/report/state.ts';
import { failedBuild, goodBuild, viewAfter } from './events.ts';

const test = suite('view of a build');

const statesAfter = (count: number, events = goodBuild): string[] =>
  [...viewAfter(events.slice(0, count)).targets.values()].map(({ name, state }) => `${name} ${state}`);

test('targets stand in the order of the build and wait until something happens to them', () => {
  assert.equal(statesAfter(1), ['raw waiting', 'clean waiting', 'tokens waiting']);
  assert.equal(statesAfter(2), ['raw running', 'clean waiting', 'tokens waiting']);
  assert.equal(statesAfter(goodBuild.length), ['raw built', 'clean built', 'tokens kept']);
  assert.equal(statesAfter(failedBuild.length, failedBuild), ['raw failed', 'tokens blocked']);
});

test('steps are counted as they start and end, with the bytes that they read', () => {
  const raw = (count: number): TargetView => viewAfter(goodBuild.slice(0, count)).targets.get('raw') as TargetView;
  const counts = ({ planned, ended, running, bytesIn }: TargetView) => ({ planned, ended, running: running.size, bytesIn });
  assert.equal(counts(raw(5)), { planned: 2, ended: 0, running: 2, bytesIn: 0 });
  assert.equal(counts(raw(7)), { planned: 2, ended: 1, running: 1, bytesIn: 650_000 });
  assert.equal(counts(raw(10)), { planned: 2, ended: 2, running: 0, bytesIn: 1_250_000 });
});

test('the share that is done counts running steps by their own progress', () => {
  const raw = (count: number): number => shareDone(viewAfter(goodBuild.slice(0, count)).targets.get('raw') as TargetView);
  assert.equal([raw(1), raw(5), raw(6), raw(7), raw(8)], [0, 0, 0.125, 0.5, 1]);
});

test('steps that are planned or known count before any starts', () => {
  const view = viewAfter(goodBuild.slice(0, 3));
  apply(view, { type: 'steps-planned', target: 'raw', planned: 10, done: 5 }, 25);
  assert.is(shareDone(view.targets.get('raw') as TargetView), 0.5);
});

test('a target that starts again after a source changed is running again', () => {
  const view = viewAfter(goodBuild);
  apply(view, { type: 'target-started', target: 'raw', rule: 'download', why: ['a.jsonl changed'] }, 20_000);
  const { state, summary, startedMs } = view.targets.get('raw') as TargetView;
  assert.equal({ state, summary, startedMs }, { state: 'running', summary: undefined, startedMs: 20_000 });
});

test('an error of the build as a whole makes no target', () => {
  const view = emptyView();
  apply(view, { type: 'target-failed', target: '', error: { code: 'disk-full', message: 'no space' } }, 1);
  assert.is(view.targets.size, 0);
  assert.is(view.stopped?.code, 'disk-full');
});

test('all warnings are counted, the newest hundred are kept', () => {
  const view = emptyView();
  for (let i = 0; i < 150; i++) apply(view, { type: 'warning', code: 'x', message: String(i) }, i);
  assert.is(view.warningCount, 150);
  assert.equal([view.warnings.length, view.warnings[0]?.message, view.warnings.at(-1)?.message], [100, '50', '149']);
});

test('what was read and published is added up', () => {
  const view = viewAfter(goodBuild);
  assert.equal(view.scanned, { files: 2, bytes: 1_250_000, chunks: 2 });
  assert.equal(view.published, [{ target: 'clean', out: '/project/out/clean', files: 2, removed: 1, bytes: 1_300_000 }]);
  assert.is(view.summary?.run, 'r1');
});

test.run();
