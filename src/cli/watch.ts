import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Command, Option } from 'clipanion';
import { BuildError } from '../base/errors.ts';
import type { BuildOptions } from '../engine/api.ts';
import type { WatchedFiles } from '../engine/watched.ts';
import type { Reporter } from '../report/reporter.ts';
import { exitCode } from './exit-codes.ts';
import { wholeNumber } from './numbers.ts';
import { PlanningCommand } from './planning-command.ts';
import { shownOf } from './print-error.ts';
import { reportingFor } from './reporters.ts';
import { type WatchParts, WatchSession } from './watch-session.ts';

/** Modules that a config which can not be read may import. */
const isModule = (path: string): boolean => /\.([mc]?[jt]s|json)$/.test(path);

export class WatchCommand extends PlanningCommand {
  static override paths = [['watch']];
  static operands = '[targets...]';
  static override usage = Command.Usage({
    description: 'Build, and build again whenever a source, the config, a filter or a tokenizer changes.',
    details:
      'A file that is still being written is waited for: until its last line is ended, or until nothing was written for a second. A change during a build ends what has become moot; what is finished is kept.',
    examples: [
      ['everything', '$0 watch'],
      ['one target and what it needs', '$0 watch shards'],
      ['every event as a line of JSON', '$0 watch --json'],
    ],
  });

  targets = Option.Rest();
  jobs = Option.String('-j,--jobs', { description: '<n> Steps that run at once; by default one per processor.' });
  keepGoing = Option.Boolean('-k,--keep-going', false, { description: 'After a failure, finish what does not depend on it.' });
  overwrite = Option.Boolean('--overwrite', false, { description: 'Replace published files that were edited by hand.' });
  noRemote = Option.Boolean('--no-remote', false, { description: 'Leave the remote cache alone.' });
  plain = Option.Boolean('--plain', false, { description: 'Lines instead of the view for terminals.' });

  async execute(): Promise<number> {
    const { findConfig } = await import('../config/find.ts');
    // A config that is broken may be mended; where there is none, nobody knows what to wait for.
    findConfig(this.cwd, this.config);
    let session: WatchSession | undefined;
    const watch = { rebuild: () => session?.rebuild() };
    const { json, plain, paint } = this;
    const { reporter, pausing, opened } = await reportingFor(this.context, { json, plain, paint, watch });
    const { Watcher } = await import('../watch/watcher.ts');
    const { engine, signal } = this.context;
    const options = { ...this.#buildOptions(), ...(pausing && { pausing }) };
    const parts: WatchParts = {
      openProject: async (emit) => {
        const project = await engine.openProject(this.openOptions(emit));
        opened(project);
        return project;
      },
      build: (project, buildOptions, runner) => engine.build(project, buildOptions, runner),
      watchedFiles: (project) => engine.watchedFiles(project, options),
      configSurroundings: () => this.#configSurroundings(),
      startWatcher: async (watched, events) => new Watcher(watched, events),
      warmRunner: (project) => engine.warmRunner(project, options),
      emit: reporter.emit,
      failed: (error) => this.#failed(error, reporter),
      signal,
      options,
    };
    try {
      session = new WatchSession(parts);
      await session.run();
    } finally {
      reporter.close();
    }
    return exitCode.ok;
  }

  #buildOptions(): BuildOptions {
    const jobs = wholeNumber('--jobs', this.jobs, 1);
    const { keepGoing, overwrite } = this;
    return { ...this.planOptions(this.targets), ...(jobs !== undefined && { jobs }), keepGoing, overwrite, remote: !this.noRemote };
  }

  /** A mistake in the config is shown, and watched until it is mended; one in the program ends it. */
  #failed(error: unknown, reporter: Reporter): void {
    if (!(error instanceof BuildError)) throw error;
    reporter.emit({ type: 'target-failed', target: '', error: shownOf(error) });
  }

  /** Where a config that can not be read may be mended: which files it imports is not known. */
  #configSurroundings(): WatchedFiles {
    const { cwd } = this;
    const never = new Set(['node_modules', 'dist', '.dsbuild', '.git']);
    const folders = readdirSync(cwd, { withFileTypes: true }).filter((entry) => entry.isDirectory() && !never.has(entry.name));
    return {
      config: [],
      roots: [cwd],
      includes: isModule,
      enters: (folder) => folder === cwd || folders.some(({ name }) => folder.startsWith(join(cwd, name))),
    };
  }
}
