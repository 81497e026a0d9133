import { BuildError } from '../base/errors.ts';
import { nearestName } from '../base/names.ts';
import { type CommandSyntax, nameOf, plainWords, type Syntax } from './syntax.ts';

/** A flag that more commands have is one that nearly all have. */
const commandsNamedMax = 6;

const flagNames = ({ flags }: CommandSyntax): string[] => flags.flatMap(({ names }) => names);

function unknownFlag({ command, commands }: Syntax, flag: string): BuildError {
  const elsewhere = commands.filter((other) => flagNames(other).includes(flag)).map(nameOf);
  const nearest = nearestName(flag, flagNames(command));
  const hint =
    nearest !== undefined
      ? `Did you mean ${nearest}?`
      : elsewhere.length > 0 && elsewhere.length <= commandsNamedMax
        ? `It belongs to ${elsewhere.join(', ')}.`
        : `${nameOf(command)} --help lists the options.`;
  return new BuildError('usage', { message: `${nameOf(command)} has no option ${flag}`, hint });
}

/** What is wrong with one word, if it is an option. */
function flagProblem(syntax: Syntax, word: string, next: string | undefined): BuildError | undefined {
  if (!/^-[^-\d]|^--./.test(word)) return undefined;
  const [name = ''] = word.split('=');
  const { command } = syntax;
  const flag = command.flags.find(({ names }) => names.includes(name) || names.includes(name.replace(/^--no-/, '--')));
  const isBatch = /^-[a-zA-Z]{2,}$/.test(word) && [...word.slice(1)].every((letter) => flagNames(command).includes(`-${letter}`));
  if (!flag) return isBatch ? undefined : unknownFlag(syntax, name);
  const hint = `${nameOf(command)} --help tells more.`;
  if (flag.value === undefined && word.includes('=')) return new BuildError('usage', { message: `${name} takes no value`, hint });
  if (flag.value !== undefined && !word.includes('=') && (next === undefined || next.startsWith('-'))) {
    return new BuildError('usage', {
      message: `${name} needs a value <${flag.value}>`,
      hint: `Write ${name} <${flag.value}> or, if the value begins with a dash, ${name}=<${flag.value}>.`,
    });
  }
  return undefined;
}

/** What is wrong with the words that are no flags, if their number is. */
function operandProblem({ command }: Syntax, extra: readonly string[]): string | undefined {
  const { operands } = command;
  if (operands.startsWith('<') && extra.length === 0) return `${nameOf(command)} needs ${operands}`;
  if (operands.includes('...')) return undefined;
  const [oneWay = ''] = operands.split(' | ');
  const tooMany = extra.slice(oneWay === '' ? 0 : oneWay.split(' ').length);
  if (tooMany.length === 0) return undefined;
  return `${nameOf(command)} takes ${operands === '' ? 'no names' : `only ${operands}`}: "${tooMany[0]}" is too much`;
}

/** Says in one sentence why a command line is not understood, in dsbuild's own words: the parser's name none of the user's. */
export function syntaxError(syntax: Syntax, cause: unknown): BuildError {
  const { command, line } = syntax;
  const words = line.slice(0, line.includes('--') ? line.indexOf('--') : undefined);
  for (const [i, word] of words.entries()) {
    const problem = flagProblem(syntax, word, line[i + 1]);
    if (problem) return problem;
  }
  const usage = `Usage: ${[nameOf(command), command.operands].join(' ').trim()}`;
  const extra = plainWords(line, syntax).slice(command.path.length);
  const message = operandProblem(syntax, extra) ?? `dsbuild does not understand: ${['dsbuild', ...line].join(' ')}`;
  return new BuildError('usage', { message, hint: `${usage}; see ${nameOf(command)} --help.`, cause });
}
