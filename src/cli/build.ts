import { Command, Option } from 'clipanion';
import { BuildError } from '../base/errors.ts';
import { nearestName } from '../base/names.ts';
import type { BuildOptions } from '../engine/api.ts';
import { exitCode } from './exit-codes.ts';
import { wholeNumber } from './numbers.ts';
import { PlanningCommand } from './planning-command.ts';
import { buildReported } from './reporters.ts';
import { showStatus } from './show-status.ts';

export class BuildCommand extends PlanningCommand {
  static override paths = [Command.Default, ['build']];
  static operands = '[targets...]';
  static override usage = Command.Usage({
    description: 'Build targets and all that they need; without names all of them. Nothing that is fresh runs.',
    examples: [
      ['build everything', '$0'],
      ['build `tokens` and what it needs', '$0 build tokens'],
      ['what would run for it', '$0 build tokens -n'],
      ['only the groups that match', "$0 build --only 'code/*'"],
      ['try the config on 1,000 documents of each group, in .dsbuild/sample', '$0 build --sample 1000'],
      ['fail in CI if something is not built', '$0 build --check'],
      ['every event as a line of JSON, the summary last', '$0 build --json'],
    ],
  });

  targets = Option.Rest();
  jobs = Option.String('-j,--jobs', { description: '<n> Steps that run at once; by default one per processor.' });
  dryRun = Option.Boolean('-n,--dry-run', false, { description: 'Only say what would run.' });
  check = Option.Boolean('--check', false, { description: 'As -n, and exit with 3 if anything would run.' });
  keepGoing = Option.Boolean('-k,--keep-going', false, { description: 'After a failure, finish what does not depend on it.' });
  force = Option.Boolean('--force', false, { description: 'Run though fresh.' });
  overwrite = Option.Boolean('--overwrite', false, { description: 'Replace published files that were edited by hand.' });
  sample = Option.String('--sample', { description: '<documents> Take so many of each group, and build apart from the real outputs.' });
  noPublish = Option.Boolean('--no-publish', false, { description: 'Build, but leave the `out` folders as they are.' });
  noRemote = Option.Boolean('--no-remote', false, { description: 'Leave the remote cache alone.' });
  requireRemote = Option.Boolean('--require-remote', false, { description: 'Fail if the remote cache is not there, or fails.' });
  plain = Option.Boolean('--plain', false, { description: 'Lines instead of the view for terminals.' });

  async execute(): Promise<number> {
    try {
      return await this.#execute();
    } catch (error) {
      throw this.#withCommandHint(error);
    }
  }

  async #execute(): Promise<number> {
    const options = this.#buildOptions();
    if (this.dryRun || this.check)
      return this.withProject((project) => showStatus(this, { project, options: { ...options, dryRun: true }, check: this.check }));
    const flags = { json: this.json, plain: this.plain, paint: this.paint };
    const summary = await buildReported(this.context, { flags, options, withProject: (use, emit) => this.withProject(use, emit) });
    return summary.ok ? exitCode.ok : exitCode.failed;
  }

  #buildOptions(): BuildOptions {
    const jobs = wholeNumber('--jobs', this.jobs, 1);
    const sample = wholeNumber('--sample', this.sample, 1);
    return {
      ...this.planOptions(this.targets),
      ...(jobs !== undefined && { jobs }),
      ...(sample !== undefined && { sample }),
      keepGoing: this.keepGoing,
      force: this.force,
      overwrite: this.overwrite,
      publish: !this.noPublish,
      remote: !this.noRemote,
      requireRemote: this.requireRemote,
    };
  }

  /** `dsbuild statsu`: what is no command is taken for a target. */
  #withCommandHint(error: unknown): unknown {
    const [word] = this.targets;
    if (
      !(error instanceof BuildError) ||
      !['unknown-target', 'no-config'].includes(error.code) ||
      word === undefined ||
      this.path.length > 0
    )
      return error;
    const command = nearestName(word, this.context.commandWords);
    if (command === undefined) return error;
    const { code, message, where, hint = '' } = error;
    return new BuildError(code, {
      message,
      hint: `Or did you mean the command "${command}"? ${hint}`.trim(),
      cause: error,
      ...(where !== undefined && { where }),
    });
  }
}
