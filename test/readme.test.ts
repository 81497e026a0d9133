/** What README.md says can be done: its examples compile, its flags and options are the ones that there are. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Cli } from 'clipanion';
import ts from 'typescript';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadCommands } from '../src/cli/commands.ts';
import type { CliContext } from '../src/cli/context.ts';
import { describeSyntax } from '../src/cli/syntax.ts';
import '../src/index.ts';
import { definedRules } from '../src/rule/rule.ts';
import { cases } from './bench/cases.ts';
import { withRows } from './bench/table.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const page = readFileSync(join(root, 'README.md'), 'utf8');
const test = suite('README');

/** TypeScript examples by the path that they name in their first line, as files of this checkout. */
function examples(): Map<string, string> {
  const blocks = [...page.matchAll(/^```ts\n([\s\S]*?)^```/gm)].map(([, code]) => code as string);
  return new Map(blocks.map((code, i) => [join(root, /^\/\/ (\S+\.ts)\n/.exec(code)?.[1] ?? `readme-${i}.ts`), code]));
}

function mistakes(files: ReadonlyMap<string, string>): string[] {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent({ ...config, include: [] }, ts.sys, root);
  const host = ts.createCompilerHost(options);
  const { readFile, fileExists, getSourceFile } = host;
  // Folders that only the examples lie in are looked for before their files are.
  host.directoryExists = () => true;
  host.fileExists = (path) => files.has(path) || fileExists(path);
  host.readFile = (path) => files.get(path) ?? readFile(path);
  host.getSourceFile = (path, ...rest) => {
    const text = files.get(path);
    return text === undefined ? getSourceFile(path, ...rest) : ts.createSourceFile(path, text, ts.ScriptTarget.Latest);
  };
  const program = ts.createProgram([...files.keys()], options, host);
  return [...files.keys()].flatMap((path) => {
    const source = program.getSourceFile(path);
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(
      ({ messageText }) => `${path}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`,
    );
  });
}

test('its examples compile', () => {
  const files = examples();
  assert.ok(files.size >= 5);
  assert.equal(mistakes(files), []);
});

test('a mistake in an example is found', () => {
  const wrong = new Map([[join(root, 'readme-wrong.ts'), `import { download } from 'dsbuild';\ndownload({ source: {} });\n`]]);
  assert.is(mistakes(wrong).length, 1);
});

/** All words that stand in code: `-n`, `--dry-run`, `maxSeqLength` ... */
const words = new Set([...page.matchAll(/`([^`\n]+)`/g)].flatMap(([, code]) => (code as string).split(/[\s,()<>{}|\\/]+/)));

test('it names every rule and each of its options', () => {
  const rules = [...definedRules().values()].map(({ rule }) => rule);
  assert.ok(rules.length >= 8);
  assert.equal(
    rules.flatMap(({ name, options }) => [name, ...Object.keys(options)]).filter((word) => !words.has(word)),
    [],
  );
});

test('it names every command and each flag of build, clean and init', async () => {
  const commandClasses = await loadCommands();
  const cli = new Cli<CliContext>();
  for (const command of commandClasses) cli.register(command);
  const { commands } = describeSyntax(cli, commandClasses, []);
  assert.ok(commands.length > 8);
  const described = ['build', 'clean', 'init', 'doctor', 'head'];
  const flags = commands.filter(({ path }) => described.includes(path[0] ?? '')).flatMap((command) => command.flags);
  const names = [...commands.flatMap(({ path }) => path[0] ?? []), ...flags.flatMap((flag) => flag.names.at(-1) ?? [])];
  assert.equal(
    [...new Set(names)].filter((word) => !words.has(word)),
    [],
  );
});

test('it names every case of the bench, and no other', () => {
  const named = new Set([...page.matchAll(/`npm run bench (\w+)`/g)].map(([, name]) => name));
  assert.equal([...named].sort(), cases.map(({ name }) => name).sort());
});

test('its table of figures can be written anew', () => {
  const commands = cases.map(({ name }) => `npm run bench ${name}`);
  assert.is(withRows(page, { rows: [], commands }), page);
  const row = { what: 'x', dsbuild: 'y', command: commands[0] as string, raw: {} };
  assert.is.not(withRows(page, { rows: [row], commands }), page);
});

/** Tests that the table of faults names: the file, and words of a test's name. */
const namedTests = [...page.matchAll(/\[(test\/[\w./-]+\.test\.ts)\]\(\1\)(?: "([^"]+)")?/g)].map(([, file = '', words]) => ({
  file,
  words,
}));
const namesOfTests = (file: string): string[] =>
  [...readFileSync(join(root, file), 'utf8').matchAll(/^ *test\(\s*(['"`])([\s\S]*?)\1,/gm)].map(([, , name]) => name as string);

test('each test that its table of faults names is there', () => {
  assert.ok(namedTests.length > 25);
  const missing = namedTests.filter(({ file, words }) => !namesOfTests(file).some((name) => words === undefined || name.includes(words)));
  assert.equal(missing, []);
});

test.run();
