import { appendFileSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { BuildEvent } from '../base/events.ts';
import { writeFileAtomic } from '../base/files.ts';
import { gitBranch, gitHead } from '../base/git-head.ts';
import { type Clock, type Reporter, systemClock } from './reporter.ts';

const bufferCharsMax = 64 * 1024;
const runsKeptMax = 100;

/**
 * Writes a run down for those who ask later: `runs/<id>/events.jsonl`, each event with its time (`ms` since the run began), and
 * `summary.json` with the commit and the branch that were checked out, in the state folder.
 */
export interface Recorder extends Reporter {
  /** Known once the project is open; what happened before is kept until then. */
  writeTo(stateDir: string): void;
}

/** The newest stay. */
function removeOldRuns(runsDir: string): void {
  const names = readdirSync(runsDir);
  if (names.length <= runsKeptMax) return;
  const byAge = names.map((name) => ({ name, mtimeMs: statSync(join(runsDir, name)).mtimeMs })).sort((a, b) => b.mtimeMs - a.mtimeMs);
  for (const { name } of byAge.slice(runsKeptMax)) rmSync(join(runsDir, name), { recursive: true, force: true });
}

class RunRecorder implements Recorder {
  #stateDir: string | undefined;
  #run: string | undefined;
  #folder: string | undefined;
  #text = '';
  #broken = false;
  readonly #clock: Pick<Clock, 'now'>;
  /** When the run began; what happened before is of time 0. */
  #startedMs: number | undefined;

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  readonly emit = (event: BuildEvent): void => {
    if (this.#broken || event.type === 'step-progress') return;
    // In watch mode one build comes after the other: each has its own record.
    if (event.type === 'build-started') this.#attempt(() => this.#begin(event.run));
    this.#text += `${JSON.stringify(event).slice(0, -1)},"ms":${this.#sinceStart()}}\n`;
    if (event.type === 'summary') this.#attempt(() => this.#finish(event));
    else if (this.#text.length > bufferCharsMax || event.type.startsWith('target-')) this.#attempt(() => this.#flush());
  };

  /** Milliseconds, to the microsecond. */
  #sinceStart(): number {
    return this.#startedMs === undefined ? 0 : Math.round((this.#clock.now() - this.#startedMs) * 1000) / 1000;
  }

  writeTo(stateDir: string): void {
    this.#stateDir = stateDir;
  }

  close(): void {
    this.#attempt(() => this.#flush());
  }

  /** A record is a service: a full disk or a folder that may not be written ends the record, never the build. */
  #attempt(write: () => void): void {
    if (this.#broken) return;
    try {
      write();
    } catch {
      this.#broken = true;
      this.#text = '';
    }
  }

  #begin(run: string): void {
    this.#flush();
    this.#run = run;
    this.#folder = undefined;
    this.#startedMs = this.#clock.now();
  }

  #open(): string | undefined {
    if (this.#folder === undefined && this.#stateDir !== undefined && this.#run !== undefined) {
      this.#folder = join(this.#stateDir, 'runs', this.#run);
      mkdirSync(this.#folder, { recursive: true });
      removeOldRuns(join(this.#stateDir, 'runs'));
    }
    return this.#folder;
  }

  #flush(): void {
    const folder = this.#open();
    if (folder === undefined || this.#text === '') return;
    appendFileSync(join(folder, 'events.jsonl'), this.#text);
    this.#text = '';
  }

  #finish(summary: BuildEvent): void {
    this.#flush();
    if (this.#folder === undefined) return;
    const root = dirname(this.#stateDir as string);
    const [commit, branch] = [gitHead(root), gitBranch(root)];
    const record = { ...summary, ...(commit && { commit }), ...(branch && { branch }) };
    writeFileAtomic(join(this.#folder, 'summary.json'), `${JSON.stringify(record, null, 2)}\n`);
  }
}

export const runRecorder = (clock: Pick<Clock, 'now'> = systemClock): Recorder => new RunRecorder(clock);
