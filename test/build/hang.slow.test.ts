/** Code of the user's that does not come back, wherever it may stand. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { assertAsClean, withProject as within } from './clean-build.ts';
import { records, sourceName } from './matrix.ts';
import { errorsOf, ran, TestProject } from './project.ts';

const test = suite('code that does not come back');

const recordSecondsMax = 0.3;

function withProject(config: string, use: (project: TestProject) => Promise<void>): Promise<void> {
  const project = new TestProject();
  project.write('datasets.config.ts', config);
  for (let i = 0; i < 4; i++) project.write(sourceName(i), records(i, 10));
  return within(project, use);
}

const inDanger = (project: TestProject): void =>
  project.edit(sourceName(3), (text) => text.replace(/((?:.*\n){4}.*"text":")/, '$1DANGER '));

const filtered = `import { defineConfig, download, exportDataset, files, filter } from 'dsbuild';
import { fussy } from './fussy.ts';
const raw = download({ sources: { 'm/*': files('in/*.jsonl') } });
const text = exportDataset(filter(raw, { use: [fussy()] }), { format: 'jsonl', out: 'out' });
export default defineConfig({ targets: { raw, text }, recordSecondsMax: ${recordSecondsMax} });
`;
const fussy = (does: string): string => `import { existsSync, writeFileSync } from 'node:fs';
import { defineFilter, keep } from 'dsbuild';
export const fussy = defineFilter({ name: 'fussy', options: {}, decide(document) {
  if (document.text.includes('DANGER')) { ${does} }
  return keep;
} });
`;

test('a worker that does not come back once loses its step only: it runs again in another, and the result is that of a clean build', () =>
  withProject(filtered, async (project) => {
    const done = JSON.stringify(`${project.home}/done`);
    project.write('fussy.ts', fussy(`if (!existsSync(${done})) { writeFileSync(${done}, ''); for (;;); }`));
    inDanger(project);
    const built = await project.build('-j', '2');
    assert.equal(
      built.events.flatMap((event) => (event.type === 'step-failed' ? [[event.error.code, event.error.where, event.final]] : [])),
      [['record-timeout', 'in/s03.jsonl:5', false]],
    );
    await assertAsClean(project, built);
    assert.is((await project.build()).summary.steps.ran, 0);
  }));

const others = {
  'an adapter in a loop': {
    'adapter.ts': `import { defineAdapter } from 'dsbuild';
export const slow = defineAdapter({ name: 'slow', adapt(record) { while (String(record.text).includes('DANGER')); return record; } });
`,
    'datasets.config.ts': `import { defineConfig, download, files } from 'dsbuild';
import { slow } from './adapter.ts';
const given = download({ sources: { 'm/*': files('in/*.jsonl', { adapt: slow }) } });
export default defineConfig({ targets: { given }, recordSecondsMax: ${recordSecondsMax} });
`,
  },
  "a step of one's own that waits for a promise nobody settles": {
    'rule.ts': `import { defineRule, defineStep } from 'dsbuild';
const wait = defineStep('wait', { version: 1 }, async ({ chunk }, _params, io) => {
  const records = io.records();
  for (const row of io.documents(chunk)) {
    if (row.document.text.includes('DANGER')) await new Promise(() => {});
    records.write(row.line);
  }
  records.close();
});
export const waiting = defineRule({ name: 'waiting', version: 1, inputs: { documents: 'documents' }, output: 'documents', options: {}, steps: [wait],
  async plan({ documents }, _options, build) { for await (const chunk of documents) build.emit(build.step(wait, { chunk }, {})); } });
`,
    'datasets.config.ts': `import { defineConfig, download, files } from 'dsbuild';
import { waiting } from './rule.ts';
const given = waiting(download({ sources: { 'm/*': files('in/*.jsonl') } }));
export default defineConfig({ targets: { given }, recordSecondsMax: ${recordSecondsMax} });
`,
  },
};
for (const [what, written] of Object.entries(others)) {
  test(`${what} is told with file and line, and all that does not depend on it stays`, () =>
    withProject('', async (project) => {
      for (const [name, content] of Object.entries(written)) project.write(name, content);
      inDanger(project);
      const failed = await project.build('-j', '3');
      assert.is(failed.code, 1);
      assert.equal(
        errorsOf(failed).map(({ code, where }) => [code, where]),
        [['record-timeout', 'in/s03.jsonl:5']],
      );
      project.edit(sourceName(3), (text) => text.replace('DANGER ', ''));
      const mended = await project.build('-j', '3');
      assert.equal(errorsOf(mended), []);
      const steps = Object.values(ran(mended)).reduce((sum, count) => sum + count, 0);
      assert.ok(steps <= 2, JSON.stringify(ran(mended)));
    }));
}

test('watch tells it and goes on: once the filter is mended the next build ends well', () =>
  withProject(filtered, async (project) => {
    project.write('fussy.ts', fussy('for (;;);'));
    inDanger(project);
    const watching = project.start('watch', '--json', '-j', '2');
    await watching.says((event) => event.type === 'target-failed' && event.error.code === 'record-timeout');
    await watching.says((event) => event.type === 'watching');
    project.write('fussy.ts', fussy(''));
    await watching.says((event) => event.type === 'summary' && event.ok);
    watching.interrupt();
    await watching.done;
    await assertAsClean(project, await project.build());
  }));

test.run();
