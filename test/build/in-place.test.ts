import { statSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { records } from './matrix.ts';
import { errorsOf, type Outcome, ran, TestProject } from './project.ts';

const test = suite('sources published in place');

const config = (sources: string): string => `import { defineConfig, download, files } from 'dsbuild';
const raw = download({ sources: { ${sources} }, out: 'data' });
export default defineConfig({ targets: { raw }, chunking: { chunkSize: '8KB' } });
`;
const both = config("'custom/*': files('data/custom/*.jsonl'), 'code/apps': 'elsewhere/apps.jsonl'");
const mine = 'data/custom/mine.jsonl';

async function withProject(use: (project: TestProject) => Promise<void>): Promise<void> {
  const project = new TestProject();
  try {
    project.write('datasets.config.ts', both);
    project.write(mine, records(1));
    project.write('elsewhere/apps.jsonl', records(2));
    await use(project);
  } finally {
    project.end();
  }
}

async function buildWell(project: TestProject): Promise<Outcome> {
  const outcome = await project.build();
  assert.equal(errorsOf(outcome), []);
  assert.is(outcome.code, 0, outcome.stderr);
  return outcome;
}

interface Seen {
  readonly inode: number;
  readonly mtimeMs: number;
  readonly text: string;
}

const seen = (project: TestProject): Seen => {
  const { ino, mtimeMs } = statSync(project.path(mine));
  return { inode: ino, mtimeMs, text: project.read(mine) };
};

test('a source at its own published path is read there and never written; its statistics are published beside it', () =>
  withProject(async (project) => {
    const before = seen(project);
    const outcome = await buildWell(project);
    assert.equal(project.list('data'), ['data/code/apps.jsonl', 'data/code/apps.stats.json', mine, 'data/custom/mine.stats.json']);
    assert.equal(seen(project), before);
    assert.is(ran(outcome)['raw/files concat'], 1, 'its file is not put together for nothing');
    assert.is(JSON.parse(project.read('data/custom/mine.stats.json')).records, 36);
    assert.equal(ran(await buildWell(project)), {});
  }));

test('edited, built, taken out of the config, cleaned: it stays with its inode', () =>
  withProject(async (project) => {
    await buildWell(project);
    project.append(mine, '{"id":"more","text":"one more line"}\n');
    const before = seen(project);
    await buildWell(project);
    assert.equal(seen(project), before);
    assert.is(JSON.parse(project.read('data/custom/mine.stats.json')).records, 37);
    project.write('datasets.config.ts', config("'code/apps': 'elsewhere/apps.jsonl'"));
    await buildWell(project);
    assert.equal(project.list('data'), ['data/code/apps.jsonl', 'data/code/apps.stats.json', mine]);
    assert.is((await project.start('clean', '--json').done).code, 0);
    assert.equal(seen(project), before);
    project.write('datasets.config.ts', both);
    await buildWell(project);
    assert.equal(seen(project), before);
  }));

test('a source in place may end without a newline, and even --overwrite leaves it', () =>
  withProject(async (project) => {
    project.edit(mine, (text) => text.trimEnd());
    const before = seen(project);
    const outcome = await project.build('--overwrite');
    assert.equal(errorsOf(outcome), []);
    assert.equal(seen(project), before);
  }));

test('a published file that another target reads as a source goes on being written', () =>
  withProject(async (project) => {
    const chained = both.replace(
      'export default',
      "const again = download({ sources: { 'x/y': 'data/code/apps.jsonl' }, out: 'again' });\nexport default",
    );
    await buildWell(project);
    project.write('datasets.config.ts', chained.replace('{ raw }', '{ raw, again }'));
    await buildWell(project);
    project.append('elsewhere/apps.jsonl', '{"id":"more","text":"one more line"}\n');
    // The file is read before it is written anew: the next build sees the change.
    await buildWell(project);
    await buildWell(project);
    assert.is(project.read('data/code/apps.jsonl'), project.read('elsewhere/apps.jsonl'));
    assert.is(project.read('again/x/y.jsonl'), project.read('elsewhere/apps.jsonl'));
    assert.equal(ran(await buildWell(project)), {});
  }));

test.run();
