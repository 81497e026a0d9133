import type { BuildEvent, BuildSummary, TargetDifference } from '../base/events.ts';
import type { BuildOptions } from '../engine/api.ts';
import type { Project } from '../engine/project.ts';
import type { WatchedFiles } from '../engine/watched.ts';
import type { WarmRunner } from '../execute/warm-runner.ts';
import { lookAt } from '../watch/look.ts';
import { Settling } from '../watch/settling.ts';
import type { Watched, Watcher, WatcherEvents } from '../watch/watcher.ts';

/** Times in a row that a build gives way to a newer change; then one is let come to its end, so that something gets done. */
const supersededMax = 3;
/** How often files are looked at when the system does not tell of changes any more. */
const blindPeriodMs = 5000;
const pathsShownMax = 20;

/** What a session needs of the rest of the program; tests hand in their own. */
export interface WatchParts {
  openProject(emit: (event: BuildEvent) => void): Promise<Project>;
  build(project: Project, options: BuildOptions, runner: WarmRunner): Promise<BuildSummary>;
  watchedFiles(project: Project): Promise<WatchedFiles>;
  /** Where to look while the config can not be read. */
  configSurroundings(): WatchedFiles;
  startWatcher(watched: Watched, events: WatcherEvents): Promise<Watcher>;
  warmRunner(project: Project): Promise<WarmRunner>;
  /** Told everything; one build's events stand between `build-started` and `summary`. */
  emit(event: BuildEvent): void;
  /** A config that can not be read, or anything else that keeps a build from beginning. */
  failed(error: unknown): void;
  readonly signal: AbortSignal;
  readonly options: BuildOptions;
}

/** Builds, waits until something that matters has changed and settled, and builds again, until it is stopped. */
export class WatchSession {
  readonly #parts: WatchParts;
  readonly #settling = new Settling(lookAt);
  #project: Project | undefined;
  #watched: WatchedFiles;
  #watcher: Watcher | undefined;
  #runner: WarmRunner | undefined;
  #last: BuildSummary | undefined;
  readonly #published = new Map<string, { written: number; removed: number }>();
  #hasWork = false;
  #reopen = true;
  /** The config can not be read as it stands. */
  #isBroken = false;
  #told = '';
  #superseding: AbortController | undefined;
  #supersededInARow = 0;
  #timer: NodeJS.Timeout | undefined;
  #wake: (() => void) | undefined;
  #blind: NodeJS.Timeout | undefined;

  constructor(parts: WatchParts) {
    this.#parts = parts;
    this.#watched = parts.configSurroundings();
  }

  /** Runs until the signal is aborted. */
  async run(): Promise<void> {
    const { signal } = this.#parts;
    const stop = (): void => {
      void this.#runner?.end();
      this.#wake?.();
    };
    signal.addEventListener('abort', stop, { once: true });
    try {
      while (!signal.aborted) {
        await this.#buildOnce();
        if (!signal.aborted) await this.#somethingToDo();
      }
    } finally {
      signal.removeEventListener('abort', stop);
      await this.#end();
    }
  }

  /** Builds again although nothing changed. */
  rebuild(): void {
    this.#changed([]);
  }

