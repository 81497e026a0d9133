import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { LoadedConfig } from '../../src/config/load.ts';
import type { AnyTarget } from '../../src/rule/target.ts';
import { createProject, failureOf, type Project, removeProjects } from './project.ts';

const test = suite('config/load');
test.after(removeProjects);

const two = {
  'datasets.config.ts': `import { defineConfig, pack } from 'dsbuild';
import { raw } from './lib/raw.ts';
import names from './lib/names.json' with { type: 'json' };

interface Sizes { readonly length: number }
const sizes: Sizes = { length: names.length };
const shards = pack(raw, {
  length: sizes.length,
});
export default defineConfig({ targets: { raw, shards } });
`,
  'lib/raw.ts': `import { read } from 'dsbuild';\n\n  export const raw = read({ from: 'y' });\n`,
  'lib/names.json': '{ "length": 12 }\n',
};

const targetOf = ({ config }: LoadedConfig, name: string): AnyTarget => config.targets[name] as AnyTarget;
const locate = (loaded: LoadedConfig, name: string): string | undefined => loaded.locate(targetOf(loaded, name).node.stack);

test('a config with imports and JSON is loaded, and every file it is made of is known', async () => {
  const project = createProject(two);
  const loaded = await project.load();
  assert.is(targetOf(loaded, 'shards').node.options.length, 12);
  assert.equal(
    loaded.files.map(({ path }) => path),
    ['datasets.config.ts', 'lib/names.json', 'lib/raw.ts'].map((name) => project.path(name)),
  );
  assert.match(loaded.files[0]?.digest as string, /^[0-9a-f]{64}$/);
});

test('a stack leads to file, line and column of the config, and of a module that it imports', async () => {
  const loaded = await createProject(two).load();
  assert.is(locate(loaded, 'shards'), 'datasets.config.ts:7:16');
  assert.is(locate(loaded, 'raw'), 'lib/raw.ts:3:22');
  assert.is(loaded.where, 'datasets.config.ts:10:16');
});

test('the module that declares a target is known by its absolute path', async () => {
  const project = createProject(two);
  const loaded = await project.load();
  assert.is(loaded.moduleOf(targetOf(loaded, 'raw').node.stack), project.path('lib/raw.ts'));
  assert.is(loaded.moduleOf('Error\n    at elsewhere (file:///nowhere/x.mjs:1:1)'), undefined);
});

test('the config gets the very module of the dsbuild that runs', async () => {
  const project = createProject({
    'datasets.config.ts': `import * as dsbuild from 'dsbuild';\n(globalThis as Record<string, unknown>).seenFace = dsbuild;\nexport default dsbuild.defineConfig({ targets: {} });\n`,
  });
  await project.load();
  assert.is((globalThis as Record<string, unknown>).seenFace, await import(project.faceUrl));
});

test('an unchanged config is loaded again without a start of esbuild', async () => {
  const project = createProject(two);
  assert.is((await project.load()).how, 'bundled');
  const again = await project.load();
  assert.is(again.how, 'cached');
  assert.is(locate(again, 'raw'), 'lib/raw.ts:3:22');
});

test('a password or a signed address that stands in a config is not kept beside it, and errors still have their lines', async () => {
  const withSecret = (from: string): string =>
    `import { defineConfig, read } from 'dsbuild';\nexport default defineConfig({ targets: { raw: read({ from: '${from}' }) } });\n`;
  const left = (): string[] =>
    readdirSync(project.path('.dsbuild'), { recursive: true, encoding: 'utf8' }).filter((name) => /\.(mjs|json)$/.test(name));
  const project = createProject({ 'datasets.config.ts': withSecret('https://example.com/a#part') });
  await project.load();
  assert.is((await project.load()).how, 'cached', 'an address without a secret');
  for (const address of ['https://user:hunter2@example.com/a', 's3://bucket/a?X-Amz-Signature=hunter2']) {
    project.write({ 'datasets.config.ts': withSecret(address) });
    for (let i = 0; i < 2; i++) {
      const loaded = await project.load();
      assert.is(loaded.how, 'bundled');
      assert.is(targetOf(loaded, 'raw').node.options.from, address);
      assert.is(locate(loaded, 'raw'), 'datasets.config.ts:2:47');
    }
    for (const name of left()) assert.not.match(readFileSync(project.path(`.dsbuild/${name}`), 'utf8'), 'hunter2', name);
    project.write({ 'datasets.config.ts': `${withSecret(address)}throw new Error('no');\n` });
    assert.match(String(await project.load().catch((error: { where?: string }) => error.where)), /^datasets\.config\.ts:3:/);
    for (const name of left()) assert.not.match(readFileSync(project.path(`.dsbuild/${name}`), 'utf8'), 'hunter2', name);
  }
});

