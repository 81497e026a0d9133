import type { Cli, CommandClass } from 'clipanion';
import type { CliContext } from './context.ts';

/** A flag as people type it. */
export interface FlagSyntax {
  readonly names: readonly string[];
  /** What stands for its value in help; undefined for a switch. */
  readonly value: string | undefined;
  readonly doc: string;
}

export interface CommandSyntax {
  /** Without `dsbuild`; empty for the build command when no command was named. */
  readonly path: readonly string[];
  readonly otherPaths: readonly (readonly string[])[];
  readonly usage: NonNullable<CommandClass['usage']>;
  /** What stands behind the path: `[targets...]`. */
  readonly operands: string;
  readonly flags: readonly FlagSyntax[];
}

export interface Syntax {
  readonly commands: readonly CommandSyntax[];
  /** The one that the command line names; its path is empty where none is named. */
  readonly command: CommandSyntax;
}

/** A command says what its operands are called: clipanion only knows how many there are. */
export type DescribedClass = CommandClass<CliContext> & { readonly operands?: string };

type Definition = ReturnType<Cli<CliContext>['definitions']>[number];

function flagOf({ definition, description = '' }: Definition['options'][number]): FlagSyntax {
  const [, names = '', valued = ''] = /^(\S+)(.*)$/.exec(definition) ?? [];
  const [, value, doc = ''] = /^(?:<([^>]*)> )?([\s\S]*)$/.exec(description.trim()) ?? [];
  return { names: names.split(','), value: valued === '' ? undefined : (value ?? 'value'), doc };
}

function commandOf(commandClass: DescribedClass, definition: Definition): CommandSyntax {
  const [path = [], ...otherPaths] = (commandClass.paths ?? [[]]).filter((words) => words.length > 0);
  const { usage = {}, operands = '' } = commandClass;
  return { path, otherPaths, usage, operands, flags: definition.options.map(flagOf) };
}

/** Words that are no flags and no flag's value. */
export function plainWords(argv: readonly string[], commands: readonly CommandSyntax[]): string[] {
  const valued = new Set(commands.flatMap(({ flags }) => flags.filter(({ value }) => value !== undefined).flatMap(({ names }) => names)));
  return argv.filter((word, i) => !word.startsWith('-') && !valued.has(argv[i - 1] ?? ''));
}

const startsWith = (words: readonly string[], path: readonly string[]): boolean => path.every((word, i) => words[i] === word);

/** Reads the commands that a `Cli` knows, and finds the one that a command line names: the longest path wins. */
export function describeSyntax(cli: Cli<CliContext>, classes: readonly DescribedClass[], argv: readonly string[]): Syntax {
  const shown = classes.filter(({ usage }) => usage !== undefined);
  const definitions = cli.definitions();
  const commands = shown.map((commandClass, i) => commandOf(commandClass, definitions[i] as Definition));
  const words = plainWords(argv, commands);
  const named = commands
    .flatMap((command) => [command.path, ...command.otherPaths].map((path) => ({ command, path })))
    .filter(({ path }) => startsWith(words, path))
    .sort((a, b) => b.path.length - a.path.length)[0]?.command;
  const build = commands.find(({ path }) => path[0] === 'build') as CommandSyntax;
  return { commands, command: named ?? { ...build, path: [] } };
}

export const nameOf = ({ path }: CommandSyntax): string => ['dsbuild', ...path].join(' ');
