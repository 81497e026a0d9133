import { Cli, type CommandClass } from 'clipanion';
import { BuildError } from '../base/errors.ts';
import { commandClasses } from './commands.ts';
import { type CliContext, contextFrom, type GivenContext, paintFor } from './context.ts';
import { exitCode, exitCodeOf } from './exit-codes.ts';
import { commandHelp, generalHelp } from './help.ts';
import { type SignalSource, watchInterruption } from './interrupt.ts';
import { printError } from './print-error.ts';
import { describeSyntax, type Syntax, syntaxError } from './syntax.ts';

/** The command line as a program: which commands there are, and which of them this one names. */
interface Program {
  readonly cli: Cli<CliContext>;
  readonly syntax: Syntax;
}

function programOf(classes: readonly CommandClass<CliContext>[], argv: readonly string[]): Program {
  const cli = Cli.from<CliContext>([...classes], { binaryName: 'dsbuild' });
  return { cli, syntax: describeSyntax(cli, classes, argv) };
}

/** The flags of `run <rule>` follow from the rule's options: they are known only when the rules are loaded. */
async function loadProgram(argv: readonly string[], context: CliContext): Promise<Program> {
  const program = programOf(commandClasses, argv);
  if (program.syntax.command.path[0] !== 'run') return program;
  const { runCommands } = await import('./run-rule.ts');
  return programOf([...commandClasses, ...runCommands(await context.engine.loadFace())], argv);
}

/** `make -j8` is in everybody's fingers. */
const spellOut = (argv: readonly string[]): string[] =>
  argv.flatMap((word, i) => (/^-j\d+$/.test(word) && !argv.slice(0, i).includes('--') ? ['-j', word.slice(2)] : [word]));

const beforeDashes = (argv: readonly string[]): readonly string[] => argv.slice(0, argv.includes('--') ? argv.indexOf('--') : undefined);

async function runCommand(argv: readonly string[], context: CliContext): Promise<number> {
  const { cli, syntax } = await loadProgram(argv, context);
  if (beforeDashes(argv).some((word) => word === '-h' || word === '--help')) {
    const general = syntax.command.path.length === 0;
    context.stdout.write(
      general ? generalHelp(syntax.commands, paintFor(context, undefined)) : commandHelp(syntax, paintFor(context, undefined)),
    );
    return exitCode.ok;
  }
  let command: ReturnType<typeof cli.process>;
  try {
    command = cli.process([...argv], { ...context, commands: syntax.commands });
  } catch (error) {
    throw error instanceof BuildError ? error : syntaxError(syntax, argv, error);
  }
  return (await command.execute()) ?? exitCode.ok;
}

/** Runs a command line from its first word to the exit code. Errors end here: as text on stderr, or as JSON under `--json`. */
export async function runProgram(argv: readonly string[], given: GivenContext & { signals?: SignalSource }): Promise<number> {
  const { signals, ...rest } = given;
  const streams = { stdout: given.stdout ?? process.stdout, stderr: given.stderr ?? process.stderr };
  const interruption = watchInterruption(streams, signals);
  const context = contextFrom(rest, interruption.signal);
  const words = spellOut(argv);
  try {
    const code = await runCommand(words, context);
    return interruption.exitCode() ?? code;
  } catch (error) {
    const stopped = interruption.exitCode();
    if (stopped === undefined) printError(error, context, beforeDashes(words).includes('--json'));
    return stopped ?? exitCodeOf(error);
  } finally {
    interruption.stopWatching();
  }
}
