/** Style that matters, as a test: one list of rules, each with a sample that breaks it. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

/** Exceptions: rule -> file, or `file#function` -> why. An entry that excuses nothing is itself a failure. */
const allowed: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'file length': {
    'src/engine/target-build.ts': 'the life of one target from key to result: its parts share a state that nothing else may touch',
  },
  'function length': {},
  parameters: {
    'src/base/record-hash.ts#mixPairs': 'runs for every record that is scanned; an options object per call would be its main cost',
    'src/execute/io.ts#quarantine': 'what rules say of a bad record is a sentence of four words: where, which, why and how',
  },
  'impure calls': {
    'src/base/files.ts': 'names of temporary files, which are in no key',
  },
};

interface File {
  /** POSIX path from the checkout's root. */
  path: string;
  text: string;
}

interface Finding {
  /** What an exception is written under. */
  at: string;
  says: string;
}

interface Rule {
  name: string;
  applies: (path: string) => boolean;
  find: (file: File) => Finding[];
  /** A file that breaks the rule, and one beside it that does not. */
  bad: File;
  good: File;
}

const root = fileURLToPath(new URL('..', import.meta.url));
const isSource = (path: string): boolean => /^(src|rules|bin)\/.*\.(ts|tsx|js)$/.test(path);
/** Written here, by hand or by a tool; the texts in fixtures are other people's. */
const isWritten = (path: string): boolean => !path.startsWith('fixtures/') && !/\.(parquet|gz|zst|bin|png|zip|wasm)$/.test(path);
// Joined, because this file is searched too.
const leftover = new RegExp(`\\b(${['TO', 'FIX', 'XX'].map((start, i) => start + ['DO', 'ME', 'X'][i]).join('|')})\\b`);
const hosts = [
  ['registry', 'npmjs', 'org'],
  ['registry', 'yarnpkg', 'com'],
  ['pypi', 'org'],
  ['files', 'pythonhosted', 'org'],
  ['proxy', 'golang', 'org'],
].map((labels) => labels.join('.'));
/** Folders of people's machines, and this very checkout. */
const machinePaths = [`/${'home'}/`, `/${'Users'}/`, `/${'root'}/`, `C:\\${'Users'}`, root];

const linesMatching =
  (pattern: RegExp, says: string): Rule['find'] =>
  (file) =>
    file.text.split('\n').flatMap((line, i) => (pattern.test(line) ? [{ at: file.path, says: `${file.path}:${i + 1} ${says}` }] : []));

/** Finds words where a path or a host begins: "/x/" in "cd /x/me", not in "src/x/". */
const containing =
  (words: readonly string[], says: string): Rule['find'] =>
  (file) =>
    words
      .filter((word) => new RegExp(`(?<![\\w.-])${word.replaceAll(/[.\\/]/g, '\\$&')}`).test(file.text))
      .map((word) => ({ at: file.path, says: `${file.path} ${says} ${word}` }));

function parsed({ path, text }: File): ts.SourceFile {
  return ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
}

function nodesOf<T extends ts.Node>(file: File, is: (node: ts.Node) => node is T): T[] {
  const found: T[] = [];
  const visit = (node: ts.Node): void => {
    if (is(node)) found.push(node);
    ts.forEachChild(node, visit);
  };
  visit(parsed(file));
  return found;
}

const nameOf = (node: ts.SignatureDeclaration): string => {
  const owner = node.name ? node : node.parent;
  const { name } = owner as { name?: ts.Node };
  return name?.getText() ?? 'a function';
};

const isFunction = (node: ts.Node): node is ts.FunctionLikeDeclaration =>
  ts.isFunctionLike(node) && 'body' in node && node.body !== undefined;

const functionsWhere =
  (measure: (node: ts.FunctionLikeDeclaration) => number, max: number, unit: string): Rule['find'] =>
  (file) =>
    nodesOf(file, isFunction)
      .filter((node) => measure(node) > max)
      .map((node) => ({
        at: `${file.path}#${nameOf(node)}`,
        says: `${file.path}: ${nameOf(node)} has ${measure(node)} ${unit}, at most ${max}`,
      }));

const lineCount = (text: string): number => text.trimEnd().split('\n').length;
const impure = /^(Math\.(pow|random)|Date\.now|performance\.now)$/;

/** Calls whose value depends on the locale, the engine, the clock or chance. */
const impureCalls: Rule['find'] = (file) => [
  ...nodesOf(file, ts.isPropertyAccessExpression)
    .filter((node) => impure.test(node.getText()) || node.name.text === 'localeCompare')
    .map((node) => ({ at: file.path, says: `${file.path} uses ${node.getText()}` })),
  ...nodesOf(file, ts.isNewExpression)
    .filter((node) => node.expression.getText() === 'Date' && !node.arguments?.length)
    .map(() => ({ at: file.path, says: `${file.path} uses new Date()` })),
];

const lines = (count: number): string => 'call();\n'.repeat(count);
const say = `console.${'log'}('x');`;

