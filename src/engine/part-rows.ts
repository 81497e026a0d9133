import { lstatSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BuildError } from '../base/errors.ts';
import { uniqueName } from '../base/files.ts';
import { readPart } from '../cache/part-reader.ts';
import type { Location } from '../cache/store.ts';
import type { GraphTarget } from '../graph/graph.ts';
import { type DocumentRow, rowsOf } from '../rule/documents.ts';
import type { Part } from '../rule/part.ts';
import type { PreviewFile, Rule } from '../rule/rule.ts';
import { decodeView, isSelected } from '../rule/view.ts';
import type { BuildRun } from './build-run.ts';
import type { MissingBytes } from './needs.ts';
import { rowCount } from './row-count.ts';

type Row = Readonly<Record<string, unknown>>;

/** A row of a part, and its number there. */
export interface PartRow {
  readonly number: number;
  readonly row: Row;
}

/** Where parts belong to whose bytes are read. */
export interface PartsOf {
  readonly target: GraphTarget;
  readonly run: BuildRun;
}

/** Where bytes lie, when they were fetched if they were not here. @throws {BuildError} `missing-bytes` */
async function located(missing: MissingBytes, { target, run }: PartsOf): Promise<Location> {
  const location = (await run.bring(missing, target)) ? run.locations.locate(missing.digest) : undefined;
  if (!location)
    throw new BuildError('missing-bytes', {
      message: 'these bytes are not here: they were removed to save space, or never fetched',
      hint: 'Fetch them with `dsbuild cache pull`, or build the target again with --force.',
    });
  return location;
}

/** A file that holds the part and nothing else: small parts lie together in packs. */
function fileOf(part: Part, location: Location, run: BuildRun): string {
  const [only] = location;
  if (only && location.length === 1 && only.offset === 0 && lstatSync(only.path).size === part.bytes) return only.path;
  const path = join(run.project.tmpDir, uniqueName('head'));
  writeFileSync(path, readPart(part.digest, location));
  return path;
}

const holdsDocuments = ({ form }: Part): boolean => form === 'lines' || form === 'view';

const rowsOfPart = (part: Part): number | undefined => rowCount(part.form, (name) => part.facts[name]);

/** How many rows of a part are shown: what has none of its own is one. */
export const rowsShown = (part: Part, { preview }: Rule): number => (preview || holdsDocuments(part) ? (rowsOfPart(part) ?? 0) : 1);

/** Whether the rows that are shown are those that have numbers in a target. */
export const hasNumbers = (part: Part, rule: Rule): boolean => rowsOfPart(part) === rowsShown(part, rule);

/** The documents of a part. */
export async function documentsIn(part: Part, of: PartsOf): Promise<Iterable<DocumentRow>> {
  const bytes = readPart(part.digest, await located(part, of));
  if (part.form !== 'view') return rowsOf(bytes);
  const view = decodeView(bytes);
  return rowsOf(readPart(view.base, await located({ digest: view.base }, of)), (record) => isSelected(view, record));
}

/** The items at these places (rising), or all; nothing behind the last is asked for. */
export async function* picked<T>(items: Iterable<T> | AsyncIterable<T>, only: readonly number[] | undefined): AsyncGenerator<[number, T]> {
  let [number, next] = [0, 0];
  if (only?.length === 0) return;
  for await (const item of items) {
    if (!only || only[next] === number) yield [number, item];
    if (only?.[next] === number && ++next === only.length) return;
    number++;
  }
}

/** Parsed only when asked: a sample wants few of them. */
const unpreviewed = async (part: Part, of: PartsOf): Promise<Iterable<{ readonly document: Row }>> =>
  holdsDocuments(part) ? documentsIn(part, of) : [{ document: { file: part.name ?? part.digest, bytes: part.bytes, ...part.facts } }];

/** Rows of a part as its rule shows them. @param only their numbers, rising; without it all. */
export async function* partRows(part: Part, of: PartsOf, only?: readonly number[]): AsyncGenerator<PartRow> {
  const { preview, previewOnly } = of.target.rule;
  if (!preview) {
    for await (const [number, { document }] of picked(await unpreviewed(part, of), only)) yield { number, row: document };
    return;
  }
  const location = await located(part, of);
  const file: PreviewFile = { part, bytes: () => readPart(part.digest, location), path: fileOf(part, location, of.run) };
  if (only && previewOnly) {
    let next = 0;
    for await (const row of previewOnly(file, only)) yield { number: only[next++] as number, row };
  } else for await (const [number, row] of picked(preview(file), only)) yield { number, row };
}
