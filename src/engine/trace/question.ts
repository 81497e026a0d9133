import { existsSync } from 'node:fs';
import { relative, resolve, sep } from 'node:path';
import { isRemote, publicAddress } from '../../base/address.ts';
import { formatCount } from '../../base/bytes.ts';
import { BuildError } from '../../base/errors.ts';
import { didYouMean } from '../../base/names.ts';
import { outputNames } from '../../execute/plan-run.ts';
import type { GraphOutput, GraphTarget } from '../../graph/graph.ts';
import { shownPath } from '../places.ts';
import { wholeLine } from './forward.ts';
import type { SourcePlace } from './items.ts';
import type { Piece } from './piece.ts';
import { rowCounts, unitOf } from './row-places.ts';
import type { TraceSession } from './session.ts';
import type { TracedTarget } from './traced-target.ts';

/** A row of an output: which part, and how many rows of the part come before it. */
export interface AskedRow {
  readonly traced: TracedTarget;
  readonly output: string;
  readonly place: number;
  readonly row: number;
  /** Rows of what was named: the target or the file. */
  readonly rows: number;
}

/** A line of a source, and where the targets that read the source have it. */
export interface AskedLine {
  readonly source: SourcePlace;
  /** Its bytes, if they are still there. */
  readonly line: Buffer | undefined;
  readonly pieces: ReadonlyMap<GraphTarget, readonly Piece[]>;
}

export interface Asked {
  readonly name: string;
  readonly number: number;
}

/** @throws {BuildError} `usage` where no row or line is named. */
export function asked(place: string): Asked {
  const [, name, digits] = /^(.+):([\d_,]+)$/s.exec(place) ?? [];
  const number = Number(digits?.replaceAll(/[_,]/g, ''));
  if (name !== undefined && Number.isSafeInteger(number)) return { name, number };
  throw new BuildError('usage', {
    message: `"${place}" names no row and no line`,
    hint: 'Write <target>:<row>, <published file>:<row> or <source file>:<line>; rows are counted from 0, lines from 1.',
  });
}

/** The row of a target or of one of its outputs. */
export async function rowOfTarget({ target, output }: GraphOutput, { name, number }: Asked, session: TraceSession): Promise<AskedRow> {
  const traced = await session.target(target);
  const counts = rowCounts(traced, output);
  const rows = counts.reduce((sum, count) => sum + count, 0);
  let row = number;
  const place = counts.findIndex((count) => {
    if (row < count) return true;
    row -= count;
    return false;
  });
  if (place < 0) throw noSuchRow(name, { rows, unit: unitOf(traced, output) });
  return { traced, output, place, row, rows };
}

const noSuchRow = (name: string, { rows, unit }: { rows: number; unit: string }): BuildError =>
  new BuildError('no-such-row', {
    message: `${name} has ${formatCount(rows)} ${unit}${rows === 1 ? '' : 's'}`,
    hint: rows === 0 ? 'There is no row to trace.' : `Rows are counted from 0: the last is ${name}:${rows - 1}.`,
  });

/** The name of what is published at a path or address; what begins with `..` is none. */
function nameBelow(out: string, place: string): string {
  if (!isRemote(out) && !isRemote(place)) return relative(out, place).split(sep).join('/');
  return place.startsWith(`${out}/`) ? place.slice(out.length + 1) : '..';
}

/** The row of a published file; undefined where no target publishes one there. */
export async function rowOfFile(path: string, { name, number }: Asked, session: TraceSession): Promise<AskedRow | undefined> {
  for (const target of session.project.graph.targets) {
    if (target.out === undefined) continue;
    const below = nameBelow(target.out, isRemote(name) ? name : path);
    const traced = below.startsWith('..') ? undefined : await session.built(target);
    const output = outputNames(target)[0] as string;
    const place = traced?.built.outputs.get(output)?.parts.placeOfName(below);
    if (!traced || place === undefined) continue;
    const rows = rowCounts(traced, output)[place] as number;
    if (number >= rows) throw noSuchRow(name, { rows, unit: unitOf(traced, output) });
    return { traced, output, place, row: number, rows };
  }
  return undefined;
}

const readsSources = ({ rule }: GraphTarget): boolean => Object.values(rule.options).some(({ shape }) => shape.type === 'sources');

/** The line of a source, local or behind an address; undefined where no target reads it. */
export async function lineOfSource(path: string, given: Asked, session: TraceSession): Promise<AskedLine | undefined> {
  const pieces = new Map<GraphTarget, readonly Piece[]>();
  let line: Buffer | undefined;
  for (const target of session.project.graph.targets.filter(readsSources)) {
    const traced = await session.built(target);
    const found = traced && (isRemote(given.name) ? linesFetched(traced, given, session) : linesHere(traced, path, { given, session }));
    if (!found || found.pieces.length === 0) continue;
    pieces.set(target, found.pieces);
    line ??= found.line;
  }
  const file = isRemote(given.name) ? publicAddress(given.name) : shownPath(session.project.root, path);
  return pieces.size === 0 ? undefined : { source: { file, line: given.number, lineLast: given.number }, line, pieces };
}

type FoundLine = { readonly pieces: readonly Piece[]; readonly line?: Buffer | undefined };

function linesHere(traced: TracedTarget, path: string, { given, session }: { given: Asked; session: TraceSession }): FoundLine | undefined {
  const { sources } = traced.built;
  const at = sources?.recordAt(path, given.number);
  if (sources && at) {
    const { digest, segments } = sources.chunk(at.chunk);
    return { pieces: [wholeLine(traced.chunkPart(at.chunk), at.record)], line: session.archive.lines(digest, segments)?.line(at.record) };
  }
  const lines = sources?.linesOf(path);
  if (lines !== undefined) throw noSuchLine(given.name, lines);
  return packedLine(traced, session.files.lastSeen(path)?.digest, given);
}

const linesFetched = (traced: TracedTarget, given: Asked, session: TraceSession): FoundLine | undefined =>
  packedLine(traced, session.digestOf(publicAddress(given.name)), given);

function packedLine(traced: TracedTarget, digest: string | undefined, { name, number }: Asked): FoundLine | undefined {
  const files = digest === undefined ? [] : [...traced.filesWith(digest)];
  if (files.length > 0 && number < 1) throw noSuchLine(name, undefined);
  return files.length === 0 ? undefined : { pieces: files.map((file) => wholeLine(file, number - 1)) };
}

const noSuchLine = (name: string, lines: number | undefined): BuildError =>
  new BuildError('no-such-line', {
    message: lines === undefined ? `${name} has no such line` : `${name} has ${formatCount(lines)} line${lines === 1 ? '' : 's'}`,
    hint: lines ? `Lines are counted from 1: the last is ${name}:${lines}.` : 'Lines are counted from 1.',
  });

/** Nothing of that name is known. */
export function unknownPlace(name: string, session: TraceSession, cwd: string): BuildError {
  const { graph } = session.project;
  const path = isRemote(name) ? name : resolve(cwd, name);
  const isBelowOut = graph.targets.some(({ out }) => out !== undefined && !nameBelow(out, path).startsWith('..'));
  if (isBelowOut || existsSync(path)) {
    return new BuildError('unknown-place', {
      message: `${name} is neither a source of a built target nor a file that one published`,
      hint: 'Build first, if it is new; `dsbuild status` lists sources and folders.',
    });
  }
  return new BuildError('unknown-target', {
    message: `there is no target and no file "${name}".${didYouMean(name, graph.outputs.keys())}`,
    hint: 'Write <target>:<row>, <published file>:<row> or <source file>:<line>.',
  });
}