test('of the bundles of earlier states the newest few stay', async () => {
  const project = createProject(two);
  for (let i = 0; i < 9; i++) {
    project.write({ 'lib/raw.ts': `import { read } from 'dsbuild';\nexport const raw = read({ from: 'state ${i}' });\n` });
    assert.is(targetOf(await project.load(), 'raw').node.options.from, `state ${i}`);
  }
  const bundles = readdirSync(project.path('.dsbuild/config')).filter((name) => name.endsWith('.mjs'));
  assert.is(bundles.length, 5);
  assert.is((await project.load()).how, 'cached');
});

test('a touched file does not start esbuild; an edited import does, and the new content counts', async () => {
  const project = createProject(two);
  await project.load();
  project.write({ 'lib/raw.ts': two['lib/raw.ts'] }, 'fresh');
  assert.is((await project.load()).how, 'cached');
  project.write({ 'lib/raw.ts': `import { read } from 'dsbuild';\nexport const raw = read({ from: 'other' });\n` });
  const edited = await project.load();
  assert.is(edited.how, 'bundled');
  assert.is(targetOf(edited, 'raw').node.options.from, 'other');
});

test('an edit of the same length within the file system’s clock tick is seen', async () => {
  const project = createProject(two);
  await project.load();
  project.write({ 'lib/names.json': '{ "length": 13 }\n' });
  const edited = await project.load();
  assert.is(targetOf(edited, 'shards').node.options.length, 13);
});

test('a config that is put back as it was is evaluated again', async () => {
  const project = createProject(two);
  await project.load();
  project.write({ 'lib/names.json': '{ "length": 13 }\n' });
  await project.load();
  project.write({ 'lib/names.json': two['lib/names.json'] });
  assert.is(targetOf(await project.load(), 'shards').node.options.length, 12);
});

test('a damaged or removed bundle is made again', async () => {
  const project = createProject(two);
  await project.load();
  const folder = project.path('.dsbuild/config');
  const bundle = `${folder}/${readdirSync(folder).find((name) => name.endsWith('.mjs'))}`;
  writeFileSync(bundle, readFileSync(bundle).subarray(0, 40));
  assert.is((await project.load()).how, 'bundled');
  rmSync(bundle);
  assert.is((await project.load()).how, 'bundled');
  assert.is((await project.load()).how, 'cached');
});

test('a damaged record of a bundle is a miss', async () => {
  const project = createProject(two);
  await project.load();
  const folder = project.path('.dsbuild/config');
  const record = `${folder}/${readdirSync(folder).find((name) => name.endsWith('.json'))}`;
  writeFileSync(record, readFileSync(record).subarray(0, 40));
  assert.is((await project.load()).how, 'bundled');
});

const bundleNames = (project: Project): string[] => readdirSync(project.path('.dsbuild/config')).filter((name) => name.endsWith('.mjs'));

test('the bundle of a config has no folder in it: another project, another working directory, the same text', async () => {
  const [one, other] = [createProject(two), createProject(two)];
  const load = async (project: Project): Promise<string[]> => {
    const { loadConfig } = await import('../../src/config/load.ts');
    const request = { file: project.path('datasets.config.ts'), stateDir: project.path('.dsbuild'), params: {}, env: {} };
    await loadConfig({ ...request, faceUrl: one.faceUrl });
    return bundleNames(project);
  };
  const [first, before] = [await load(one), process.cwd()];
  process.chdir(other.folder);
  try {
    assert.equal(await load(other), first);
  } finally {
    process.chdir(before);
  }
});

test('a project that was moved is loaded from its new place', async () => {
  const project = createProject(two);
  await project.load();
  const moved = createProject();
  rmSync(moved.folder, { recursive: true });
  renameSync(project.folder, moved.folder);
  const loaded = await moved.load();
  assert.is(loaded.moduleOf(targetOf(loaded, 'raw').node.stack), moved.path('lib/raw.ts'));
});

test('import.meta of a bundled module speaks of the module', async () => {
  const project = createProject({
    'datasets.config.ts': `import { defineConfig } from 'dsbuild';\nimport { here } from './lib/here.ts';\n(globalThis as any).here = here;\nexport default defineConfig({ targets: {} });\n`,
    'lib/here.ts': `export const here = [import.meta.url, import.meta.dirname, import.meta.filename];\n`,
  });
  await project.load();
  const file = project.path('lib/here.ts');
  assert.equal((globalThis as Record<string, unknown>).here, [new URL(`file://${file}`).href, project.path('lib'), file]);
});

test('the environment that a config reads is the one that was handed in, and the names are noted', async () => {
  const project = createProject({
    'datasets.config.ts': `import { defineConfig, read } from 'dsbuild';\nawait null;\nconst raw = read({ from: process.env.WHERE ?? 'none' });\nexport default defineConfig({ targets: { raw } });\n`,
  });
  const loaded = await project.load({}, { WHERE: 'there', OTHER: 'x' });
  assert.is(targetOf(loaded, 'raw').node.options.from, 'there');
  assert.equal(loaded.environment, ['WHERE']);
});

