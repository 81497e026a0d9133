import { Option } from 'clipanion';
import { BuildError } from '../base/errors.ts';
import type { Emit } from '../base/events.ts';
import type { OpenOptions } from '../engine/api.ts';
import type { Project } from '../engine/project.ts';
import { FolderCommand } from './folder-command.ts';

function paramsOf(settings: readonly string[]): Record<string, string> {
  const entries = settings.map((setting) => {
    const [, name, value = ''] = /^([^=]+)=([\s\S]*)$/.exec(setting) ?? [];
    if (name !== undefined) return [name, value] as const;
    throw new BuildError('usage', {
      message: `--set takes name=value, but got "${setting}"`,
      hint: 'For example --set language=en, which the config reads by param().',
    });
  });
  return Object.fromEntries(entries);
}

/** A command that has to do with the project whose config lies in the folder or above it. */
export abstract class ProjectCommand extends FolderCommand {
  config = Option.String('-f,--config', { description: '<file> The config, instead of the nearest datasets.config.ts.' });
  set = Option.Array('--set', [], { description: '<name=value> A value for param() in the config; may be repeated.' });

  override openOptions(emit: Emit): OpenOptions {
    const { config } = this;
    return { ...super.openOptions(emit), ...(config !== undefined && { configFile: config }), params: paramsOf(this.set) };
  }

  /** Opens the project, hands it out, and closes it whatever happens. */
  async withProject<T>(use: (project: Project) => Promise<T>, emit: Emit = this.warn): Promise<T> {
    const project = await this.context.engine.openProject(this.openOptions(emit));
    try {
      this.#warnOfClash(project, emit);
      return await use(project);
    } finally {
      project.close();
    }
  }

  /** Commands win over names of targets. */
  #warnOfClash(project: Project, emit: Emit): void {
    const [word, ...others] = this.path ?? [];
    if (word === undefined || others.length > 0 || project.graph.get(word) === undefined) return;
    const hint = `To build the target, write: dsbuild build ${word}`;
    emit({ type: 'warning', code: 'name-clash', message: `"${word}" is a command and also a target; this is the command`, hint });
  }
}
