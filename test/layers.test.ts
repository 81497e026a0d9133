import { readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join } from 'node:path/posix';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { sourceFiles } from './source-files.ts';

/** What one layer may import: `sees` whole modules, `types` only with `import type`, `files` single files of a layer that it does not see. */
interface Layer {
  sees: readonly string[];
  types?: readonly string[];
  files?: readonly string[];
}

const pure = ['base', 'rule', 'config', 'graph'];

/** Who may import whom. A layer always sees itself. A new folder of src needs a line here. */
const layers: Readonly<Record<string, Layer>> = {
  base: { sees: [] },
  rule: { sees: ['base'] },
  config: { sees: ['base', 'rule'] },
  graph: { sees: ['base', 'rule', 'config'] },
  // These three know a store by its interface; the engine hands them one.
  plan: { sees: pure, types: ['cache'] },
  // Where a part lies is plain data (files, offsets, lengths); how it is read from there is the one thing of the store that workers share.
  execute: { sees: [...pure, 'plan'], types: ['cache', 'source'], files: ['src/cache/part-reader.ts'] },
  publish: { sees: [...pure, 'plan', 's3'], types: ['cache', 'source'], files: ['src/cache/part-reader.ts'] },
  s3: { sees: ['base'] },
  // What is read from a remote is checked against the forms that parts may have.
  cache: { sees: ['base', 's3'], types: ['rule'], files: ['src/rule/part.ts'] },
  source: { sees: ['base', 's3'], types: ['rule'] },
  report: { sees: ['base'], types: ['rule'] },
  watch: { sees: ['base'], types: ['rule'] },
  // Joins the decision to work, the order of work, the store and the folders: one build.
  engine: { sees: [...pure, 'plan', 'execute', 'publish', 'cache', 'source', 's3'] },
  serve: { sees: ['*'] },
  cli: { sees: ['*'] },
  // The public API, and the only file of src that imports rules/.
  'index.ts': { sees: ['*', 'rules'] },
  // What the bundle puts into one file.
  'core.ts': { sees: ['*', 'index.ts'] },
  rules: { sees: ['base', 'rule', 'rules/lib'] },
  'rules/lib': { sees: ['base', 'rule'] },
};

/** One package, one owner. A package that nobody owns may not be imported. */
const owners: Readonly<Record<string, RegExp>> = {
  'blake3-wasm': /^src\/base\/digest\.ts$/,
  '@napi-rs/blake-hash': /^src\/base\/digest\.ts$/,
  // Of records in the scan of sources, and of frames in zstd.
  'xxhash-wasm': /^(src\/source|rules\/lib)\//,
  '@bokuweb/zstd-wasm': /^rules\/lib\//,
  fflate: /^rules\/lib\//,
  fzstd: /^rules\/lib\//,
  '@aws-sdk/client-s3': /^src\/s3\//,
  workerpool: /^src\/execute\//,
  ink: /^src\/report\/tui\//,
  react: /^src\/report\/tui\//,
  clipanion: /^src\/cli\//,
  typanion: /^src\/cli\//,
  esbuild: /^src\/config\//,
  chokidar: /^src\/watch\//,
  '@huggingface/tokenizers': /^rules\/lib\//,
  '@dsnp/parquetjs': /^rules\/lib\//,
  picomatch: /^src\/source\//,
  snappyjs: /^rules\/lib\//,
};

interface Import {
  specifier: string;
  typeOnly: boolean;
}

const isTypeOnly = (clause: ts.ImportClause | undefined): boolean => {
  if (!clause) return false;
  if (clause.isTypeOnly) return true;
  const named = clause.namedBindings;
  return !clause.name && named !== undefined && ts.isNamedImports(named) && named.elements.every((element) => element.isTypeOnly);
};

/** Static, dynamic and type imports, and re-exports, of one module. */
function importsOf(file: string, text: string): Import[] {
  const found: Import[] = [];
  const add = (node: ts.Node | undefined, typeOnly: boolean): void => {
    if (node && ts.isStringLiteral(node)) found.push({ specifier: node.text, typeOnly });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) add(node.moduleSpecifier, isTypeOnly(node.importClause));
    else if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, node.isTypeOnly);
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) add(node.argument.literal, true);
    else if (ts.isCallExpression(node) && isLoading(node.expression)) add(node.arguments[0], false);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, text, ts.ScriptTarget.Latest));
  return found;
}

/** `import(...)`, `require(...)` and `createRequire(...)(...)`. */
function isLoading(callee: ts.Expression): boolean {
  if (callee.kind === ts.SyntaxKind.ImportKeyword) return true;
  const inner = ts.isCallExpression(callee) ? callee.expression : callee;
  return ts.isIdentifier(inner) && (inner.text === 'require' || (inner !== callee && inner.text === 'createRequire'));
}

const layerOf = (file: string): string => {
  if (file.startsWith('rules/lib/')) return 'rules/lib';
  if (file.startsWith('rules/')) return 'rules';
  return file.split('/')[1] as string;
};

const packageOf = (specifier: string): string =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');

function packageFault(file: string, specifier: string): string | undefined {
  const name = packageOf(specifier);
  const owner = owners[name];
  if (!owner) return `${file} imports ${name}, which has no owner; give it one in test/layers.test.ts`;
  return owner.test(file) ? undefined : `${file} imports ${name}, which belongs to ${owner.source}`;
}

