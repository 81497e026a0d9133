import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { BuildEvent } from '../../src/base/events.ts';
import { githubReporter } from '../../src/report/github.ts';
import { failedBuild, goodBuild, HandClock, play, type Timed } from './events.ts';

const test = suite('GitHub Actions');

function reported(events: readonly Timed[]): { text: string; summary: string } {
  const folder = mkdtempSync(join(tmpdir(), 'dsbuild-github-'));
  const summaryFile = join(folder, 'summary.md');
  let text = '';
  try {
    const reporter = githubReporter({ write: (more) => (text += more) }, { cwd: '/repo/project', workspace: '/repo', summaryFile });
    play(events, { emit: reporter.emit, clock: new HandClock() });
    reporter.close();
    return { text, summary: readFileSync(summaryFile, 'utf8') };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function annotationsOf(event: BuildEvent): string {
  let text = '';
  githubReporter({ write: (more) => (text += more) }, { cwd: '/repo/project', workspace: '/repo' }).emit(event);
  return text;
}

test('the lines of a build are one group, and a warning is an annotation of its file and line below the workspace', () => {
  const { text } = reported(goodBuild);
  assert.ok(text.startsWith('::group::dsbuild\n'));
  assert.ok(text.endsWith('::endgroup::\n'));
  assert.match(text, /::warning file=project\/data\/a\.jsonl,line=12,title=bad-records::6 bad records were left out: not-json\n/);
});

test('a failure is an error at the place that is nearest to the mistake', () => {
  const where = 'datasets.config.ts:3 raw › data/b.jsonl:17';
  const error = { code: 'too-many', message: 'first\nsecond: 5 %', where, hint: 'Mend it.' };
  assert.is(
    annotationsOf({ type: 'target-failed', target: 'raw', error }),
    '::error file=project/data/b.jsonl,line=17,title=too-many::first%0Asecond: 5 %25%0AMend it.\n',
  );
});

test('what has no place, or one outside the workspace, is an error without a file, and keeps its place in the text', () => {
  assert.is(annotationsOf({ type: 'target-failed', target: '', error: { code: 'x', message: 'm' } }), '::error title=x::m\n');
  const outside = { code: 'x', message: 'm', where: '/elsewhere/a.jsonl:3' };
  assert.not.match(annotationsOf({ type: 'target-failed', target: '', error: outside }), /file=/);
  const noLine = { code: 'x', message: 'm', where: '/disk' };
  assert.is(annotationsOf({ type: 'target-failed', target: '', error: noLine }), '::error title=x::/disk  m\n');
});

test('nothing in a message can end an annotation or begin another one', () => {
  const error = { code: 'a,b:c', message: 'x\r\n::error file=evil::y', where: 'a,b.jsonl:1' };
  const text = annotationsOf({ type: 'target-failed', target: '', error });
  assert.is(text.split('\n').length, 2);
  assert.match(text, /^::error file=project\/a%2Cb\.jsonl,line=1,title=a%2Cb%3Ac::x%0D%0A::error file=evil::y\n$/);
});

test('the page of the job gets the funnel, the reasons, and how it ended', () => {
  const { summary } = reported(goodBuild);
  assert.match(summary, /\*\*done in 13\.2 s: 3 steps ran, 1 known, 2 targets built, 1 fresh\*\*/);
  assert.match(summary, /\| target \| documents in \| dropped \| quarantined \| out \| tokens \| bytes \|\n\| --- \| ---: \|/);
  assert.match(summary, /\| clean \| 1,204 \| 204 \| {2}\| 1,000 \| {2}\| 2\.0 KB \|/);
  assert.match(summary, /- clean dropped too-short 200, duplicate 4/);
  assert.match(summary, /- `clean`: option charsMin: 80 -> 90/);
});

test('a build that failed says so on the page, with the place', () => {
  const { summary, text } = reported(failedBuild);
  assert.match(summary, /failed in/);
  assert.match(summary, /Failed:\n\n- \*\*/);
  assert.match(text, /::error /);
});

test('an error that belongs to no target, such as an edited file, stands on the page with its reason', () => {
  const error = { code: 'edited', message: 'it was changed', where: 'out/a.parquet', hint: 'Give --overwrite.' };
  const failure: BuildEvent = { type: 'target-failed', target: '', error };
  const [last] = failedBuild.slice(-1);
  const { summary } = reported([...failedBuild.slice(0, -1), [(last as Timed)[0], failure], last as Timed]);
  assert.match(summary, 'Failed:\n\n');
  assert.match(summary, '- **edited**: out/a.parquet it was changed\n  Give --overwrite.\n');
});

test.run();
