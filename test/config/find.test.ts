import { mkdirSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { findConfig } from '../../src/config/find.ts';
import { createProject, failureOf, removeProjects } from './project.ts';

const test = suite('config/find');
test.after(removeProjects);

test('the config is found from any folder below it, the nearest first', () => {
  const project = createProject({ 'datasets.config.ts': '', 'a/datasets.config.mjs': '', 'a/b/x.txt': '', 'c/d/x.txt': '' });
  assert.is(findConfig(project.folder), project.path('datasets.config.ts'));
  assert.is(findConfig(project.path('c/d')), project.path('datasets.config.ts'));
  assert.is(findConfig(project.path('a/b')), project.path('a/datasets.config.mjs'));
});

test('TypeScript wins over JavaScript in one folder', () => {
  const project = createProject({ 'datasets.config.js': '', 'datasets.config.mts': '' });
  assert.is(findConfig(project.folder), project.path('datasets.config.mts'));
});

test('a folder that is called like a config is none', async () => {
  const project = createProject();
  mkdirSync(project.path('datasets.config.ts'));
  assert.is((await failureOf(() => findConfig(project.folder))).code, 'no-config');
});

test('no config is a clear error that names init', async () => {
  const { folder } = createProject();
  const error = await failureOf(() => findConfig(folder));
  assert.is(error.message, `there is no datasets.config.ts in ${folder} or in a folder above it`);
  assert.match(error.hint as string, /dsbuild init/);
});

test('a file that is named is taken relative to the folder, or missed by its path', async () => {
  const project = createProject({ 'conf/mine.ts': '' });
  assert.is(findConfig(project.path('conf'), 'mine.ts'), project.path('conf/mine.ts'));
  const error = await failureOf(() => findConfig(project.folder, 'mine.ts'));
  assert.is(error.message, `there is no config at ${project.path('mine.ts')}`);
});

test('a folder in place of the config is refused, with the flag that takes folders', async () => {
  const project = createProject({ 'conf/datasets.config.ts': '' });
  const error = await failureOf(() => findConfig(project.folder, 'conf'));
  assert.is(error.code, 'no-config');
  assert.is(error.message, `${project.path('conf')} is no file`);
  assert.match(error.hint as string, 'give -C instead of --config');
});

test.run();
