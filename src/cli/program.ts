import { resolve } from 'node:path';
import { Cli, type Command, type CommandClass } from 'clipanion';
import { BuildError } from '../base/errors.ts';
import { commandWords, loadCommandOf, loadCommands } from './commands.ts';
import { type CliContext, contextFrom, type GivenContext, paintFor, widthOfScreen } from './context.ts';
import { exitCode, exitCodeOf } from './exit-codes.ts';
import { type SignalSource, watchInterruption } from './interrupt.ts';
import { writtenOut } from './output.ts';
import { printError } from './print-error.ts';
import { describeSyntax, type Syntax } from './syntax.ts';

/** Lines of help are no longer, however wide the screen is. */
const helpWidthMax = 100;

/** The command line as a program: which commands there are, and which of them this one names. */
interface Program {
  readonly cli: Cli<CliContext>;
  readonly syntax: Syntax;
}

function programOf(classes: readonly CommandClass<CliContext>[], argv: readonly string[]): Program {
  const cli = Cli.from<CliContext>([...classes], { binaryName: 'dsbuild' });
  return { cli, syntax: describeSyntax(cli, classes, argv) };
}

/** The command that the line names, without what the other commands cost; undefined where it is not understood without them. */
async function commandAlone(argv: readonly string[], context: CliContext): Promise<Command<CliContext> | undefined> {
  const classes = await loadCommandOf(argv);
  if (!classes) return undefined;
  try {
    return Cli.from<CliContext>([...classes], { binaryName: 'dsbuild' }).process([...argv], context);
  } catch {
    return undefined;
  }
}

/** The flags of `run <rule>` follow from the rule's options: they are known only when the rules are loaded. */
async function loadProgram(argv: readonly string[], context: CliContext): Promise<Program> {
  const commandClasses = await loadCommands();
  const program = programOf(commandClasses, argv);
  if (program.syntax.command.path[0] !== 'run') return program;
  const { runCommands } = await import('./run-rule.ts');
  return programOf([...commandClasses, ...runCommands(await context.engine.loadFace())], argv);
}

/** `make -j8` is in everybody's fingers. */
const spellOut = (argv: readonly string[]): string[] =>
  argv.flatMap((word, i) => (/^-j\d+$/.test(word) && !argv.slice(0, i).includes('--') ? ['-j', word.slice(2)] : [word]));

const beforeDashes = (argv: readonly string[]): readonly string[] => argv.slice(0, argv.includes('--') ? argv.indexOf('--') : undefined);

/** The folder that a line works in, whether or not it is understood. */
function folderOf(argv: readonly string[], { cwd }: CliContext): string {
  const words = beforeDashes(argv);
  return resolve(cwd, (words.includes('-C') && words[words.indexOf('-C') + 1]) || '.');
}

/** The command among all of them. @throws {BuildError} `usage`, with what is wrong in the line. */
async function commandOfAll(argv: readonly string[], context: CliContext): Promise<Command<CliContext>> {
  const { cli, syntax } = await loadProgram(argv, context);
  try {
    return cli.process([...syntax.line], { ...context, commands: syntax.commands });
  } catch (error) {
    throw error instanceof BuildError ? error : (await import('./syntax-error.ts')).syntaxError(syntax, error);
  }
}

async function help(argv: readonly string[], context: CliContext): Promise<string> {
  const [{ syntax }, { commandHelp, generalHelp }] = await Promise.all([loadProgram(argv, context), import('./help.ts')]);
  const page = {
    paint: paintFor(context, undefined),
    columns: Math.min(helpWidthMax, widthOfScreen(context.stdout, context.env) ?? helpWidthMax),
  };
  return syntax.command.path.length === 0 ? generalHelp(syntax.commands, page) : commandHelp(syntax, page);
}

async function runCommand(argv: readonly string[], context: CliContext): Promise<number> {
  if (beforeDashes(argv).some((word) => word === '-h' || word === '--help')) {
    context.stdout.write(await help(argv, context));
    return exitCode.ok;
  }
  const command = (await commandAlone(argv, context)) ?? (await commandOfAll(argv, context));
  return (await command.execute()) ?? exitCode.ok;
}

/** Runs a command line from its first word to the exit code. Errors end here: as text on stderr, or as JSON under `--json`. */
export async function runProgram(argv: readonly string[], given: GivenContext & { signals?: SignalSource }): Promise<number> {
  const { signals, ...rest } = given;
  const streams = { stdout: given.stdout ?? process.stdout, stderr: given.stderr ?? process.stderr };
  const interruption = watchInterruption(streams, signals);
  const context = contextFrom(rest, { signal: interruption.signal, stopping: interruption, commandWords });
  const words = spellOut(argv);
  try {
    const code = await runCommand(words, context);
    // A disk that is full may say so after the command has ended.
    await writtenOut(context.stdout);
    return interruption.exitCode() ?? code;
  } catch (error) {
    const stopped = interruption.exitCode();
    if (stopped === undefined)
      await printError(error, context, { json: beforeDashes(words).includes('--json'), cwd: folderOf(words, context) });
    return stopped ?? exitCodeOf(error);
  } finally {
    interruption.stopWatching();
  }
}
