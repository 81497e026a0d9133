import type { Paint } from '../report/colour.ts';
import { wrapped } from '../report/wrap.ts';
import { type CommandSyntax, type FlagSyntax, nameOf, type Syntax } from './syntax.ts';

/** What help is written on. */
interface Page {
  readonly paint: Paint;
  readonly columns: number;
}

/** Flags that have nothing to do with what a command does; shown apart. */
const everywhere: readonly string[] = ['-C', '--config', '--set', '--json', '--color'];
const exampleWidthMax = 60;
/** A second column is no narrower. */
const secondColumnMin = 30;
const plainDoc = (text = ''): string => text.replaceAll(/\s*\n\s*/g, ' ').trim();

const indented = (text: string, { columns }: Page, indent: string): string =>
  wrapped(text, columns - indent.length)
    .map((line) => indent + line)
    .join('\n');

/** Two columns, the second wrapped; where there is no room for that the second stands below the first. */
function columns(rows: readonly (readonly [string, string])[], page: Page): string {
  const { paint } = page;
  const width = Math.max(...rows.map(([left]) => left.length));
  const room = page.columns - width - 4;
  return rows
    .map(([left, right]) => {
      if (room < secondColumnMin) return `  ${paint.bold(left)}${right === '' ? '' : `\n${indented(right, page, '      ')}`}`;
      const [first = '', ...more] = wrapped(right, room);
      return [
        `  ${paint.bold(left)}${' '.repeat(width - left.length)}  ${first}`.trimEnd(),
        ...more.map((line) => ' '.repeat(width + 4) + line),
      ].join('\n');
    })
    .join('\n');
}

const flagWords = ({ names, value }: FlagSyntax): string => `${names.join(', ')}${value === undefined ? '' : ` <${value}>`}`;
const isEverywhere = ({ names }: FlagSyntax): boolean => names.some((name) => everywhere.includes(name));

const section = (title: string, body: string, { paint }: Page): string => `\n${paint.bold(title)}\n${body}\n`;

/** Help for one command: what it does, its flags, examples. */
export function commandHelp({ command, commands }: Syntax, page: Page): string {
  const { paint } = page;
  const { usage, operands, flags, otherPaths } = command;
  const flagRows = (some: readonly FlagSyntax[]): string =>
    columns(
      some.map((flag) => [flagWords(flag), flag.doc] as const),
      page,
    );
  const own = flags.filter((flag) => !isEverywhere(flag));
  const shared = flags.filter(isEverywhere);
  const below = commands.filter(({ path }) => command.path.length > 0 && path.length > command.path.length && path[0] === command.path[0]);
  const also = otherPaths.length === 0 ? '' : `Also: ${otherPaths.map((path) => ['dsbuild', ...path].join(' ')).join(', ')}\n`;
  const details = usage.details === undefined ? '' : `\n${indented(plainDoc(usage.details), page, '')}\n`;
  return [
    `${indented(plainDoc(usage.description), page, '')}\n\nUsage: ${paint.bold([nameOf(command), operands].join(' ').trim())} [options]\n${also}${details}`,
    below.length === 0
      ? ''
      : section(
          'One of',
          columns(
            below.map(({ path, usage: { description } }) => [path.slice(1).join(' '), plainDoc(description)] as const),
            page,
          ),
          page,
        ),
    own.length === 0 ? '' : section('Options', flagRows(own), page),
    shared.length === 0 ? '' : section('Everywhere', flagRows(shared), page),
    usage.examples === undefined ? '' : section('Examples', exampleLines(usage.examples, page), page),
  ].join('');
}

/** In columns if they are short, else the line below what it does. A line is never broken: it is there to be copied. */
function exampleLines(examples: readonly (readonly [string, string])[], page: Page): string {
  const rows = examples.map(([doc, line]) => [line.replaceAll('$0', 'dsbuild'), doc] as const);
  const width = Math.max(...rows.map(([line]) => line.length));
  if (width <= Math.min(exampleWidthMax, page.columns - secondColumnMin - 4)) return columns(rows, page);
  return rows.map(([line, doc]) => `${indented(`${doc}:`, page, '  ')}\n    ${page.paint.bold(line)}`).join('\n');
}

const firstSteps: readonly (readonly [string, string])[] = [
  ['write a config for the data that lies here', 'dsbuild init'],
  ['build all targets; nothing that is fresh runs', 'dsbuild'],
  ['what would run for tokens', 'dsbuild build tokens -n'],
  ['only the groups that match', "dsbuild build --only 'code/*'"],
  ['try the config on 1,000 documents, apart from the real outputs', 'dsbuild build --sample 1000'],
  ['which input, option or rule version makes it stale', 'dsbuild why shards'],
  ['dropped documents with their reasons', 'dsbuild head clean --rejected'],
  ['one shot without a config', 'dsbuild run tokenize --help'],
  ['what is missing: tokenizers, disk, rights', 'dsbuild doctor'],
];

/** Help for dsbuild as a whole. */
export function generalHelp(commands: readonly CommandSyntax[], page: Page): string {
  const rows = commands
    .filter(({ path }) => path.length === 1)
    .map(({ path, operands, usage }) => [[...path, operands].join(' ').trim(), plainDoc(usage.description)] as const);
  const about = 'dsbuild: Make for LLM training datasets. It rebuilds only what changed, down to the shard that one edited line touches.';
  return [
    `${indented(about, page, '')}\n\nUsage: ${page.paint.bold('dsbuild [command] [targets...] [options]')}\n`,
    section('Commands', columns(rows, page), page),
    section('For example', exampleLines(firstSteps, page), page),
    `\n${indented('dsbuild <command> --help tells more of each; dsbuild --version says which dsbuild this is.', page, '')}\n`,
    `${indented('Exit codes: 0 done, 1 a step or gate failed, 2 usage or config, 3 stale (--check), 130 interrupted.', page, '')}\n`,
  ].join('');
}
