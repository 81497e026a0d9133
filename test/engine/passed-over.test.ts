import { symlinkSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { status } from '../../src/engine/status.ts';
import { Rig } from './rig.ts';

const test = suite('what sources leave out');

const config = (sources: string): string => `import { defineConfig, download, files } from 'dsbuild';
export default defineConfig({ targets: { raw: download({ sources: { ${sources} } }) } });
`;
const line = '{"text":"a"}\n';

/** Codes and messages of the warnings of a build that ends well. */
async function warnings(rig: Rig, sources: string): Promise<string[][]> {
  rig.write({ 'datasets.config.ts': config(sources) });
  const { events, summary } = await rig.build();
  assert.is(summary.ok, true);
  return events.flatMap((event) => (event.type === 'warning' ? [[event.code, event.message]] : []));
}

test('a source that matches no file is warned of in every build, also when others do and when nothing is to be done', async () => {
  const rig = new Rig();
  rig.write({ 'data/docs/a.jsonl': line });
  const sources = "'web/docs': 'data/docs/*.jsonl', 'web/typo': files(['data/dosc/*.jsonl', 'data/docs/*.json'])";
  const warned = ['empty-source', 'source "web/typo" is empty: data/dosc/*.jsonl, data/docs/*.json match no file'];
  assert.equal(await warnings(rig, sources), [warned]);
  assert.equal(await warnings(rig, sources), [warned]);
  const [[, message]] = (await warnings(rig, "'web/docs': 'data/docs/*.jsonl', 'web/typo': 'data/dosc/*.jsonl'")) as [[string, string]];
  assert.is(message, 'source "web/typo" is empty: data/dosc/*.jsonl matches no file; there is no folder data/dosc');
});

test('a folder that is there for files to come may be empty, one that is not there is a mistake', async () => {
  const rig = new Rig();
  rig.write({ 'data/docs/a.jsonl': line, 'data/custom/README.md': 'Put JSONL here.' });
  const custom = (folder: string): string => `'web/docs': 'data/docs/*.jsonl', 'custom/*': files('${folder}/**/*.jsonl')`;
  assert.equal(await warnings(rig, custom('data/custom')), []);
  assert.equal(
    (await warnings(rig, custom('data/costum'))).map(([code]) => code),
    ['empty-source'],
  );
});

test('compressed files count as files of their source', async () => {
  const rig = new Rig();
  rig.write({ 'data/a.jsonl': line, 'data/b.jsonl.gz': gzipSync(line) });
  assert.equal(await warnings(rig, "'web/a': 'data/*.jsonl', 'web/b': 'data/*.jsonl.gz'"), []);
});

test('a link to a folder that a pattern would have entered is told, unless a source begins there', async () => {
  const rig = new Rig();
  rig.write({ 'data/docs/a.jsonl': line, 'far/b.jsonl': line });
  symlinkSync('../far', rig.path('data/news'));
  symlinkSync('../../far/b.jsonl', rig.path('data/docs/b.jsonl'));
  const all = "'web/docs': 'data/**/*.jsonl'";
  assert.equal(await warnings(rig, all), [
    ['link-passed-over', 'source "web/docs": data/news is a link to a folder, and a pattern enters none'],
  ]);
  assert.equal(await warnings(rig, `${all}, 'web/news': './data/news/*.jsonl'`), []);
  assert.equal(await warnings(rig, "'web/docs': 'data/docs/*.jsonl'"), []);
});

test('status tells the size of what a link leads to', async () => {
  const rig = new Rig();
  rig.write({ 'data/docs/a.jsonl': line, 'far/b.jsonl': line.repeat(100) });
  symlinkSync('../../far/b.jsonl', rig.path('data/docs/b.jsonl'));
  rig.write({ 'datasets.config.ts': config("'web/docs': 'data/docs/*.jsonl'") });
  const { targets } = await rig.withProject((open) => status(open, { targets: [] }));
  assert.is(targets[0]?.sources[0]?.bytes, 101 * line.length);
});

test.run();
