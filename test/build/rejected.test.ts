/** What a filter dropped, and why, as `dsbuild head --rejected` shows it. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { TestProject } from './project.ts';

const test = suite('head --rejected');

const config = `import { defineConfig, defineFilter, download, drop, files, filter, keep } from 'dsbuild';
import { judged, odd } from './filters.ts';

const raw = download({ sources: { 'code/apps': files('in/*.jsonl') } });
const clean = filter(filter(raw, { use: odd() }), { use: judged() });
export default defineConfig({ targets: { raw, clean } });
`;

const filters = `import { defineFilter, drop, keep } from 'dsbuild';

export const odd = defineFilter({ name: 'odd', options: {}, decide: ({ id }) => (/[13579]$/.test(id) ? drop('odd') : keep) });
export const judged = defineFilter({
  name: 'judged',
  options: {},
  decide: ({ text }) => (text === '' ? drop('empty') : text.length < 5 ? drop('too-short') : keep),
});
`;

const line = (id: number, text: string): string => `${JSON.stringify({ id: `d${id}`, text, reason: 'its own' })}\n`;

async function head(project: TestProject, ...args: readonly string[]): Promise<readonly unknown[]> {
  const { events } = await project.start('head', ...args).done;
  return events;
}

test('each dropped document is shown with the reason for which it was dropped, also after an edit', async () => {
  const project = new TestProject();
  try {
    project.write('datasets.config.ts', config);
    project.write('filters.ts', filters);
    const texts = ['long enough', 'long enough', 'abc', 'abc', '', 'long enough', 'abcd'];
    project.write('in/a.jsonl', texts.map((text, i) => line(i, text)).join(''));
    assert.is((await project.build()).code, 0);
    const document = (id: number, text: string) => ({ id: `d${id}`, text, reason: 'its own' });
    assert.equal(await head(project, 'clean', '--rejected'), [
      { reason: 'too-short', document: document(2, 'abc') },
      { reason: 'empty', document: document(4, '') },
      { reason: 'too-short', document: document(6, 'abcd') },
    ]);
    assert.equal(await head(project, 'clean/filter', '--rejected', '--json', '-n', '1'), [
      { group: 'code/apps', place: 'clean/filter.rejected:0', row: document(1, 'long enough'), reason: 'odd' },
    ]);
    assert.equal(await head(project, 'clean.rejected', '-n', '1'), [document(2, 'abc')]);
    project.edit('in/a.jsonl', (text) => text.replace(line(2, 'abc'), line(2, '')));
    assert.is((await project.build()).code, 0);
    assert.equal(
      ((await head(project, 'clean', '--rejected')) as { reason: string }[]).map(({ reason }) => reason),
      ['empty', 'empty', 'too-short'],
    );
  } finally {
    project.end();
  }
});

test.run();
