import type { Paint } from '../report/colour.ts';
import { type CommandSyntax, type FlagSyntax, nameOf, type Syntax } from './syntax.ts';

const widthMax = 100;
/** Flags that have nothing to do with what a command does; shown apart. */
const everywhere: readonly string[] = ['-C', '--config', '--set', '--json', '--color'];
const exampleWidthMax = 60;
const plainDoc = (text = ''): string => text.replaceAll(/\s*\n\s*/g, ' ').trim();

/** Breaks a text into lines. */
function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = '';
    }
    line += (line === '' ? '' : ' ') + word;
  }
  return [...lines, line];
}

/** Two columns; the second is wrapped. */
function columns(rows: readonly (readonly [string, string])[], paint: (text: string) => string): string {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows
    .map(([left, right]) => {
      const [first = '', ...more] = wrapped(right, Math.max(30, widthMax - width - 4));
      return [
        `  ${paint(left)}${' '.repeat(width - left.length)}  ${first}`.trimEnd(),
        ...more.map((line) => ' '.repeat(width + 4) + line),
      ].join('\n');
    })
    .join('\n');
}

const flagWords = ({ names, value }: FlagSyntax): string => `${names.join(', ')}${value === undefined ? '' : ` <${value}>`}`;
const isEverywhere = ({ names }: FlagSyntax): boolean => names.some((name) => everywhere.includes(name));

const section = (title: string, body: string, paint: Paint): string => `\n${paint.bold(title)}\n${body}\n`;

/** Help for one command: what it does, its flags, examples. */
export function commandHelp({ command, commands }: Syntax, paint: Paint): string {
  const { usage, operands, flags, otherPaths } = command;
  const flagRows = (some: readonly FlagSyntax[]): string =>
    columns(
      some.map((flag) => [flagWords(flag), flag.doc] as const),
      paint.bold,
    );
  const own = flags.filter((flag) => !isEverywhere(flag));
  const shared = flags.filter(isEverywhere);
  const below = commands.filter(({ path }) => command.path.length > 0 && path.length > command.path.length && path[0] === command.path[0]);
  const also = otherPaths.length === 0 ? '' : `Also: ${otherPaths.map((path) => ['dsbuild', ...path].join(' ')).join(', ')}\n`;
  const details = usage.details === undefined ? '' : `\n${wrapped(plainDoc(usage.details), widthMax).join('\n')}\n`;
  return [
    `${plainDoc(usage.description)}\n\nUsage: ${paint.bold([nameOf(command), operands].join(' ').trim())} [options]\n${also}${details}`,
    below.length === 0
      ? ''
      : section(
          'One of',
          columns(
            below.map(({ path, usage: { description } }) => [path.slice(1).join(' '), plainDoc(description)] as const),
            paint.bold,
          ),
          paint,
        ),
    own.length === 0 ? '' : section('Options', flagRows(own), paint),
    shared.length === 0 ? '' : section('Everywhere', flagRows(shared), paint),
    usage.examples === undefined ? '' : section('Examples', exampleLines(usage.examples, paint), paint),
  ].join('');
}

/** In columns if they are short, else the line below what it does. */
function exampleLines(examples: readonly (readonly [string, string])[], paint: Paint): string {
  const rows = examples.map(([doc, line]) => [line.replaceAll('$0', 'dsbuild'), doc] as const);
  if (rows.every(([line]) => line.length <= exampleWidthMax)) return columns(rows, paint.bold);
  return rows.map(([line, doc]) => `  ${doc}:\n    ${paint.bold(line)}`).join('\n');
}

const firstSteps: readonly (readonly [string, string])[] = [
  ['dsbuild init', 'write a config for the data that lies here'],
  ['dsbuild', 'build all targets; nothing that is fresh runs'],
  ['dsbuild build tokens -n', 'what would run for tokens'],
  ["dsbuild build --only 'code/*'", 'only the groups that match'],
  ['dsbuild build --sample 1000', 'try the config on 1,000 documents, apart from the real outputs'],
  ['dsbuild why shards', 'which input, option or rule version makes it stale'],
  ['dsbuild head clean --rejected', 'dropped documents with their reasons'],
  ['dsbuild run tokenize --help', 'one shot without a config'],
  ['dsbuild doctor', 'what is missing: tokenizers, disk, rights'],
];

/** Help for dsbuild as a whole. */
export function generalHelp(commands: readonly CommandSyntax[], paint: Paint): string {
  const rows = commands
    .filter(({ path }) => path.length === 1)
    .map(({ path, operands, usage }) => [[...path, operands].join(' ').trim(), plainDoc(usage.description)] as const);
  return [
    'dsbuild: Make for LLM training datasets. It rebuilds only what changed, down to the shard that one edited line touches.\n',
    `\nUsage: ${paint.bold('dsbuild [command] [targets...] [options]')}\n`,
    section('Commands', columns(rows, paint.bold), paint),
    section('For example', columns(firstSteps, paint.bold), paint),
    '\ndsbuild <command> --help tells more of each; dsbuild --version says which dsbuild this is.\n',
    'Exit codes: 0 done, 1 a step or gate failed, 2 usage or config, 3 stale (--check), 130 interrupted.\n',
  ].join('');
}
