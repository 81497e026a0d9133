/** A project in a temporary folder, built by the real program as a process. The rig of all end-to-end tests. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  watch,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BuildEvent, BuildSummary, ShownError } from '../../src/base/events.ts';
import { Gate } from './gate.ts';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const program = join(repository, 'bin', 'dsbuild.js');
export const tinyTokenizer = join(repository, 'fixtures', 'tokenizers', 'tiny');

/** How one run of the program ended, and all that it said. */
export interface Outcome {
  /** Exit code, or the signal that ended it. */
  readonly code: number | NodeJS.Signals;
  readonly events: readonly BuildEvent[];
  /** The last line of a build that came to its end. */
  readonly summary: BuildSummary;
  readonly stderr: string;
}

export class RunningBuild {
  readonly done: Promise<Outcome>;
  readonly #child: ChildProcess;
  readonly #lines: string[] = [];
  #watchers: (() => void)[] = [];
  /** All was read that it had to say: after its exit some of that may still be on its way. */
  #isOver = false;

  constructor(child: ChildProcess) {
    this.#child = child;
    let [stdout, stderr] = ['', ''];
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      const lines = (stdout + text).split('\n');
      stdout = lines.pop() as string;
      this.#lines.push(...lines);
      this.#wake();
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    this.done = new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code, signal) => {
        this.#isOver = true;
        this.#wake();
        resolve(outcomeOf(this.#lines, { code: code ?? (signal as NodeJS.Signals), stderr }));
      });
    });
  }

  /** Resolves when an event like this was said; throws when the build ends without it. */
  async says(matches: (event: BuildEvent) => boolean): Promise<void> {
    for (let seen = 0; ; ) {
      for (; seen < this.#lines.length; seen++) if (matches(JSON.parse(this.#lines[seen] as string) as BuildEvent)) return;
      if (this.#isOver) throw new Error('the build ended before it said so');
      await new Promise<void>((resolve) => void this.#watchers.push(resolve));
    }
  }

  #given = 0;

  /** The next event that was not given yet; throws when the build ends without one. */
  async next(): Promise<BuildEvent> {
    while (this.#given === this.#lines.length) {
      if (this.#isOver) throw new Error('the build ended before it said more');
      await new Promise<void>((resolve) => void this.#watchers.push(resolve));
    }
    return JSON.parse(this.#lines[this.#given++] as string) as BuildEvent;
  }

  /** kill -9 of the whole process group. */
  async kill(): Promise<Outcome> {
    try {
      process.kill(-(this.#child.pid as number), 'SIGKILL');
    } catch {
      // It was faster.
    }
    return this.done;
  }

  /** Ctrl-C reaches every process of the group. */
  interrupt(): void {
    process.kill(-(this.#child.pid as number), 'SIGINT');
  }

  #wake(): void {
    const watchers = this.#watchers;
    this.#watchers = [];
    for (const wake of watchers) wake();
  }
}

/** A run that writes for people. */
export class RunningText {
  readonly done: Promise<number | NodeJS.Signals>;
  readonly #child: ChildProcess;
  text = '';
  #isOver = false;
  #wake: () => void = () => {};

  constructor(child: ChildProcess) {
    this.#child = child;
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.text += text;
      this.#wake();
    });
    this.done = new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code, signal) => {
        this.#isOver = true;
        resolve(code ?? (signal as NodeJS.Signals));
        this.#wake();
      });
    });
  }

  /** Resolves when all that was written so far matches. */
  async says(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.text)) {
      if (this.#isOver) throw new Error(`it ended and had said: ${this.text}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  interrupt(): void {
    process.kill(-(this.#child.pid as number), 'SIGINT');
  }
}

function outcomeOf(lines: readonly string[], rest: Pick<Outcome, 'code' | 'stderr'>): Outcome {
  const events = lines.map((line) => JSON.parse(line) as BuildEvent);
  return {
    ...rest,
    events,
    get summary(): BuildSummary {
      const last = events.at(-1);
      if (last?.type !== 'summary')
        throw new Error(`the build ended with ${rest.code} and without a summary: ${lines.at(-1) ?? ''}\n${rest.stderr}`);
      return last;
    },
  };
}

export class TestProject {
  readonly dir: string;
  /** `$HOME` of the builds: programs of `command` targets see it, and it is in no key. */
  readonly home: string;
  /** What the builds see in their environment besides. */
  readonly env: Record<string, string> = {};
  readonly #root: string;

  constructor(under = tmpdir()) {
    this.#root = mkdtempSync(join(under, 'dsbuild-e2e-'));
    this.dir = join(this.#root, 'project');
    this.home = join(this.#root, 'home');
    mkdirSync(this.dir);
    mkdirSync(this.home);
  }

  #user: number | undefined;

  /** From now on builds run as this user, who must be able to come to the project's folder. */
  as(user: number): void {
    this.#user = user;
    for (const folder of [this.#root, this.home]) chmodSync(folder, 0o777);
  }

  path(name: string): string {
    return join(this.dir, name);
  }

  write(name: string, content: string | Uint8Array): void {
    mkdirSync(dirname(this.path(name)), { recursive: true });
    writeFileSync(this.path(name), content);
  }

  append(name: string, content: string | Uint8Array): void {
    appendFileSync(this.path(name), content);
  }

  read(name: string): string {
    return readFileSync(this.path(name), 'utf8');
  }

  edit(name: string, change: (text: string) => string): void {
    this.write(name, change(this.read(name)));
  }

  copyIn(from: string, name: string): void {
    cpSync(from, this.path(name), { recursive: true });
  }

  move(from: string, to: string): void {
    mkdirSync(dirname(this.path(to)), { recursive: true });
    renameSync(this.path(from), this.path(to));
  }

  remove(name: string): void {
    rmSync(this.path(name), { recursive: true, force: true });
  }

  has(name: string): boolean {
    return existsSync(this.path(name));
  }

  writeHome(name: string, content: string): void {
    writeFileSync(join(this.home, name), content);
  }

  removeHome(name: string): void {
    rmSync(join(this.home, name), { force: true });
  }

  /** Resolves when there is a file of this name in `$HOME`. */
  async atHome(name: string): Promise<void> {
    const watcher = watch(this.home);
    try {
      while (!existsSync(join(this.home, name))) await new Promise((resolve) => watcher.once('change', resolve));
    } finally {
      watcher.close();
    }
  }

  /** Resolves when something in a folder of the project changes. */
  changeIn(name: string): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        watcher.close();
        resolve();
      };
      const watcher = watch(this.path(name), end).on('error', end).unref();
    });
  }

  /** Paths of all files below a folder, relative to the project, sorted by code unit. */
  list(folder: string): string[] {
    return filesBelow(this.path(folder))
      .map((path) => relative(this.dir, path))
      .sort();
  }

  /** SHA-256 of every file below a folder by its path: published bytes as anybody would see them. */
  snapshot(folder = 'out'): Record<string, string> {
    return Object.fromEntries(
      this.list(folder).map((name) => [
        name,
        createHash('sha256')
          .update(readFileSync(this.path(name)))
          .digest('hex'),
      ]),
    );
  }

  /** A gate that programs of this project can wait at, by its name below `$HOME`. */
  gate(name = 'gate'): Gate {
    return new Gate(join(this.home, name));
  }

  start(...args: readonly string[]): RunningBuild {
    return new RunningBuild(this.#spawn(args));
  }

  startText(...args: readonly string[]): RunningText {
    return new RunningText(this.#spawn(args));
  }

  /** Runs it to its end. @returns all that it said, on both streams. */
  async say(...args: readonly string[]): Promise<{ code: number | NodeJS.Signals; text: string }> {
    const child = this.#spawn(args);
    let text = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (more: string) => {
        text += more;
      });
    }
    const code = await new Promise<number | NodeJS.Signals>((resolve, reject) => {
      child.on('error', reject).on('close', (exit, signal) => resolve(exit ?? (signal as NodeJS.Signals)));
    });
    return { code, text };
  }

  #spawn(args: readonly string[]): ChildProcess {
    const { PATH = '' } = process.env;
    const env = { PATH, HOME: this.home, LANG: 'C.UTF-8', TMPDIR: process.env['TMPDIR'] ?? tmpdir(), ...this.env };
    const user = this.#user === undefined ? {} : { uid: this.#user, gid: this.#user };
    return spawn(process.execPath, [program, ...args], { cwd: this.dir, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'], ...user });
  }

  /** Builds to the end, whatever end that is. */
  build(...args: readonly string[]): Promise<Outcome> {
    return this.start('build', '--json', '--plain', ...args).done;
  }

  end(): void {
    rmSync(this.#root, { recursive: true, force: true });
  }
}

function filesBelow(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return lstatSync(path).isDirectory() ? filesBelow(path) : [path];
  });
}

/** How often each step ran, as `{ 'tokens encode': 3 }`; hits are not in it, nor steps that only brought bytes back. */
export function ran({ events }: Outcome, how: 'ran' | 'restored' = 'ran'): Record<string, number> {
  const counts = new Map<string, number>();
  for (const event of events) {
    if (event.type !== 'step-finished' || event.how !== how) continue;
    const name = `${event.target} ${event.step}`;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));
}

export const ranInAll = (outcome: Outcome): number => Object.values(ran(outcome)).reduce((sum, count) => sum + count, 0);

/** All errors of a run: of its targets and steps, and of the command itself. */
export function errorsOf({ events }: Outcome): ShownError[] {
  return events.flatMap((event) => {
    const { type } = event as { type: string };
    return type === 'target-failed' || type === 'error'
      ? [(event as unknown as { error: ShownError }).error ?? (event as unknown as ShownError)]
      : [];
  });
}

export const warningsOf = ({ events }: Outcome): Extract<BuildEvent, { type: 'warning' }>[] =>
  events.flatMap((event) => (event.type === 'warning' ? [event] : []));
