/** What the program loads before it can say that there is nothing to do: each file and each module of Node's costs time, every time. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { TestProject } from './project.ts';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const program = join(repository, 'bin', 'dsbuild.js');

interface Loaded {
  /** Files and packages that were imported, by URL. */
  readonly urls: readonly string[];
  /** Modules of Node's, those that Node loads for itself included. */
  readonly builtins: ReadonlySet<string>;
}

const hooks = `import { writeSync } from 'node:fs';
  export async function load(url, context, next) { writeSync(2, 'loaded ' + url + '\\n'); return next(url, context); }`;
const watching = `import { register } from 'node:module';
  register('data:text/javascript,' + encodeURIComponent(${JSON.stringify(hooks)}));
  process.on('exit', () => process.stderr.write(process.moduleLoadList.map((name) => 'builtin ' + name + '\\n').join('')));`;

/** Runs the built program with the words given, and lists what it loaded. */
function loadedBy(argv: readonly string[], cwd: string): Loaded {
  const watched = `data:text/javascript,${encodeURIComponent(watching)}`;
  const { CI: _, ...env } = process.env;
  const ended = spawnSync(process.execPath, ['--import', watched, program, ...argv], { cwd, env, encoding: 'utf8', maxBuffer: 1 << 26 });
  assert.is(ended.status, 0, ended.stderr);
  const found = (start: string): string[] =>
    ended.stderr.split('\n').flatMap((line) => (line.startsWith(start) ? line.slice(start.length) : []));
  return { urls: found('loaded ').filter((url) => url.startsWith('file:')), builtins: new Set(found('builtin ')) };
}

// The sources are files of the repository: one that was just written is scanned once more, because its time says too little.
const test = suite<{ project: TestProject }>('start');
test.before.each(async (context) => {
  context.project = new TestProject();
  context.project.write(
    'datasets.config.ts',
    `import { defineConfig, download, exportDataset, files } from 'dsbuild';
     const raw = download({ sources: { 'a/docs': files('${join(repository, 'fixtures/sample')}/*.jsonl') } });
     export default defineConfig({ targets: { raw, out: exportDataset(raw, { format: 'jsonl', out: 'out' }) } });`,
  );
  assert.is((await context.project.build()).code, 0);
});
test.after.each(({ project }) => project.end());

test('a build that has nothing to do loads at most eight files: the program, one with all that it needs, and the config', ({ project }) => {
  const { urls } = loadedBy(['--json'], project.dir);
  assert.ok(urls.includes(pathToFileURL(program).href));
  assert.ok(urls.length <= 8, urls.join('\n'));
  assert.equal(
    urls.filter((url) => url.includes('/node_modules/')),
    [],
  );
});

test('the one file of a build that has nothing to do holds no part that only steps, errors and other commands need', ({ project }) => {
  const { urls } = loadedBy(['--json'], project.dir);
  const sources = urls.flatMap((url) => {
    const map = /\/dist\/.*\.js$/.test(url) ? readFileSync(`${fileURLToPath(url)}.map`, 'utf8') : '{"sources":[]}';
    return (JSON.parse(map) as { sources: string[] }).sources.map((path) => path.replace(/^(\.\.\/)+/, ''));
  });
  assert.ok(sources.includes('src/engine/target-build.ts'));
  const idle =
    /^(src\/(s3\/(?!address)|cache\/remote\/(remote|link|signing|known)|engine\/(remote\.|remote-uploads|doctor|init|clean|status|head|why|update)|execute\/(worker|io|run-job)|source\/(fetch|tokenizer|refresh|scan)|publish\/publish\.|config\/load-errors|report\/tui|cli\/(help|init|completion))|rules\/lib\/(bpe|tokenizer-(huggingface|words|repairs)|pack\.|parquet\/(part|shard|rowgroup)|program|encode-(row|output)))/;
  assert.equal(
    sources.filter((path) => idle.test(path)),
    [],
  );
});

test('a build that has nothing to do starts no worker and loads no network', ({ project }) => {
  const { builtins } = loadedBy(['--json'], project.dir);
  const idle = ['NativeModule http', 'NativeModule https', 'NativeModule tls', 'NativeModule crypto', 'NativeModule child_process'];
  assert.equal(
    idle.filter((name) => builtins.has(name)),
    [],
  );
});

test('--version loads two files', ({ project }) => {
  assert.is(loadedBy(['--version'], project.dir).urls.length, 2);
});

test.run();
