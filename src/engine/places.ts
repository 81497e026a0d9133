import { join, relative, sep } from 'node:path';
import { isRemote } from '../base/address.ts';
import type { Digest } from '../base/digest.ts';
import { BuildError } from '../base/errors.ts';
import { readPart } from '../cache/part-reader.ts';
import type { Quarantined } from '../cache/results.ts';
import { LostStep } from '../execute/lost-step.ts';
import type { RecordAt } from '../execute/record-mark.ts';
import type { Part } from '../rule/part.ts';
import { decodeView } from '../rule/view.ts';
import type { SourceLine } from '../source/view.ts';
import type { BuildRun } from './build-run.ts';

/** A path as it is shown: below the project, with slashes; an address as it stands. */
export const shownPath = (root: string, path: string): string => {
  if (isRemote(path)) return path;
  const below = relative(root, path).split(sep).join('/');
  return below.startsWith('..') ? path : below;
};

/** Path or address of what a target publishes. */
export const publishedAt = (out: string, name: string): string => (isRemote(out) ? `${out}/${name}` : join(out, name));

/** The compressed file, here or elsewhere, that a part is. */
export function fileOf(part: Digest, run: BuildRun): string | undefined {
  const packed = run.packedFiles.get(part);
  if (packed !== undefined) return shownPath(run.project.root, packed);
  return run.listings.addressOf(part);
}

/** The error of a step that can not know which file it reads, with that file as its place. */
export function placedError(error: unknown, inputs: Iterable<Part>, run: BuildRun): unknown {
  if (!(error instanceof BuildError) || error.where !== undefined) return error;
  if (error instanceof LostStep && error.record) return error.at(placeOfRecord(error.record, run));
  for (const part of inputs) {
    const file = part.form === 'file' ? fileOf(part.digest, run) : undefined;
    if (file !== undefined) return error.at(file);
  }
  return error;
}

/** `data/a.jsonl:17` for a bad record: steps know only "record n of part m"; files and lines are looked up when something is shown. */
export function placeOf(bad: Quarantined | undefined, run: BuildRun): string | undefined {
  if (!bad) return undefined;
  const { root } = run.project;
  const file = fileOf(bad.part, run);
  if (file !== undefined) return `${file}:${bad.record + 1}`;
  const line = lineOf(bad, run) ?? lineOf({ ...bad, part: baseOf(bad.part, run) }, run);
  return line && `${shownPath(root, line.path)}:${line.line}`;
}

/** The same of a record that nothing is wrong with, as far as is known. */
const placeOfRecord = ({ part, record }: RecordAt, run: BuildRun): string =>
  placeOf({ part, record, reason: '', detail: '' }, run) ?? `record ${record + 1} of the part ${part.slice(0, 12)}`;

function lineOf({ part, record }: { part: Digest | undefined; record: number }, run: BuildRun): SourceLine | undefined {
  for (const local of part === undefined ? [] : run.locals.values()) {
    const chunk = local.indexOf(part as Digest);
    if (chunk !== undefined) return local.lines(chunk, record);
  }
  return undefined;
}

/** A view is larger than this only if it selects from more records than a chunk can have. */
const viewBytesMax = 16 * 1024 * 1024;

/** What a view selects from: its records are counted as those of its base. */
function baseOf(part: Digest, run: BuildRun): Digest | undefined {
  const location = run.locations.locate(part);
  if (!location || location.reduce((sum, { length }) => sum + length, 0) > viewBytesMax) return undefined;
  try {
    return decodeView(readPart(part, location)).base;
  } catch {
    // No view, or damaged: nothing but the place is lost.
    return undefined;
  }
}