test('a config may be a function', async () => {
  const project = createProject({
    'datasets.config.ts': `import { defineConfig, read } from 'dsbuild';\nexport default defineConfig(({ catalog }) => ({ targets: { raw: read({ from: String(catalog.length) }) } }));\n`,
  });
  const loaded = await project.load();
  assert.is(targetOf(loaded, 'raw').node.options.from, '0');
  assert.is(locate(loaded, 'raw'), 'datasets.config.ts:2:65');
});

const broken: readonly [says: string, files: Readonly<Record<string, string>>, where: string, message: RegExp, hint: RegExp][] = [
  [
    'a syntax error is shown with its line and column',
    {
      'datasets.config.ts': `import { defineConfig } from 'dsbuild';\nconst é: string = '😀', x: number = ;\nexport default defineConfig({ targets: {} });\n`,
    },
    'datasets.config.ts:2:37',
    /^Unexpected ";"\n {2}2 \| const é.*= ;\n {42}\^$/,
    /Mend this line/,
  ],
  [
    'a syntax error in an imported file names that file',
    { 'datasets.config.ts': `export * from './lib/a.ts';\n`, 'lib/a.ts': `export const a = {\n  b: 1,,\n};\n` },
    'lib/a.ts:2:8',
    /^Expected identifier but found ","/,
    /Mend this line/,
  ],
  [
    'an import of a file that is not there suggests the nearest one',
    { 'datasets.config.ts': `import './lib/rwa.ts';\n`, 'lib/raw.ts': '' },
    'datasets.config.ts:1:8',
    /^Could not resolve ".\/lib\/rwa.ts"/,
    /Did you mean "raw.ts"\?/,
  ],
  [
    'an unknown name imported from dsbuild suggests the nearest one',
    {
      'datasets.config.ts': `import {\n  defineConfig,\n  raed,\n} from 'dsbuild';\nexport default defineConfig({ targets: { raw: raed({}) } });\n`,
    },
    'datasets.config.ts:3:3',
    /^"dsbuild" has no export "raed"\. Did you mean "read"\?\n {2}3 \| {3}raed,/,
    /Mend the name/,
  ],
  [
    'a package that is not installed is named',
    { 'datasets.config.ts': `import { x } from '@nobody/no-such-package/deep';\nexport default x;\n` },
    'datasets.config.ts:1:20',
    /^the package "@nobody\/no-such-package" is not installed/,
    /npm install @nobody\/no-such-package/,
  ],
  [
    'a config that throws is shown with the line that threw',
    { 'datasets.config.ts': `const o: any = {};\n\n  o.a.b;\nexport default o;\n` },
    'datasets.config.ts:3:7',
    /^the config threw TypeError: Cannot read properties of undefined \(reading 'b'\)\n {2}3 \| {3}o\.a\.b;\n {12}\^$/,
    /before anything was built/,
  ],
  [
    'a config function that throws in an imported file names that file',
    {
      'datasets.config.ts': `import { defineConfig } from 'dsbuild';\nimport { f } from './f.ts';\nexport default defineConfig(() => f());\n`,
      'f.ts': `export function f(): never {\n  throw new RangeError('too few');\n}\n`,
    },
    'f.ts:2:9',
    /^the config threw RangeError: too few/,
    /before anything was built/,
  ],
  [
    'a config that throws something odd is still explained',
    { 'datasets.config.ts': `throw { odd: 1 };\n` },
    'datasets.config.ts',
    /^the config threw {"odd":1}$/,
    /before anything was built/,
  ],
  [
    'a config without default export is told how to end',
    { 'datasets.config.ts': `export const a = 1;\n` },
    'datasets.config.ts',
    /^the config has no default export$/,
    /export default defineConfig\(\{ targets/,
  ],
  [
    'a default export that defineConfig did not make is refused',
    { 'datasets.config.ts': `\n  export default { targets: {} };\n` },
    'datasets.config.ts:2:3',
    /^the default export was not made by defineConfig/,
    /export default defineConfig\(\{ targets/,
  ],
];

for (const [says, files, where, message, hint] of broken) {
  test(says, async () => {
    const error = await failureOf(createProject(files).load());
    assert.is(error.code, 'bad-config');
    assert.is(error.where, where);
    assert.match(error.message, message);
    assert.match(error.hint as string, hint);
  });
}

test('a named pipe in the place of an import is refused, not waited for', async () => {
  const project = createProject(two);
  rmSync(project.path('lib/raw.ts'));
  execFileSync('mkfifo', [project.path('lib/raw.ts')]);
  const { code, message } = await failureOf(project.load());
  assert.is(code, 'bad-config');
  assert.match(message, /^lib\/raw\.ts can not be read: it is a named pipe, not a file\n/);
});

test('a mended config is loaded in the process that saw it broken', async () => {
  const project = createProject({ 'datasets.config.ts': 'throw 1;\n' });
  await failureOf(project.load());
  project.write(two);
  assert.is(locate(await project.load(), 'raw'), 'lib/raw.ts:3:22');
});

test.run();
