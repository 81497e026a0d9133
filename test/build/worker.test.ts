import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { records, sourceName } from './matrix.ts';
import { errorsOf, ran, TestProject, warningsOf } from './project.ts';

const test = suite('workers that fail');

const config = `import { defineConfig, download, exportDataset, files, filter } from 'dsbuild';
import { fussy } from './fussy.ts';
const raw = download({ sources: { 'm/*': files('in/*.jsonl') } });
const clean = filter(raw, { use: [fussy()] });
const text = exportDataset(clean, { format: 'jsonl', out: 'out' });
export default defineConfig({ targets: { raw, clean, text }, chunking: { chunkSize: '8KB' } });
`;

const filterThat = (does: string): string => `import { defineFilter, keep } from 'dsbuild';
export const fussy = defineFilter({ name: 'fussy', options: {}, decide(document) {
  if (document.text.includes('DANGER')) { ${does} }
  return keep;
} });
`;

async function withProject(use: (project: TestProject) => Promise<void>): Promise<void> {
  const project = new TestProject();
  try {
    project.write('datasets.config.ts', config);
    for (let i = 1; i < 5; i++) project.write(sourceName(i), records(i, 10));
    await use(project);
  } finally {
    project.end();
  }
}

const inDanger = (project: TestProject): void => project.edit(sourceName(3), (text) => text.replace('"text":"', '"text":"DANGER '));

test('a filter that ends its worker ends the build with exit 1 and its name; what had ended stays, and after the repair only the rest runs', () =>
  withProject(async (project) => {
    project.write('fussy.ts', filterThat('process.exit(3)'));
    assert.is((await project.build('-j', '2')).code, 0, 'it is fine without such a document');
    inDanger(project);
    const failed = await project.build('-j', '2');
    assert.is(failed.code, 1);
    assert.equal(
      errorsOf(failed).map(({ code, where }) => [code, where]),
      [['worker-died', 'in/s03.jsonl:1']],
    );
    assert.ok(failed.events.some((event) => event.type === 'target-failed' && event.target === 'clean'));
    assert.ok(failed.events.some((event) => event.type === 'step-failed' && event.step === 'decide' && event.final));
    assert.equal(ran(failed), { 'raw check': 1 });
    project.edit(sourceName(3), (text) => text.replace('DANGER', 'safety'));
    const mended = await project.build('-j', '2');
    assert.equal(errorsOf(mended), []);
    assert.equal(ran(mended), { 'clean decide': 1, 'raw check': 1, 'text join': 1, 'text render': 1 });
  }));

test('a filter that never comes back from a record ends the build with its place in the source; all else is built, and nothing of it is kept', () =>
  withProject(async (project) => {
    const other = "text, other: exportDataset(raw, { format: 'jsonl', out: 'out/other' }) }, recordSecondsMax: 0.3";
    const limited = config.replace('text }', other);
    project.write('datasets.config.ts', limited);
    project.write('fussy.ts', filterThat("/^(a+)+$/.test('a'.repeat(60) + 'b')"));
    project.edit(sourceName(3), (text) => text.replace('"text":"', '"text":"safety ').replace(/(.*\n.*"text":")/, '$1DANGER '));
    const failed = await project.build('-j', '3', '--keep-going');
    assert.is(failed.code, 1);
    const [error, ...more] = errorsOf(failed);
    assert.equal(more, []);
    assert.equal([error?.code, error?.where], ['record-timeout', 'in/s03.jsonl:2']);
    assert.is(error?.message, 'step "decide" had not come back from a record after 0.3 s, and was ended with its worker');
    assert.match(error?.hint ?? '', 'recordSecondsMax');
    assert.equal(
      failed.events.flatMap((event) =>
        event.type === 'step-failed' ? [[event.target, event.attempt, event.final, event.error.where]] : [],
      ),
      [1, 2, 3].map((attempt) => ['clean', attempt, attempt === 3, 'in/s03.jsonl:2']),
    );
    assert.equal([ran(failed)['clean decide'], ran(failed)['other join']], [3, 4]);
    project.write('datasets.config.ts', limited.replace('0.3', '30'));
    project.edit(sourceName(3), (text) => text.replace('DANGER', 'safety'));
    const mended = await project.build('-j', '2');
    assert.equal(errorsOf(mended), []);
    assert.equal([ran(mended)['clean decide'], ran(mended)['raw check']], [1, 1]);
    assert.is(project.list('out').filter((name) => name.endsWith('.jsonl')).length, 8);
  }));

test('a filter that throws costs its record, and more of them than are let pass fail the build with the place', () =>
  withProject(async (project) => {
    project.write('fussy.ts', filterThat("throw new Error('can not stand it')"));
    inDanger(project);
    const failed = await project.build('-j', '2');
    assert.is(failed.code, 1);
    const [error] = errorsOf(failed);
    assert.is(error?.code, 'too-many-bad-records');
    assert.match(error?.where ?? '', 'in/s03.jsonl:1');
    assert.match(error?.message ?? '', 'can not stand it');
    project.write('fussy.ts', filterThat('return { keep: false, reason: "danger" };'));
    const mended = await project.build('-j', '2');
    assert.equal(errorsOf(mended), []);
    assert.is(ran(mended)['raw check'], undefined);
    assert.equal(mended.summary.targets['clean']?.dropped, { danger: 1 });
  }));

test('with --keep-going all that does not depend on the failure is built', () =>
  withProject(async (project) => {
    project.write(
      'datasets.config.ts',
      config.replace('text }', "text, other: exportDataset(raw, { format: 'jsonl', out: 'out/other' }) }"),
    );
    project.write('fussy.ts', filterThat('process.exit(3)'));
    inDanger(project);
    const failed = await project.build('-j', '2', '--keep-going');
    assert.is(failed.code, 1);
    assert.equal(project.list('out').filter((name) => name.startsWith('out/other/')).length, 4);
    assert.equal(project.list('out').length, 4);
    assert.is(ran(failed)['clean decide'], 3);
  }));

test('damaged views in the store are made again', () =>
  withProject(async (project) => {
    project.write('fussy.ts', filterThat('return { keep: false, reason: "danger" };'));
    inDanger(project);
    assert.is((await project.build()).code, 0);
    const clean = project.snapshot();
    for (const name of project.list('.dsbuild/store').filter((path) => path.endsWith('.pack'))) {
      project.edit(name, (bytes) => bytes.replace(/[\s\S]/g, 'z'));
    }
    project.write('datasets.config.ts', config.replace("'jsonl', out", "'jsonl', each: 'group', fields: ['text'], out"));
    const outcome = await project.build();
    assert.equal(errorsOf(outcome), []);
    assert.ok(warningsOf(outcome).length > 0);
    project.write('datasets.config.ts', config);
    assert.equal(errorsOf(await project.build()), []);
    assert.equal(project.snapshot(), clean);
  }));

test.run();