const rules: readonly Rule[] = [
  {
    name: 'file length',
    applies: isSource,
    find: ({ path, text }) => (lineCount(text) > 300 ? [{ at: path, says: `${path} has ${lineCount(text)} lines, at most 300` }] : []),
    bad: { path: 'src/a.ts', text: lines(301) },
    good: { path: 'src/a.ts', text: lines(300) },
  },
  {
    name: 'function length',
    applies: isSource,
    find: functionsWhere((node) => lineCount(node.getText()), 50, 'lines'),
    bad: { path: 'src/a.ts', text: `const f = () => {\n${lines(49)}};` },
    good: { path: 'src/a.ts', text: `const f = () => {\n${lines(48)}};\n${lines(20)}` },
  },
  {
    name: 'parameters',
    applies: isSource,
    find: functionsWhere((node) => node.parameters.length, 3, 'parameters'),
    bad: { path: 'src/a.ts', text: 'function f(a: 1, b: 2, c: 3, d: 4) {}' },
    good: { path: 'src/a.ts', text: 'function f(a: 1, b: 2, { c, d }: X) {}' },
  },
  {
    name: 'names that say nothing',
    applies: (path) => isSource(path) || /^test\/.*\.ts$/.test(path),
    find: ({ path }) =>
      /(?<![a-z])(utils?|helpers?|common|managers?|misc)(?![a-z])/i.test(path)
        ? [{ at: path, says: `${path}: name it after what it holds` }]
        : [],
    bad: { path: 'src/base/file-utils.ts', text: '' },
    good: { path: 'src/base/files.ts', text: '' },
  },
  {
    name: 'leftovers',
    applies: isWritten,
    find: linesMatching(leftover, 'leaves something for later: do it, or write it into an issue'),
    bad: { path: 'README.md', text: `${['TO', 'DO'].join('')}: write this` },
    good: { path: 'README.md', text: 'All is written.' },
  },
  {
    name: 'console',
    applies: (path) => isSource(path) && !/^src\/(report|cli)\//.test(path),
    find: (file) =>
      nodesOf(file, ts.isPropertyAccessExpression)
        .filter((node) => node.expression.getText() === 'console')
        .map((node) => ({ at: file.path, says: `${file.path} prints with ${node.getText()}; emit an event instead` })),
    bad: { path: 'src/plan/decide.ts', text: say },
    good: { path: 'src/plan/decide.ts', text: `// ${say}` },
  },
  {
    name: 'impure calls',
    applies: (path) => /^(rules|src\/(base|plan))\//.test(path),
    find: impureCalls,
    bad: { path: 'rules/a.ts', text: 'parts.sort((a, b) => a.localeCompare(b));' },
    good: { path: 'rules/a.ts', text: 'const day = new Date(seconds); // not Date.now()' },
  },
  {
    name: 'paths of a machine',
    applies: isWritten,
    find: containing(machinePaths, 'names a path of one machine:'),
    bad: { path: 'README.md', text: `cd /${'home'}/me/data` },
    good: { path: 'README.md', text: `cd ~/data; cd src/${'home'}/page` },
  },
  {
    name: 'registry hosts',
    applies: isWritten,
    find: containing(hosts, 'names a package registry:'),
    bad: { path: 'package-lock.json', text: `"resolved": "https://${hosts[0]}/uvu"` },
    good: { path: 'package-lock.json', text: '"version": "0.5.6"' },
  },
];

/** What git tracks or would track, without what was deleted. */
function trackedFiles(): File[] {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: root, encoding: 'utf8' });
  return listed
    .split('\0')
    .filter((path) => path && isWritten(path) && existsSync(join(root, path)) && statSync(join(root, path)).isFile())
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
}

const test = suite('tidy');
const files = trackedFiles();
const findingsOf = (rule: Rule): Finding[] => files.filter(({ path }) => rule.applies(path)).flatMap(rule.find);

for (const rule of rules) {
  const excused = allowed[rule.name] ?? {};
  test(`${rule.name}: the checkout keeps the rule`, () => {
    const findings = findingsOf(rule);
    assert.equal(
      findings.filter(({ at }) => !excused[at]).map(({ says }) => says),
      [],
    );
    const needed = new Set(findings.map(({ at }) => at));
    assert.equal(
      Object.keys(excused).filter((at) => !needed.has(at)),
      [],
      'these exceptions excuse nothing any more',
    );
  });

  test(`${rule.name}: a file that breaks the rule is found`, () => {
    assert.ok(rule.applies(rule.bad.path));
    assert.is(rule.find(rule.bad).length, 1);
    assert.is(rule.find(rule.good).length, 0);
  });
}

test('impure calls: each of them is found', () => {
  const calls = ['Math.pow(2, x)', 'Math.random()', 'Date.now()', 'performance.now()', 'new Date()', 'a.localeCompare(b)'];
  for (const call of calls) assert.is(impureCalls({ path: 'rules/a.ts', text: `f(${call});` }).length, 1, call);
});

/** Folders that a page does not name. */
const unnamed = (folders: readonly string[], page: string): string[] => folders.filter((folder) => !page.includes(`${basename(folder)}/`));

test('src/README.md names every folder of src', () => {
  assert.equal(unnamed(['src/base', 'src/plan'], 'base/ digests'), ['src/plan']);
  const page = join(root, 'src/README.md');
  const folders = readdirSync(join(root, 'src'), { withFileTypes: true }).filter(
    (entry) => entry.isDirectory() && readdirSync(join(root, 'src', entry.name)).length > 0,
  );
  assert.equal(
    existsSync(page)
      ? unnamed(
          folders.map(({ name }) => name),
          readFileSync(page, 'utf8'),
        )
      : [],
    [],
  );
});

test.run();