function layerFault(file: string, { specifier, typeOnly }: Import): string | undefined {
  const target = join(dirname(file), specifier);
  const [from, to] = [layerOf(file), layerOf(target)];
  const layer = layers[from];
  if (!layer) return `${file} lies in a folder without a layer; give it a line in test/layers.test.ts`;
  const seen = [from, ...layer.sees, ...(typeOnly ? (layer.types ?? []) : [])];
  if (seen.includes(to) || layer.files?.includes(target) || (seen.includes('*') && target.startsWith('src/') && to !== 'index.ts'))
    return undefined;
  return `${file} imports ${typeOnly ? 'types of ' : ''}${target}: ${from} does not see ${to}`;
}

/** Every forbidden import of the given files (path from the checkout's root -> text), as sentences. */
function violations(files: Readonly<Record<string, string>>): string[] {
  return Object.entries(files).flatMap(([file, text]) =>
    importsOf(file, text).flatMap((found) => {
      if (/^node:/.test(found.specifier)) return [];
      if (builtinModules.includes(found.specifier)) return [`${file} imports ${found.specifier} without node:`];
      return (found.specifier.startsWith('.') ? layerFault(file, found) : packageFault(file, found.specifier)) ?? [];
    }),
  );
}

const test = suite('layers');

test('src and rules import only what their layer may see', () => {
  const root = fileURLToPath(new URL('..', import.meta.url));
  const files = sourceFiles(['src', 'rules']);
  assert.ok(files.length > 0);
  assert.equal(violations(Object.fromEntries(files.map((file) => [file, readFileSync(join(root, file), 'utf8')]))), []);
});

const allowed: readonly [file: string, text: string][] = [
  ['src/plan/decide.ts', `import { digestHex } from '../base/digest.ts';`],
  ['src/cache/store.ts', `import type { Part } from '../rule/part.ts';`],
  ['src/cache/store.ts', `import { type Part } from '../rule/part.ts';`],
  ['src/cli/why.ts', `import { explain } from '../plan/explain.ts';\nimport { Command } from 'clipanion';`],
  ['src/index.ts', `export { tokenize } from '../rules/tokenize.ts';`],
  ['rules/tokenize.ts', `import { readLines } from './lib/jsonl.ts';\nimport { join } from 'node:path';`],
  ['src/execute/io.ts', `import { readPart } from '../cache/part-reader.ts';`],
  ['src/cache/remote/remote.ts', `import { Bucket } from '../../s3/bucket.ts';`],
  ['src/s3/client.ts', `const { S3Client } = await import('@aws-sdk/client-s3');`],
];

const planted: readonly [file: string, text: string, says: RegExp][] = [
  ['src/base/digest.ts', `import { x } from '../rule/part.ts';`, /base does not see rule/],
  ['src/rule/part.ts', `export * from '../config/load.ts';`, /rule does not see config/],
  ['src/graph/graph.ts', `import { decide } from '../plan/decide.ts';`, /graph does not see plan/],
  ['src/plan/decide.ts', `await import('../execute/pool.ts');`, /plan does not see execute/],
  ['src/execute/job.ts', `import { openStore } from '../cache/store.ts';`, /execute does not see cache/],
  ['src/cache/store.ts', `import { Part } from '../rule/view.ts';`, /cache does not see rule/],
  ['src/cache/store.ts', `let x: import('../plan/decide.ts').Decision;`, /types of src\/plan\/decide.ts: cache does not see plan/],
  ['src/cli/main.ts', `import { tokenize } from '../../rules/tokenize.ts';`, /cli does not see rules/],
  ['src/cli/main.ts', `import { tokenize } from '../index.ts';`, /cli does not see index.ts/],
  ['rules/tokenize.ts', `import { store } from '../src/cache/store.ts';`, /rules does not see cache/],
  ['rules/lib/jsonl.ts', `import { tokenize } from '../tokenize.ts';`, /rules\/lib does not see rules/],
  ['src/s3/bucket.ts', `import { openStore } from '../cache/store.ts';`, /s3 does not see cache/],
  ['src/new/thing.ts', `import { x } from '../base/digest.ts';`, /folder without a layer/],
  ['src/source/http.ts', `import { S3Client } from '@aws-sdk/client-s3';`, /@aws-sdk\/client-s3, which belongs to/],
  ['src/cache/digests.ts', `import { hash } from 'blake3-wasm';`, /blake3-wasm, which belongs to/],
  ['src/cache/digests.ts', `createRequire(import.meta.url)('@napi-rs/blake-hash');`, /blake-hash, which belongs to/],
  ['rules/filter.ts', `import { z } from 'left-pad/deep';`, /left-pad, which has no owner/],
  ['src/base/files.ts', `import { readFile } from 'fs';`, /imports fs without node:/],
];

for (const [file, text] of allowed) {
  test(`${file} may say: ${text}`, () => assert.equal(violations({ [file]: text }), []));
}

for (const [file, text, says] of planted) {
  test(`${file} must not say: ${text}`, () => {
    const found = violations({ [file]: text });
    assert.is(found.length, 1);
    assert.match(found[0] as string, says);
  });
}

test('every package that dsbuild depends on has an owner', () => {
  const { dependencies, optionalDependencies } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  assert.equal(
    Object.keys({ ...dependencies, ...optionalDependencies }).filter((name) => !owners[name]),
    [],
  );
});

test.run();
