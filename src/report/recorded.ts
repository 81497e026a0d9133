import { createReadStream, existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { BuildError } from '../base/errors.ts';
import type { BuildEvent, BuildSummary } from '../base/events.ts';
import { namesIfThere, readIfThere } from '../base/files.ts';
import { byCodeUnit } from '../base/names.ts';

/** An event as it was written down; `ms` is the time since the run began, absent in records of earlier versions. */
export type RecordedEvent = BuildEvent & { readonly ms?: number };

/** What is known of a run without reading its events. */
export interface RunRecord {
  readonly run: string;
  /** ISO 8601. */
  readonly started: string;
  /** Absent when the run was cut off before its end. */
  readonly summary?: BuildSummary & { readonly commit?: string; readonly branch?: string };
}

const runsDir = (stateDir: string): string => join(stateDir, 'runs');
const eventsFile = (stateDir: string, run: string): string => join(runsDir(stateDir), run, 'events.jsonl');

/** `2026-11-21T16-40-01-123Z`: the time at which it began, as it can stand in a path. */
const startOf = (run: string): string => run.replace(/T(\d\d)-(\d\d)-(\d\d)-/, 'T$1:$2:$3.');

/** Runs that are on record, the newest first. */
export function runsIn(stateDir: string): string[] {
  return namesIfThere(runsDir(stateDir))
    .filter((run) => existsSync(eventsFile(stateDir, run)))
    .sort(byCodeUnit)
    .reverse();
}

export function runRecord(stateDir: string, run: string): RunRecord {
  const text = readIfThere(join(runsDir(stateDir), run, 'summary.json'))?.toString('utf8');
  const found = text === undefined ? undefined : (parsed(text) as RunRecord['summary']);
  const summary = isObject(found) && isObject(found.targets) && Object.values(found.targets).every(isObject) ? found : undefined;
  return { run, started: startOf(run), ...(summary && { summary }) };
}

/**
 * The run that is meant: by the beginning of its name, else the newest.
 *
 * @throws {BuildError} `no-runs`, or `unknown-run` where it is none or more than one.
 */
export function findRun(stateDir: string, named?: string): string {
  const runs = runsIn(stateDir);
  const found = named === undefined ? runs.slice(0, 1) : runs.filter((run) => run.startsWith(named) || startOf(run).startsWith(named));
  if (found.length === 1) return found[0] as string;
  if (runs.length === 0)
    throw new BuildError('no-runs', { message: 'no run is on record', where: runsDir(stateDir), hint: 'Build first: dsbuild build' });
  throw new BuildError('unknown-run', {
    message: found.length === 0 ? `there is no run "${named}" on record` : `${found.length} runs begin with "${named}"`,
    hint: `The newest are ${runs.slice(0, 3).join(', ')}; dsbuild logs --runs lists all.`,
  });
}

/** The events of a run, one after another; a last line that was cut off is left out. */
export async function* eventsOf(stateDir: string, run: string): AsyncGenerator<RecordedEvent> {
  const lines = createInterface({ input: createReadStream(eventsFile(stateDir, run)), crlfDelay: Number.POSITIVE_INFINITY });
  try {
    for await (const line of lines) {
      const event = parsed(line) as RecordedEvent | undefined;
      if (isObject(event) && typeof event.type === 'string') yield event;
    }
  } finally {
    lines.close();
  }
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Reads what is on record of a run.
 *
 * @throws {BuildError} `damaged-run` where the record holds what no build writes: it has no digest, so that people and programs can read it.
 */
export async function readingRun<T>(run: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    if (!(cause instanceof TypeError || cause instanceof RangeError)) throw cause;
    throw new BuildError('damaged-run', {
      message: `the record of ${run} is damaged: ${cause.message}`,
      hint: 'Another run can be named: dsbuild logs --runs lists all.',
      cause,
    });
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