  async #buildOnce(): Promise<void> {
    try {
      if (this.#reopen) await this.#open();
    } catch (error) {
      this.#fail(error);
      // What the config would import now is not known: whatever may mend it is looked at as well.
      if (!this.#isBroken) await this.#watch(joined(this.#watched, this.#parts.configSurroundings()));
      this.#isBroken = true;
      return;
    }
    const project = this.#project as Project;
    this.#superseding = new AbortController();
    const mayBeSuperseded = this.#supersededInARow < supersededMax;
    const options = { ...this.#parts.options, ...(mayBeSuperseded && { superseded: this.#superseding.signal }) };
    try {
      const summary = await this.#parts.build(project, options, this.#runner as WarmRunner);
      this.#supersededInARow = summary.superseded ? this.#supersededInARow + 1 : 0;
      this.#compare(summary);
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#superseding = undefined;
    }
  }

  /** The same mistake is told once, however often somebody looks whether it is still there. */
  #fail(error: unknown): void {
    const { where = '', message } = error as { where?: string; message: string };
    if (this.#told === where + message) return;
    this.#told = where + message;
    this.#parts.failed(error);
  }

  async #open(): Promise<void> {
    // One after the other: they share a folder for temporary files, which the one that closes takes away.
    this.#project?.close();
    this.#project = undefined;
    const project = await this.#parts.openProject((event) => this.#emit(event));
    this.#project = project;
    this.#reopen = false;
    this.#isBroken = false;
    this.#told = '';
    this.#runner ??= await this.#parts.warmRunner(project);
    await this.#watch(await this.#parts.watchedFiles(project));
  }

  /** What changes before everything is watched would be missed: then one more build looks, at the config too. */
  async #watch(watched: WatchedFiles): Promise<void> {
    const isSame = this.#watcher !== undefined && watched.roots.join('\0') === this.#watched.roots.join('\0');
    this.#watched = watched;
    if (isSame) return;
    await this.#watcher?.close();
    const { roots } = watched;
    const current = {
      roots,
      includes: (path: string) => this.#watched.includes(path),
      enters: (path: string) => this.#watched.enters(path),
    };
    const watcher = await this.#parts.startWatcher(current, {
      changed: (path) => this.#noticed(path),
      blind: (reason) => this.#goBlind(reason),
    });
    this.#watcher = watcher;
    void watcher.ready.then(() => {
      if (this.#watcher !== watcher) return;
      this.#reopen = true;
      this.rebuild();
    });
  }

  #goBlind(reason: string): void {
    if (this.#blind !== undefined) return;
    const message = `the system watches no more files (${reason}): they are looked at every ${blindPeriodMs / 1000} s instead`;
    const hint = 'On Linux raise fs.inotify.max_user_watches.';
    this.#parts.emit({ type: 'warning', code: 'watch-limit', message, hint });
    this.#blind = setInterval(() => this.rebuild(), blindPeriodMs);
  }

  #noticed(path: string): void {
    this.#settling.note(path, performance.now());
    this.#askAgain(0);
  }

  #askAgain(inMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      const taken = this.#settling.take(performance.now());
      if ('againInMs' in taken) this.#askAgain(taken.againInMs);
      else this.#changed(taken.paths);
    }, inMs);
  }

  #changed(paths: readonly string[]): void {
    if (this.#isBroken || paths.some((path) => this.#watched.config.includes(path))) this.#reopen = true;
    this.#hasWork = true;
    if (paths.length > 0) {
      // Whoever changed something is told what is still wrong.
      this.#told = '';
      this.#parts.emit({ type: 'changed', paths: paths.slice(0, pathsShownMax), count: paths.length });
      this.#superseding?.abort();
    }
    this.#wake?.();
  }

  async #somethingToDo(): Promise<void> {
    const { emit } = this.#parts;
    // What changes before everything is watched is not told of: until then nobody is told that it is watched.
    if (!this.#hasWork && this.#blind === undefined) await this.#woken(this.#watcher?.ready);
    if (!this.#hasWork && !this.#parts.signal.aborted) {
      emit({ type: 'watching', files: this.#watched.config, folders: this.#watched.roots });
      await this.#woken();
    }
    this.#hasWork = false;
  }

  /** Waits until there is something to do, or until `or` is settled. */
  async #woken(or?: Promise<void>): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      void or?.then(resolve);
      if (this.#parts.signal.aborted) resolve();
    });
    this.#wake = undefined;
  }

  /** Notes what was published on the way: a summary does not tell. */
  #emit(event: BuildEvent): void {
    if (event.type === 'build-started') this.#published.clear();
    if (event.type === 'published') this.#published.set(event.target, { written: event.files, removed: event.removed });
    this.#parts.emit(event);
  }

  /** Says target by target what a rebuild changed. */
  #compare(summary: BuildSummary): void {
    if (!summary.ok) return;
    const before = this.#last?.targets;
    this.#last = summary;
    for (const [target, now] of before ? Object.entries(summary.targets) : []) {
      const then = before?.[target];
      const difference: TargetDifference = {
        documents: now.documentsOut - (then?.documentsOut ?? 0),
        tokens: now.tokens - (then?.tokens ?? 0),
        parts: now.parts - (then?.parts ?? 0),
        ...(this.#published.get(target) ?? { written: 0, removed: 0 }),
      };
      if (Object.values(difference).some((count) => count !== 0)) this.#parts.emit({ type: 'difference', target, difference });
    }
  }

  async #end(): Promise<void> {
    clearTimeout(this.#timer);
    clearInterval(this.#blind);
    await this.#watcher?.close();
    await this.#runner?.end();
    this.#project?.close();
  }
}

const joined = (a: WatchedFiles, b: WatchedFiles): WatchedFiles => ({
  config: [...a.config, ...b.config],
  roots: [...new Set([...a.roots, ...b.roots])],
  includes: (path) => a.includes(path) || b.includes(path),
  enters: (folder) => a.enters(folder) || b.enters(folder),
});
