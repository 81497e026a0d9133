/** A small project on disk, built in this very process: hundreds of builds in a minute, each from its config to its published files. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { digestHex } from '../../src/base/digest.ts';
import type { BuildEvent, BuildSummary } from '../../src/base/events.ts';
import type { BuildOptions } from '../../src/engine/api.ts';
import { build } from '../../src/engine/build.ts';
import { openProject, type Project } from '../../src/engine/project.ts';
import type { Job, Made } from '../../src/execute/job.ts';
import { runJob } from '../../src/execute/run-job.ts';
import type { Runner } from '../../src/execute/runner.ts';

const folders: string[] = [];
process.once('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A folder of this test file, gone when its process ends. */
function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'dsbuild-engine-'));
  folders.push(folder);
  return folder;
}

/** Path of a file of the checkout. */
export const checkout = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** What a step was given, but for where it lies and what is known from earlier. */
const stepOf = ({ rule, step, inputs, params }: Job): string => {
  const given = Object.entries(inputs).map(([name, parts]) => [
    name,
    [parts].flat().map(({ digest, form, facts }) => [digest, form, facts]),
  ]);
  return `${rule} ${step} ${JSON.stringify([params, given])}`;
};

const resultOf = ({ parts, counters, quarantined }: Made): string =>
  JSON.stringify([parts.map(({ output, digest, facts }) => [output, digest, facts]), Object.entries(counters).sort(), quarantined]);

/** Runs steps where the test runs, once they may begin, and notes what each gave. */
export function inlineRunner(results = new Map<string, string>(), mayBegin: Promise<void> = Promise.resolve()): Runner {
  return {
    jobs: 2,
    run: async (job, { begins, progress = () => undefined }) => {
      await mayBegin;
      begins?.();
      const made = await runJob(job, { signal: new AbortController().signal, progress });
      results.set(stepOf(job), resultOf(made));
      return made;
    },
    close: () => Promise.resolve(),
  };
}

export interface Built {
  readonly summary: BuildSummary;
  readonly events: readonly BuildEvent[];
  /** Names of the steps that ran, as `target:step`, in code unit order. */
  readonly ran: readonly string[];
  /** Codes of the errors of targets, in code unit order. */
  readonly errors: readonly string[];
  /** What each step that ran gave, side parts included, by what it was given. */
  readonly results: ReadonlyMap<string, string>;
}

export interface BuildGiven extends Partial<BuildOptions> {
  readonly params?: Readonly<Record<string, string>>;
  /** The build is interrupted, as by Ctrl-C, when so many steps have ended. */
  readonly interruptAfter?: number;
  /** No step is run before it was said what the build will come to. */
  readonly afterEstimate?: boolean;
  readonly env?: Readonly<Record<string, string>>;
}

export class Rig {
  readonly root: string;

  constructor(root = temporaryFolder()) {
    this.root = root;
  }

  path(name: string): string {
    return join(this.root, name);
  }

  write(files: Readonly<Record<string, string | Uint8Array>>): void {
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(dirname(this.path(name)), { recursive: true });
      writeFileSync(this.path(name), content);
    }
  }

  read(name: string): Buffer {
    return readFileSync(this.path(name));
  }

  remove(name: string): void {
    rmSync(this.path(name), { recursive: true });
  }

  /** All files below a folder, name to digest, in code unit order; none when there is no such folder. */
  tree(folder: string): Readonly<Record<string, string>> {
    return Object.fromEntries(this.#files(folder).map((name) => [name, digestHex(this.read(join(folder, name)))]));
  }

  #files(folder: string): string[] {
    try {
      const entries = readdirSync(this.path(folder), { recursive: true, withFileTypes: true });
      const prefix = this.path(folder).length + 1;
      return entries
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name).slice(prefix))
        .sort();
    } catch {
      return [];
    }
  }

  /** Builds as the command line does, with steps in this process. */
  async build({ params = {}, env = {}, interruptAfter, afterEstimate = false, ...options }: BuildGiven = {}): Promise<Built> {
    const events: BuildEvent[] = [];
    const results = new Map<string, string>();
    const interrupt = new AbortController();
    let left = interruptAfter ?? Number.POSITIVE_INFINITY;
    let begin: () => void = () => {};
    const mayBegin = afterEstimate ? new Promise<void>((resolve) => (begin = resolve)) : Promise.resolve();
    const emit = (event: BuildEvent): void => {
      events.push(event);
      if (event.type === 'estimate') begin();
      if (event.type === 'step-finished' && --left <= 0) interrupt.abort();
    };
    const project = await openProject({ cwd: this.root, params, env, emit, signal: interrupt.signal });
    try {
      const summary = await build(project, { targets: [], ...options }, () => inlineRunner(results, mayBegin));
      const ran = events.flatMap((event) =>
        event.type === 'step-finished' && event.how === 'ran' ? [`${event.target}:${event.step}`] : [],
      );
      const errors = events.flatMap((event) => (event.type === 'target-failed' ? [event.error.code] : []));
      return { summary, events, ran: ran.sort(), errors: errors.sort(), results };
    } finally {
      project.close();
    }
  }

  /** Opens the project as commands do that build nothing. */
  async withProject<T>(use: (project: Project) => Promise<T>): Promise<T> {
    const signal = new AbortController().signal;
    const project = await openProject({ cwd: this.root, params: {}, env: {}, emit: () => {}, signal });
    try {
      return await use(project);
    } finally {
      project.close();
    }
  }
}
