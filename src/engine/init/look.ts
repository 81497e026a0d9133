import { existsSync, readdirSync, statSync } from 'node:fs';
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

/** Folders of what builds and programs leave, and of what is no data of the user's. */
const notData = /^(out|dist|build|coverage|target|venv|logs?|tests?|fixtures|node_modules|\..*)$/;
const notDataBelow = /(^|\/)(\.[^/]*|site-packages|__pycache__)\//;

/** Files below a folder by their extension. POSIX paths from the folder. @throws {BuildError} `source-unreadable` */
export function filesWith(extensions: readonly string[], folder: string): string[] {
  return listSource({ group: '', patterns: extensions.map((extension) => `**/*.${extension}`), base: folder }).paths;
}

const allExtensions = [...recordExtensions, ...Object.values(otherFormats).flat()];

/** A folder directly below with the files in it, or a file beside the config. */
interface Place {
  readonly path: string;
  readonly isFile: boolean;
  /** POSIX, from the project's folder. */
  readonly files: readonly string[];
}

/** What may not be read is no data that could be built. */
function filesIn(cwd: string, name: string): string[] {
  try {
    return filesWith(allExtensions, join(cwd, name))
      .filter((path) => !notDataBelow.test(path))
      .map((path) => `${name}/${path}`);
  } catch {
    return [];
  }
}

function placesIn(cwd: string): Place[] {
  return readdirSync(cwd, { withFileTypes: true })
    .filter((entry) => !notData.test(entry.name))
    .sort((a, b) => byCodeUnit(a.name, b.name))
    .map((entry) => ({
      path: entry.name,
      isFile: entry.isFile(),
      files: entry.isDirectory() ? filesIn(cwd, entry.name) : entry.isFile() ? [entry.name] : [],
    }));
}

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

function findData(cwd: string, places: readonly Place[]): FoundData[] {
  return places
    .flatMap(({ path, files }) => {
      const absolute = files.filter((file) => splitExtension(file).extension !== '').map((file) => join(cwd, file));
      if (absolute.length === 0) return [];
      const shape = shapeOf(absolute);
      const bytes = absolute.reduce((sum, file) => sum + sizeOf(file), 0);
      return [{ path, files: absolute.length, bytes, holds: shapeWords(shape), isUsable: shape.is !== 'other' }];
    })
    .sort((a, b) => b.bytes - a.bytes || byCodeUnit(a.path, b.path));
}

type Format = OtherData['format'];

const extensionOf = (path: string): string => path.slice(path.lastIndexOf('.') + 1);

/** @param first one of the files. */
function conversionOf({ path, isFile }: Place, format: Format, first: string): string {
  const jsonl = `${isFile ? path.slice(0, path.lastIndexOf('.')) : path}.jsonl`;
  if (format === 'text') return `for f in ${path}/*.txt; do jq -Rsc --arg id "$f" '{id: $id, text: .}' "$f"; done > ${jsonl}`;
  return `duckdb -c "COPY (SELECT * FROM '${isFile ? path : `${path}/**/*.${extensionOf(first)}`}') TO '${jsonl}' (FORMAT json)"`;
}

/** Text files count in folders of data only: notes and lists of requirements are none. */
const isMeant = ({ path, isFile }: Place, format: Format): boolean => format !== 'text' || (!isFile && /^(data|texts?|corpus)$/.test(path));

function findOthers(places: readonly Place[]): OtherData[] {
  return (Object.keys(otherFormats) as Format[]).flatMap((format) => {
    const extensions: readonly string[] = otherFormats[format];
    return places.flatMap((place) => {
      const files = place.files.filter((file) => extensions.includes(extensionOf(file)));
      const [first] = files;
      if (first === undefined || !isMeant(place, format)) return [];
      return [{ path: place.path, format, files: files.length, conversion: conversionOf(place, format, first) }];
    });
  });
}

const tokenizerPlaces = ['tokenizer.json', 'tokenizer/tokenizer.json', 'tokenizers/tokenizer.json', 'data/tokenizer.json'];

/** Looks at what lies in a folder; reads the beginning of at most three files of each place. */
export function lookAround(cwd: string): Surroundings {
  const tokenizer = tokenizerPlaces.find((path) => existsSync(join(cwd, path)));
  const places = placesIn(cwd);
  return {
    data: findData(cwd, places),
    others: findOthers(places),
    tokenizer: tokenizer && `./${tokenizer}`,
    repository: repositoryOf(cwd),
  };
}
