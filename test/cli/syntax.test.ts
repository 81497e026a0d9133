import { Cli, type CommandClass } from 'clipanion';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadCommands } from '../../src/cli/commands.ts';
import type { CliContext } from '../../src/cli/context.ts';
import { describeSyntax } from '../../src/cli/syntax.ts';
import { removeFolders, run, stage, words } from './console.ts';

const test = suite('syntax of command lines');
test.after(removeFolders);

const classes = (await loadCommands()) as readonly CommandClass<CliContext>[];
const cli = Cli.from<CliContext>([...classes], { binaryName: 'dsbuild' });
const { commands } = describeSyntax(cli, classes, []);
/** `completion` takes no flags. */
const flagged = commands.filter(({ flags }) => flags.length > 0);
const nameLines = flagged.flatMap(({ path, otherPaths }) => [path, ...otherPaths]);

/** What a line comes to: the command and the values of its flags. */
function meaning(argv: readonly string[]): Record<string, unknown> {
  const command = cli.process([...argv], { commands: [] } as unknown as CliContext);
  const { context: _, ...fields } = JSON.parse(JSON.stringify({ ...command, context: null })) as Record<string, unknown>;
  return { ...fields, class: command.constructor.name };
}

/** Puts each of some flags before the first word of a name, after it, or between two. */
function spread(path: readonly string[], flags: readonly (readonly string[])[], places: readonly number[]): string[] {
  const at = (place: number): string[] => flags.flatMap((flag, i) => (Math.min(places[i] as number, path.length) === place ? flag : []));
  return [...path.flatMap((word, i) => [...at(i), word]), ...at(path.length)];
}

const needsOne: ReadonlySet<string> = new Set(['head', 'trace']);
const operandOf = (path: readonly string[]): string[] => (needsOne.has(path[0] as string) ? ['raw'] : []);
/** A value may be a word that names a command, too. */
const value = fc.constantFrom('x', 'build', 'status', 'cache', 'a=build');
const flagFrom = (names: readonly string[], isValued: boolean): fc.Arbitrary<readonly string[]> =>
  fc
    .tuple(fc.constantFrom(...names), value, fc.boolean())
    .map(([name, given, isJoined]) => (!isValued ? [name] : isJoined && name.startsWith('--') ? [`${name}=${given}`] : [name, given]));

test('flags that all commands share may stand before the name of a command, after it, and within it', () => {
  const shared = fc.oneof(flagFrom(['-C'], true), flagFrom(['--json', '--color', '--no-color'], false));
  const given = fc.array(fc.tuple(shared, fc.nat({ max: 2 })), { maxLength: 4 });
  fc.assert(
    fc.property(fc.constantFrom(...nameLines), given, (path, flags) => {
      const [flagWords, places] = [flags.map(([flag]) => flag), flags.map(([, place]) => place)];
      const argv = [...spread(path, flagWords, places), ...operandOf(path)];
      const inOrder = [...flags].sort(([, a], [, b]) => Math.min(a, path.length) - Math.min(b, path.length)).flatMap(([flag]) => flag);
      const expected = [...path, ...inOrder, ...operandOf(path)];
      assert.equal(describeSyntax(cli, classes, argv).line, expected, argv.join(' '));
      assert.equal(meaning(describeSyntax(cli, classes, argv).line), meaning(expected));
    }),
    { numRuns: 100 },
  );
});

test("a command's own flags may stand before its name, their values too", () => {
  const own = fc.constantFrom(...flagged).chain((command) => {
    const flag = fc.constantFrom(...command.flags).chain(({ names, value: word }) => flagFrom(names, word !== undefined));
    return fc.tuple(fc.constant(command.path), fc.array(flag, { maxLength: 3 }));
  });
  fc.assert(
    fc.property(own, ([path, flags]) => {
      const argv = [...flags.flat(), ...path, ...operandOf(path)];
      const { command, line } = describeSyntax(cli, classes, argv);
      // `-n build head`: what stands first is the command.
      const isOther = flags.flat().some((word) => commands.some((other) => other.path[0] === word));
      if (isOther && command.path !== path) return;
      assert.equal(line, [...path, ...flags.flat(), ...operandOf(path)], argv.join(' '));
    }),
    { numRuns: 100 },
  );
});

for (const [line, options] of [
  ['--json build', {}],
  ['-j 2 build', { jobs: 2 }],
  ['-j2 build', { jobs: 2 }],
  ['--set len=512 build raw', { targets: ['raw'] }],
  ['--force build status', { force: true, targets: ['status'] }],
  ['-k --only code/* build', { keepGoing: true, only: 'code/*' }],
] as const) {
  test(`dsbuild ${line} builds`, async () => {
    const asked = stage({ names: ['raw', 'status'] });
    const { code, stderr } = await run(words(line), { engine: asked.engine });
    assert.is(code, 0, stderr);
    assert.is(asked.built.length, 1);
    for (const [name, wanted] of Object.entries(options))
      assert.equal((asked.built[0] as unknown as Record<string, unknown>)[name], wanted);
  });
}

test('dsbuild -n build only says what would run', async () => {
  const asked = stage({ names: ['raw'] });
  assert.is((await run(words('-n build'), { engine: asked.engine })).code, 0);
  assert.equal(
    asked.surveyed.map(({ dryRun }) => dryRun),
    [true],
  );
});

test('a flag before the name of a command that does not have it is named with those that do', async () => {
  const { code, stderr } = await run(words('--plain status'));
  assert.is(code, 2);
  assert.is(stderr, 'dsbuild status has no option --plain\nIt belongs to dsbuild build, dsbuild watch.        [usage]\n');
});

test('a word too many is named', async () => {
  const cases = {
    'head clean tokens': 'dsbuild head takes only <target>: "tokens" is too much',
    'trace raw:1 raw:2': 'dsbuild trace takes only <target>:<row> | <file>:<row or line>: "raw:2" is too much',
    'doctor now': 'dsbuild doctor takes no names: "now" is too much',
    '--json clean raw': 'dsbuild clean takes no names: "raw" is too much',
  };
  for (const [line, message] of Object.entries(cases)) {
    const { code, stdout, stderr } = await run(words(line));
    assert.is(code, 2);
    assert.match(stdout + stderr, line.startsWith('--json') ? JSON.stringify(message) : message);
  }
});

test("whatever a line holds, no text of the parser's is shown", async () => {
  const vocabulary = [
    'build',
    'status',
    'head',
    'cache',
    'gc',
    'raw',
    '-n',
    '-C',
    '.',
    '--json',
    '--set',
    'a=b',
    '-j',
    '2',
    '--',
    '--x',
    '-kn',
    '-',
  ];
  const asked = stage({ names: ['raw'] });
  const refuse = async (): Promise<never> => {
    throw new Error('reached');
  };
  const engine = { ...asked.engine, openProject: refuse };
  await fc.assert(
    fc.asyncProperty(fc.array(fc.constantFrom(...vocabulary), { maxLength: 5 }), async (argv) => {
      const { code, stdout, stderr } = await run(argv, { engine, cwd: '/' });
      if (code !== 2) return;
      assert.not.match(stdout + stderr, /alternatives|Extraneous|Unknown Syntax|Command not found|Unsupported option|Not enough|\$0/);
      assert.match(stdout + stderr, /\[(usage|no-config)\]|"code":/);
    }),
    { numRuns: 100 },
  );
});

test.run();
