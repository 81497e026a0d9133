import type { Readable, Writable } from 'node:stream';
import type { BaseContext } from 'clipanion';
import { coloured, type Paint, uncoloured } from '../report/colour.ts';
import { type Engine, engine } from './engine.ts';
import type { Interruption } from './interrupt.ts';
import type { CommandSyntax } from './syntax.ts';

/** Everything that a command touches outside its own options. */
export interface CliContext extends BaseContext {
  cwd: string;
  engine: Engine;
  /** Aborted by the first Ctrl-C, and when nobody reads the output any more. */
  signal: AbortSignal;
  /** What a view does when its keys say so. */
  stopping: Stopping;
  /** Words that name a command. */
  commandWords: readonly string[];
  /** All commands, as they are typed; empty for a command that was loaded without the others. */
  commands: readonly CommandSyntax[];
}

export type Stopping = Pick<Interruption, 'interrupt' | 'quit'>;

/** What a caller of `main` may replace. */
export type GivenContext = Partial<Omit<CliContext, 'signal' | 'stopping' | 'commands' | 'commandWords'>>;

export function contextFrom(given: GivenContext, own: Pick<CliContext, 'signal' | 'stopping' | 'commandWords'>): CliContext {
  return {
    env: process.env,
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    colorDepth: 1,
    cwd: process.cwd(),
    engine,
    ...given,
    ...own,
    commands: [],
  };
}

export const isTerminal = (stream: Readable | Writable): boolean => (stream as { isTTY?: boolean }).isTTY === true;

/** In fewer nothing can be read, however it is broken. */
const columnsMin = 20;

/** Columns of a terminal; of anything else the usual ones. */
export const columnsOf = (stream: Writable): number => (stream as { columns?: number }).columns || 80;

type Environment = Readonly<Record<string, string | undefined>>;

/** Columns that lines are broken for: what COLUMNS says, else those of a terminal; undefined where nobody says how wide it is. */
export function widthOfScreen(stream: Writable, { COLUMNS = '' }: Environment): number | undefined {
  const columns = /^\d+$/.test(COLUMNS) ? Number(COLUMNS) : isTerminal(stream) ? columnsOf(stream) : undefined;
  return columns && Math.max(columns, columnsMin);
}

/** CI systems set `CI`; `CI=false` is how people undo it. */
export const isCi = ({ CI = '' }: Environment): boolean => !['', '0', 'false'].includes(CI.toLowerCase());

/** Ink draws nothing where it believes to be in CI, and it believes more than `isCi`. */
const inkSeesCi = (env: Environment): boolean =>
  Object.keys(env).some((name) => name === 'CONTINUOUS_INTEGRATION' || name.startsWith('CI_'));

/** A terminal whose lines can be drawn again. */
export const canRedraw = ({ stdout, env }: Pick<CliContext, 'stdout' | 'env'>): boolean =>
  isTerminal(stdout) && !isCi(env) && !inkSeesCi(env) && env['TERM'] !== 'dumb';

/** `--color` and `--no-color` win over NO_COLOR (no-color.org), that wins over what the terminal can do. */
export function paintFor({ stdout, env }: Pick<CliContext, 'stdout' | 'env'>, color: boolean | undefined): Paint {
  const wanted = color ?? (!env['NO_COLOR'] && isTerminal(stdout) && env['TERM'] !== 'dumb');
  return wanted ? coloured : uncoloured;
}
