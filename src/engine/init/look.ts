import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { byCodeUnit } from '../../base/names.ts';
import { listSource } from '../../source/list.ts';
import { type Repository, repositoryOf } from './repository.ts';
import { shapeOf, shapeWords } from './shape.ts';

/** Something to read that lies in the project's folder. */
export interface FoundData {
  /** A folder directly below, or a file beside the config. */
  readonly path: string;
  readonly files: number;
  readonly bytes: number;
  /** In words, such as `chats (messages)`. */
  readonly holds: string;
  /** Documents can be made of its records, as far as is known. */
  readonly isUsable: boolean;
}

/** Data in a form that dsbuild does not read. */
export interface OtherData {
  readonly path: string;
  readonly format: 'parquet' | 'csv' | 'text';
  readonly files: number;
  /** How it comes to be JSON lines, as a line for a shell. */
  readonly conversion: string;
}

/** What `init` can know without asking. */
export interface Surroundings {
  /** The largest first. */
  readonly data: readonly FoundData[];
  readonly others: readonly OtherData[];
  /** A `tokenizer.json`, as `tokenize` takes it. */
  readonly tokenizer: string | undefined;
  readonly repository: Repository | undefined;
}

export const recordExtensions = ['jsonl', 'jsonl.gz', 'jsonl.zst', 'ndjson'] as const;
const otherFormats = { parquet: ['parquet'], csv: ['csv', 'tsv'], text: ['txt'] } as const;

/** `a/b.jsonl.gz` -> `a/b`, `jsonl.gz`. */
export function splitExtension(path: string): { name: string; extension: string } {
  const extension = [...recordExtensions].filter((one) => path.endsWith(`.${one}`)).sort((a, b) => b.length - a.length)[0] ?? '';
  return { name: extension === '' ? path : path.slice(0, -extension.length - 1), extension };
}

/** What builds and programs leave, and what is no data of the user's. */
const notData = /^(out|dist|build|coverage|target|venv|logs?|test|tests|fixtures)\/|(^|\/)(\.[^/]*|site-packages|__pycache__)\//;

/** Files below a folder by their extension, hidden folders and those of programs left out. POSIX paths from the folder. */
export function filesWith(extensions: readonly string[], folder: string): string[] {
  return listSource({ group: '', patterns: extensions.map((extension) => `**/*.${extension}`), base: folder }).paths;
}

/** Folders directly below with what lies in them, files beside the config by themselves. */
function byPlace(paths: readonly string[]): Map<string, string[]> {
  const places = new Map<string, string[]>();
  for (const path of paths) {
    const place = path.includes('/') ? (path.split('/')[0] as string) : path;
    places.set(place, [...(places.get(place) ?? []), path]);
  }
  return places;
}

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

function findData(cwd: string): FoundData[] {
  const paths = filesWith(recordExtensions, cwd).filter((path) => !notData.test(path));
  return [...byPlace(paths)]
    .map(([path, files]) => {
      const absolute = files.map((file) => join(cwd, file));
      const shape = shapeOf(absolute);
      const bytes = absolute.reduce((sum, file) => sum + sizeOf(file), 0);
      return { path, files: files.length, bytes, holds: shapeWords(shape), isUsable: shape.is !== 'other' };
    })
    .sort((a, b) => b.bytes - a.bytes || byCodeUnit(a.path, b.path));
}

type Format = OtherData['format'];

function conversionOf(path: string, format: Format): string {
  const isFile = path.includes('.');
  const jsonl = `${isFile ? path.slice(0, path.lastIndexOf('.')) : path}.jsonl`;
  if (format === 'text') return `for f in ${path}/*.txt; do jq -Rsc --arg id "$f" '{id: $id, text: .}' "$f"; done > ${jsonl}`;
  return `duckdb -c "COPY (SELECT * FROM '${isFile ? path : `${path}/**/*.${format}`}') TO '${jsonl}' (FORMAT json)"`;
}

/** Text files count in folders of data only: notes and lists of requirements are none. */
const isMeant = (path: string, format: Format): boolean =>
  !notData.test(path) && (format !== 'text' || /^(data|texts?|corpus)\//.test(path));

function findOthers(cwd: string): OtherData[] {
  return (Object.keys(otherFormats) as Format[]).flatMap((format) => {
    const paths = filesWith(otherFormats[format], cwd).filter((path) => isMeant(path, format));
    return [...byPlace(paths)].map(([path, files]) => ({ path, format, files: files.length, conversion: conversionOf(path, format) }));
  });
}

const tokenizerPlaces = ['tokenizer.json', 'tokenizer/tokenizer.json', 'tokenizers/tokenizer.json', 'data/tokenizer.json'];

/** Looks at what lies in a folder; reads the beginning of at most three files of each place. */
export function lookAround(cwd: string): Surroundings {
  const tokenizer = tokenizerPlaces.find((path) => existsSync(join(cwd, path)));
  return { data: findData(cwd), others: findOthers(cwd), tokenizer: tokenizer && `./${tokenizer}`, repository: repositoryOf(cwd) };
}
