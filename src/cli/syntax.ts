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
  /** The command line with the words of that name in front, as clipanion wants it. */
  readonly line: readonly string[];
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

const isFlag = (word: string | undefined): boolean => word?.startsWith('-') === true && word !== '--';

/** Whether the next word is the value of this one: the command itself knows its flags; of others' it is what all who have them say. */
function takesNext(word: string, command: CommandSyntax, commands: readonly CommandSyntax[]): boolean {
  const having = (flags: readonly FlagSyntax[]): FlagSyntax[] => flags.filter(({ names }) => names.includes(word));
  const own = having(command.flags);
  const known = own.length > 0 ? own : commands.flatMap(({ flags }) => having(flags));
  return known.length > 0 && known.every(({ value }) => value !== undefined);
}

/** Words that are no flags of a command and no flag's value. */
export function plainWords(argv: readonly string[], { command, commands }: Syntax): string[] {
  const plain: string[] = [];
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i] as string;
    if (word === '--') return [...plain, ...argv.slice(i + 1)];
    if (!isFlag(word)) plain.push(word);
    else if (takesNext(word, command, commands)) i++;
  }
  return plain;
}

/** Where the words of a command's name stand in a line that has nothing but flags before each of them. */
function placesOf(path: readonly string[], argv: readonly string[], takesNextWord: (word: string) => boolean): number[] | undefined {
  const places: number[] = [];
  let i = 0;
  for (const word of path) {
    while (isFlag(argv[i])) i += takesNextWord(argv[i] as string) ? 2 : 1;
    if (argv[i] !== word) return undefined;
    places.push(i++);
  }
  return places;
}

/** The command that a line names, and where; the longest name wins, then the one that stands first. */
function namedIn(argv: readonly string[], commands: readonly CommandSyntax[]) {
  return commands
    .flatMap((command) => [command.path, ...command.otherPaths].map((path) => ({ command, path })))
    .flatMap(({ command, path }) => {
      const places = placesOf(path, argv, (word) => takesNext(word, command, commands));
      return places ? [{ command, path, places }] : [];
    })
    .sort((a, b) => b.path.length - a.path.length || (a.places.at(-1) as number) - (b.places.at(-1) as number))[0];
}

/** Reads the commands that a `Cli` knows, and finds the one that a command line names. Flags may stand before the name. */
export function describeSyntax(cli: Cli<CliContext>, classes: readonly DescribedClass[], argv: readonly string[]): Syntax {
  const shown = classes.filter(({ usage }) => usage !== undefined);
  const definitions = cli.definitions();
  const commands = shown.map((commandClass, i) => commandOf(commandClass, definitions[i] as Definition));
  const named = namedIn(argv, commands);
  const build = commands.find(({ path }) => path[0] === 'build') as CommandSyntax;
  const rest = argv.filter((_, i) => !named?.places.includes(i));
  return { commands, command: named?.command ?? { ...build, path: [] }, line: [...(named?.path ?? []), ...rest] };
}

export const nameOf = ({ path }: CommandSyntax): string => ['dsbuild', ...path].join(' ');
