import { SourceMap, type SourceMapPayload } from 'node:module';
import { dirname, relative, resolve, sep } from 'node:path';

/** A place in a file of the user's; line and column are counted from 1. */
export interface Position {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** Finds places of the user's files in stacks that were made while a bundle ran. */
export interface Positions {
  /** The first frame of a stack that lies in the user's files. */
  find(stack: string): Position | undefined;
  /** A file's path as it is shown: relative to the project, with `/`. */
  show(file: string): string;
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/**
 * @param bundle Where the bundle lies. It must name no source map itself, else Node might map stacks before we do.
 * @param url What the bundle was imported as: frames of another import of it are not found, they are of another load's values.
 * @param map Its source map as JSON.
 * @param project Folder that shown paths are relative to.
 */
export function positionsIn({ bundle, url }: { bundle: string; url: string }, map: string, project: string): Positions {
  const frame = new RegExp(`${escaped(url)}:(\\d+):(\\d+)`);
  let sources: SourceMap | undefined;
  return {
    show: (file) => relative(project, file).split(sep).join('/'),
    find(stack) {
      const [, line, column] = frame.exec(stack) ?? [];
      if (line === undefined || column === undefined) return undefined;
      sources ??= new SourceMap(JSON.parse(map) as SourceMapPayload);
      const found = sources.findEntry(Number(line) - 1, Number(column) - 1);
      if (!('originalSource' in found)) return undefined;
      return { file: resolve(dirname(bundle), found.originalSource), line: found.originalLine + 1, column: found.originalColumn + 1 };
    },
  };
}

/** `datasets.config.ts:12:5` */
export const showPosition = (positions: Positions, { file, line, column }: Position): string => `${positions.show(file)}:${line}:${column}`;

/** The line at a place, and a mark under the column. */
export function excerpt(line: string, { line: number, column }: Pick<Position, 'line' | 'column'>): string {
  const margin = `  ${number} | `;
  return `${margin}${line}\n${' '.repeat(margin.length)}${line.slice(0, column - 1).replace(/[^\t]/g, ' ')}^`;
}
