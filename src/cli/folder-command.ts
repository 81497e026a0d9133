import { resolve } from 'node:path';
import { Command, Option } from 'clipanion';
import type { BuildEvent, Emit } from '../base/events.ts';
import type { OpenOptions } from '../engine/api.ts';
import type { Paint } from '../report/colour.ts';
import { warningLine } from '../report/plain.ts';
import { type CliContext, paintFor } from './context.ts';
import { folderGiven } from './given-paths.ts';
import type { JsonOutput } from './json-output.ts';

/** A command that works in a folder, with or without a config. */
export abstract class FolderCommand extends Command<CliContext> {
  folder = Option.String('-C', { description: '<dir> Work in this folder.' });
  json = Option.Boolean('--json', false, { description: 'Write JSON, for programs.' });
  color = Option.Boolean('--color', { description: 'Colours; --no-color and NO_COLOR for none.' });

  /** @throws {BuildError} `usage` if -C names no folder. */
  get cwd(): string {
    const { cwd } = this.context;
    return this.folder === undefined ? resolve(cwd) : folderGiven('-C', resolve(cwd, this.folder));
  }

  get paint(): Paint {
    return paintFor(this.context, this.color);
  }

  openOptions(emit: Emit): OpenOptions {
    return { cwd: this.cwd, params: {}, env: this.context.env, emit, signal: this.context.signal };
  }

  /** Events of a command that builds nothing: only what people should know, and not in between its output. */
  readonly warn = (event: BuildEvent): void => {
    if (event.type === 'warning') this.context.stderr.write(`${warningLine(event)}\n`);
  };

  print(text: string): void {
    this.context.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
  }

  /** A line of what it writes with `--json`. */
  printJson(value: JsonOutput[keyof JsonOutput]): void {
    this.print(JSON.stringify(value));
  }
}
