import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { bundleModule, type UserModule } from '../../src/config/user-modules.ts';
import { createProject, failureOf, type Project, removeProjects } from './project.ts';

const test = suite('config/user-modules');
test.after(removeProjects);

const short = `import { defineFilter, drop, integer, keep } from 'dsbuild';
import { lengthOf } from '../lib/length.cjs';
class TooShort extends Error {}
export default defineFilter({
  name: 'short',
  options: { charsMin: integer({ min: 0 }).default(200) },
  decide: (document, { charsMin }) => (lengthOf(document.text) >= charsMin ? keep : drop(TooShort.name + process.env.HOME)),
});
`;
const files = {
  'filters/index.ts': short,
  'lib/length.cjs': `const { inspect } = require('node:util');\nexports.lengthOf = (text) => (inspect(text), text.length);\n`,
};

const bundleIn = (project: Project, file = 'filters/index.ts'): Promise<UserModule> =>
  bundleModule(project.path(file), { faceUrl: project.faceUrl });
const digestOf = async (texts: Readonly<Record<string, string>>, file?: string): Promise<string> =>
  (await bundleIn(createProject(texts), file)).digest;

test('the same module in two folders, beside two installations of dsbuild, has one digest', async () => {
  const elsewhere = { 'words/index.ts': short, 'lib/length.cjs': files['lib/length.cjs'] };
  assert.is(await digestOf(files), await digestOf(elsewhere, 'words/index.ts'));
});

test('the working directory is not in the digest', async () => {
  const [project, before] = [createProject(files), process.cwd()];
  const { digest } = await bundleIn(project);
  process.chdir(project.folder);
  try {
    assert.is((await bundleIn(project)).digest, digest);
  } finally {
    process.chdir(before);
  }
});

test('whitespace and comments are not in the digest', async () => {
  const spaced = short.replaceAll('\n', '\n\n').replaceAll('  ', '\t').replace('class', '/* why */ class');
  assert.is(await digestOf(files), await digestOf({ ...files, 'filters/index.ts': spaced }));
});

test('a changed module, a changed import and a changed package each give another digest', async () => {
  const used = `import { x } from 'some-package';\nexport const y = x;\n`;
  const withPackage = (x: number): Record<string, string> => ({
    ...files,
    'filters/index.ts': used,
    'node_modules/some-package/package.json': '{ "type": "module", "main": "i.js" }',
    'node_modules/some-package/i.js': `export const x = ${x};`,
  });
  const digests = await Promise.all([
    digestOf(files),
    digestOf({ ...files, 'filters/index.ts': short.replace('200', '201') }),
    digestOf({ ...files, 'lib/length.cjs': 'exports.lengthOf = (text) => text.length + 1;' }),
    digestOf(withPackage(1)),
    digestOf(withPackage(2)),
  ]);
  assert.is(new Set(digests).size, 5);
});

test('the text runs on the dsbuild that it was made for, keeps the names of functions and sees no environment', async () => {
  const project = createProject({ ...files, 'check.ts': '' });
  const { text } = await bundleIn(project);
  writeFileSync(project.path('short.mjs'), text);
  const known = new URL('../../src/rule/user-function.ts', import.meta.url).href;
  project.write({
    'check.ts': `import '${pathToFileURL(project.path('short.mjs')).href}';
import { callOf } from '${known}';
const short = (charsMin: number) => callOf({ does: 'filter', definition: 'short', options: { charsMin } });
console.log(JSON.stringify([short(4)({ text: 'abc' }), short(3)({ text: 'abc' })]));`,
  });
  const { stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', project.path('check.ts')], { encoding: 'utf8' });
  assert.is(stdout, '[{"keep":false,"reason":"TooShortundefined"},{"keep":true}]\n', stderr);
});

test('all files of a module are known', async () => {
  const project = createProject(files);
  assert.equal(
    (await bundleIn(project)).files.map(({ path }) => path),
    [project.path('filters/index.ts'), project.path('lib/length.cjs')],
  );
});

test('an import that is not there is an error with its place', async () => {
  const error = await failureOf(
    bundleIn(createProject({ 'filters/index.ts': `import { x } from 'nothing-here';\nexport const y = x;\n` })),
  );
  assert.equal([error.code, error.where], ['bad-config', 'index.ts:1:19']);
});

test.run();
