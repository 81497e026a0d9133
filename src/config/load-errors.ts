import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import type { BuildFailure, Location, Message } from 'esbuild';
import { BuildError, type ErrorDetails, messageOf, systemCodeOf } from '../base/errors.ts';
import { didYouMean } from '../base/names.ts';
import { excerpt, type Position, type Positions, showPosition } from './positions.ts';

const code = 'bad-config';

export const isBuildFailure = (error: unknown): error is BuildFailure =>
  error instanceof Error && Array.isArray((error as Partial<BuildFailure>).errors);

/** esbuild counts columns in bytes, from 0. */
const columnOf = ({ lineText, column }: Location): number => Buffer.from(lineText).subarray(0, column).toString('utf8').length + 1;

function missingImportHint(folder: string, text: string): string | undefined {
  const specifier = /^Could not resolve "(\.{1,2}\/[^"]*)"/.exec(text)?.[1];
  if (specifier === undefined) return undefined;
  const inFolder = resolve(folder, dirname(specifier));
  try {
    const nearest = didYouMean(basename(specifier), readdirSync(inFolder));
    return `There is no such file.${nearest} Imports are relative to the file that they stand in, and name the ending (.ts).`;
  } catch {
    return `There is no folder ${inFolder}.`;
  }
}

function described(message: Message, project: string): { where?: string; text: string; folder: string } {
  const { location, text } = message;
  if (!location) return { text, folder: project };
  const column = columnOf(location);
  return {
    where: `${location.file}:${location.line}:${column}`,
    text: `${text}\n${excerpt(location.lineText, { line: location.line, column })}`,
    folder: dirname(resolve(project, location.file)),
  };
}

/** A config that can not be bundled: a syntax error, or an import of a file that is not there. */
export function bundlingError(failure: BuildFailure, project: string): BuildError {
  const [first, ...others] = failure.errors;
  if (!first) return new BuildError(code, { message: failure.message });
  const { where, text, folder } = described(first, project);
  const more = others.map((other) => described(other, project)).map((other) => `\n${other.where ?? ''}  ${other.text}`);
  return new BuildError(code, {
    message: text + more.join(''),
    ...(where !== undefined && { where }),
    hint: missingImportHint(folder, first.text) ?? 'Mend this line; nothing was built.',
  });
}

/** What is known of a config while it is evaluated. */
export interface EvaluatedConfig {
  readonly file: string;
  readonly files: readonly { readonly path: string }[];
  readonly faceUrl: string;
  readonly positions: Positions;
}

function lineOf(file: string, line: number): string | undefined {
  try {
    return readFileSync(file, 'utf8').split(/\r?\n/)[line - 1];
  } catch {
    return undefined;
  }
}

function placed({ file, positions }: EvaluatedConfig, position: Position | undefined, details: ErrorDetails): BuildError {
  if (!position) return new BuildError(code, { ...details, where: positions.show(file) });
  const line = lineOf(position.file, position.line);
  const message = line === undefined ? details.message : `${details.message}\n${excerpt(line, position)}`;
  return new BuildError(code, { ...details, message, where: showPosition(positions, position) });
}

/** Where a pattern's first group lies in a text. */
function positionIn(file: string, pattern: RegExp): Position | undefined {
  const text = readFileSync(file, 'utf8');
  const found = new RegExp(pattern, 'd').exec(text)?.indices?.[1]?.[0];
  if (found === undefined) return undefined;
  const before = text.slice(0, found).split('\n');
  return { file, line: before.length, column: (before.at(-1) as string).length + 1 };
}

const firstPosition = ({ files }: EvaluatedConfig, pattern: RegExp): Position | undefined => {
  for (const { path } of files) {
    const position = positionIn(path, pattern);
    if (position) return position;
  }
  return undefined;
};

const literal = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** Node names the bundle, not the user's file, when linking fails: the import is looked up in the sources. */
async function missingExport(evaluated: EvaluatedConfig, error: unknown): Promise<BuildError | undefined> {
  const [, module = '', name = ''] = /requested module '(.+)' does not provide an export named '(.+)'/.exec(messageOf(error)) ?? [];
  if (name === '') return undefined;
  const isFace = module === evaluated.faceUrl;
  const specifier = isFace ? 'dsbuild' : module;
  const known = isFace ? Object.keys((await import(evaluated.faceUrl)) as object) : [];
  const pattern = new RegExp(`import\\b[^;'"]*?\\b(${literal(name)})\\b[^;'"]*from\\s*['"]${literal(specifier)}['"]`);
  return placed(evaluated, firstPosition(evaluated, pattern), {
    message: `"${specifier}" has no export "${name}".${didYouMean(name, known)}`,
    hint: 'Mend the name in the import.',
  });
}

function missingPackage(evaluated: EvaluatedConfig, error: unknown): BuildError | undefined {
  if (systemCodeOf(error) !== 'ERR_MODULE_NOT_FOUND') return undefined;
  const name = /Cannot find package '(.+?)'/.exec(messageOf(error))?.[1];
  if (name === undefined) return undefined;
  return placed(evaluated, firstPosition(evaluated, new RegExp(`['"](${literal(name)})(?:/[^'"]*)?['"]`)), {
    message: `the package "${name}" is not installed`,
    hint: `Install it with: npm install ${name}`,
  });
}

/** What a config threw, or what kept it from being linked, with the user's line. */
export async function evaluationError(evaluated: EvaluatedConfig, error: unknown): Promise<BuildError> {
  const position = error instanceof Error ? evaluated.positions.find(error.stack ?? '') : undefined;
  if (error instanceof BuildError)
    return error.where === undefined && position ? error.at(showPosition(evaluated.positions, position)) : error;
  const named = (await missingExport(evaluated, error)) ?? missingPackage(evaluated, error);
  if (named) return named;
  const thrown = error instanceof Error ? `${error.name}: ${error.message}` : JSON.stringify(error);
  return placed(evaluated, position, {
    message: `the config threw ${thrown}`,
    hint: 'A config is a program: this happened while it was run, before anything was built.',
    cause: error,
  });
}

/** The default export is missing, or is something that `defineConfig` did not make. */
export function exportError(evaluated: EvaluatedConfig, exported: unknown): BuildError {
  const hint = 'End the config with: export default defineConfig({ targets: { ... } });';
  if (exported === undefined) return placed(evaluated, undefined, { message: 'the config has no default export', hint });
  const position = positionIn(evaluated.file, /(export\s+default|export\s*\{)/);
  return placed(evaluated, position, { message: 'the default export was not made by defineConfig', hint });
}
