import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { records } from './matrix.ts';
import { errorsOf, ran, TestProject, warningsOf } from './project.ts';

const test = suite('bad records');

const config = (options = ''): string => `import { defineConfig, download, exportDataset, files } from 'dsbuild';
const raw = download({ sources: { 'm/*': files('in/*.jsonl') }${options} });
const text = exportDataset(raw, { format: 'jsonl', each: 'collection', out: 'out' });
export default defineConfig({ targets: { raw, text }, chunking: { chunkSize: '8KB' } });
`;

async function withProject(files: Record<string, string>, use: (project: TestProject) => Promise<void>): Promise<void> {
  const project = new TestProject();
  try {
    project.write('datasets.config.ts', config());
    for (const [name, text] of Object.entries(files)) project.write(name, text);
    await use(project);
  } finally {
    project.end();
  }
}

/** 300 good lines, with one bad line as line 201. */
const oneBad = (bad: string): string => {
  const lines = records(1, 300).trimEnd().split('\n');
  lines.splice(200, 0, bad);
  return `${lines.join('\n')}\n`;
};

const badLines: readonly (readonly [string, string])[] = [
  ['not JSON', '{"id":"x","text":"cut'],
  ['no text', '{"id":"x","title":"no text here"}'],
  ['text of another type', '{"id":"x","text":17}'],
  ['not an object', '["text"]'],
];

for (const [what, line] of badLines) {
  test(`a record that is ${what} is left out, counted, and named with its file and line, also when nothing runs`, () =>
    withProject({ 'in/a.jsonl': oneBad(line), 'in/b.jsonl': records(2) }, async (project) => {
      for (const expected of [true, false]) {
        const outcome = await project.build();
        assert.is(outcome.code, 0, JSON.stringify(errorsOf(outcome)));
        assert.is(outcome.summary.steps.ran > 0, expected);
        assert.equal(
          warningsOf(outcome).map(({ where }) => where),
          ['in/a.jsonl:201'],
        );
        assert.is(outcome.summary.targets['raw']?.quarantined, 1);
      }
      assert.is(project.read('out/data.jsonl').trimEnd().split('\n').length, 336);
    }));
}

test('invalid UTF-8 costs its own record only', () =>
  withProject({ 'in/b.jsonl': records(2) }, async (project) => {
    const [before, after] = oneBad('?').split('?') as [string, string];
    project.write('in/a.jsonl', Buffer.concat([Buffer.from(`${before}{"text":"`), Buffer.from([0xff]), Buffer.from(`"}${after}`)]));
    const outcome = await project.build();
    assert.is(outcome.code, 0, JSON.stringify(errorsOf(outcome)));
    assert.equal(
      warningsOf(outcome).map(({ where }) => where),
      ['in/a.jsonl:201'],
    );
    assert.is(project.read('out/data.jsonl').trimEnd().split('\n').length, 336);
  }));

const tenPercentBad = records(1, 90) + '{"broken\n'.repeat(10);

test('more bad records than the share that is let pass fail the build with the place of the first; raising and lowering it runs no step', () =>
  withProject({ 'in/a.jsonl': tenPercentBad }, async (project) => {
    const failed = await project.build();
    assert.is(failed.code, 1);
    const [error] = errorsOf(failed);
    assert.is(error?.code, 'too-many-bad-records');
    assert.match(error?.where ?? '', 'in/a.jsonl:91');
    assert.match(error?.message ?? '', '10 of 100');
    assert.equal(project.list('out'), []);

    project.write('datasets.config.ts', config(', badRecordShareMax: 0.1'));
    const raised = await project.build();
    assert.is(raised.code, 0, JSON.stringify(errorsOf(raised)));
    assert.is(ran(raised)['raw check'], undefined);
    assert.is(raised.summary.targets['raw']?.quarantined, 10);

    project.write('datasets.config.ts', config(', badRecordShareMax: 0.05'));
    const lowered = await project.build();
    assert.is(lowered.code, 1);
    assert.is(lowered.summary.steps.ran, 0);
    assert.equal(
      errorsOf(lowered).map(({ code }) => code),
      ['too-many-bad-records'],
    );
  }));

test("onBadRecord: 'fail' fails at the first; set back, nothing runs", () =>
  withProject({ 'in/a.jsonl': oneBad('{"id":1}') }, async (project) => {
    assert.is((await project.build()).code, 0);
    project.write('datasets.config.ts', config(", onBadRecord: 'fail'"));
    const failed = await project.build();
    assert.is(failed.code, 1);
    const [error] = errorsOf(failed);
    assert.is(error?.code, 'bad-record');
    assert.match(error?.where ?? '', 'in/a.jsonl:201');
    project.write('datasets.config.ts', config());
    assert.is((await project.build()).summary.steps.ran, 0);
  }));

test('a file without one good record fails, however small its share is', () =>
  withProject({ 'in/a.jsonl': `["neither"]\n${records(1, 2000)}`, 'in/b.jsonl': 'not json\n' }, async (project) => {
    const failed = await project.build();
    assert.is(failed.code, 1);
    const [error] = errorsOf(failed);
    assert.is(error?.code, 'no-good-record');
    assert.match(error?.where ?? '', 'in/b.jsonl:1');
    assert.match(error?.message ?? '', /^m\/b holds not one good record; the first: .*JSON/);
  }));

test('chats are recognised, and the hint is to adapt them', () =>
  withProject({ 'in/a.jsonl': '{"messages":[{"role":"user","content":"hello"}]}\n'.repeat(5) }, async (project) => {
    const failed = await project.build();
    assert.is(failed.code, 1);
    const [error] = errorsOf(failed);
    assert.match(error?.hint ?? '', 'adapt');
    assert.match(error?.where ?? '', 'in/a.jsonl:1');
  }));

test.run();
