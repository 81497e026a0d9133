import { resolve } from 'node:path';
import { Command, Option } from 'clipanion';
import { BuildError } from '../base/errors.ts';
import type { BuildEvent, Emit } from '../base/events.ts';
import type { OpenOptions } from '../engine/api.ts';
import type { Project } from '../engine/project.ts';
import type { Paint } from '../report/colour.ts';
import { warningLine } from '../report/plain.ts';
import { type CliContext, paintFor } from './context.ts';

/** Flags that every command takes; help shows them apart from its own. */
export const everywhere: readonly string[] = ['-C', '--config', '--set', '--json', '--color'];

function paramsOf(settings: readonly string[]): Record<string, string> {
  const entries = settings.map((setting) => {
    const [, name, value = ''] = /^([^=]+)=([\s\S]*)$/.exec(setting) ?? [];
    if (name === undefined) {
      throw new BuildError('usage', { message: `--set takes name=value, but got "${setting}"`, hint: 'For example --set language=en, read in the config by param().' });
    }
    return [name, value] as const;
  });
  return Object.fromEntries(entries);
}

/** A command that has to do with the project in the current folder. */
export abstract class ProjectCommand extends Command<CliContext> {
  folder = Option.String('-C', { description: '<dir> Work in this folder.' });
  config = Option.String('-f,--config', { description: '<file> The config, instead of the nearest datasets.config.ts.' });
  set = Option.Array('--set', [], { description: '<name=value> A value for param() in the config; may be repeated.' });
  json = Option.Boolean('--json', false, { description: 'Write JSON, for programs.' });
  color = Option.Boolean('--color', { description: 'Colours; --no-color and NO_COLOR for none.' });

  get cwd(): string {
    return resolve(this.context.cwd, this.folder ?? '.');
  }

  get paint(): Paint {
    return paintFor(this.context, this.color);
  }

  openOptions(emit: Emit): OpenOptions {
    return {
      cwd: this.cwd,
      ...(this.config !== undefined && { configFile: this.config }),
      params: paramsOf(this.set),
      env: this.context.env,
      emit,
      signal: this.context.signal,
    };
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

  /** Events of a command that builds nothing: only what people should know, and not in between its output. */
  readonly warn = (event: BuildEvent): void => {
    if (event.type === 'warning') this.context.stderr.write(`${warningLine(event)}\n`);
  };

  print(text: string): void {
    this.context.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
  }

  printJson(value: unknown): void {
    this.print(JSON.stringify(value));
  }
}

/** A whole number from a flag. @throws {BuildError} `usage` */
export function wholeNumber(flag: string, text: string | undefined, min: number): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text.replaceAll('_', ''));
  if (text.trim() !== '' && Number.isSafeInteger(value) && value >= min) return value;
  throw new BuildError('usage', { message: `${flag} must be a whole number, at least ${min}, but is "${text}"`, hint: `For example ${flag} ${Math.max(min, 4)}.` });
}
