import type { Goal, Row } from './case.ts';

/** A row and the command that makes it. */
export interface TableRow extends Row {
  readonly command: string;
}

const heads = ['', 'dsbuild', 'beside it', 'goal'];
const goalOf = ({ says, met }: Goal): string => `${met ? 'met' : 'MISSED'}: ${says}`;

/** Lines of one row: its figures are in the first, others beside it have a line each, and so have goals. */
function linesOf({ what, dsbuild, beside = [], goals = [] }: Row): string[][] {
  const height = Math.max(1, beside.length, goals.length);
  return Array.from({ length: height }, (_, i) => {
    const goal = goals[i];
    return [i === 0 ? what : '', i === 0 ? dsbuild : '', beside[i] ?? '', goal ? goalOf(goal) : ''];
  });
}

/** For people at a terminal: aligned columns. */
export function alignedTable(rows: readonly Row[]): string {
  const lines = [heads, ...rows.flatMap(linesOf)];
  const widths = heads.map((_, i) => Math.max(...lines.map((line) => (line[i] as string).length)));
  const pad = (line: readonly string[]): string => line.map((cell, i) => cell.padEnd(widths[i] as number)).join('  ');
  return lines.map((line) => pad(line).trimEnd()).join('\n');
}

/** README's form: a line for each row, the command that makes it last. */
export const markdownLine = ({ what, dsbuild, beside = [], command }: TableRow): string =>
  `| ${what} | ${dsbuild} | ${beside.join('<br>')} | \`${command}\` |`;

export const markdownHead = '| | dsbuild | beside it | made by |\n|---|---|---|---|';
export const markdownTable = (rows: readonly TableRow[]): string => [markdownHead, ...rows.map(markdownLine)].join('\n');

const begins = '<!-- figures of npm run bench -->';
const ends = '<!-- end of figures -->';

/** The place for figures, with what stands before and behind it. */
function cutOut(page: string): { before: string; between: string; after: string } {
  const [before = '', rest = '', ...more] = page.split(begins);
  const [between = '', after, ...others] = rest.split(ends);
  if (after === undefined || more.length + others.length > 0)
    throw new Error(`README.md needs one place for figures, between "${begins}" and "${ends}"`);
  return { before, between, after };
}

interface NewFigures {
  readonly rows: readonly TableRow[];
  /** All commands, in the order of their rows. */
  readonly commands: readonly string[];
  /** The machine that they ran on. */
  readonly machine?: string;
}

/**
 * The page with new rows in the place of those that the same commands made; other rows stay, and without a machine its line does.
 *
 * @throws when the page has not exactly one place for figures.
 */
export function withRows(page: string, { rows, commands, machine }: NewFigures): string {
  const { before, between, after } = cutOut(page);
  const old = between.split('\n').filter((line) => line !== '');
  const made = new Set(rows.map(({ command }) => command));
  const lines = commands.flatMap((command) =>
    made.has(command)
      ? rows.filter((row) => row.command === command).map(markdownLine)
      : old.filter((line) => line.endsWith(`| \`${command}\` |`)),
  );
  const ranOn = machine ?? old.find((line) => !line.startsWith('|')) ?? '';
  return `${before}${begins}\n\n${ranOn}\n\n${[markdownHead, ...lines].join('\n')}\n\n${ends}${after}`;
}
