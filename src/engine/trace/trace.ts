import { existsSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { BuildError } from '../../base/errors.ts';
import { isBlank } from '../../rule/documents.ts';
import type { RemoteUse } from '../api.ts';
import { Fetching } from '../fetching.ts';
import { noPart } from '../lineage-table.ts';
import type { Project } from '../project.ts';
import { Archive } from './archive.ts';
import { BackTrace } from './back.ts';
import { ForwardTrace } from './forward.ts';
import type { TraceItem } from './items.ts';
import { shownLine } from './lines.ts';
import type { Piece } from './piece.ts';
import { type Asked, type AskedLine, type AskedRow, asked, lineOfSource, rowOfFile, rowOfTarget, unknownPlace } from './question.ts';
import { rowPlace } from './row-places.ts';
import { TraceSession } from './session.ts';

/**
 * Says where a row comes from, or what became of a line. It reads what builds have left, and plans nothing: what is told is how things
 * were last built, with a note where that is out of date. What is not here is fetched where that is allowed.
 *
 * @param place `<target>:<row>`, `<published file>:<row>` or `<source file>:<line>`; a path is taken from `cwd`.
 * @throws {BuildError} `usage`, `unknown-target`, `unknown-place`, `no-such-row`, `no-such-line`, `not-built`.
 */
export async function* trace(
  project: Project,
  place: string,
  { cwd = project.root, use = { remote: false } }: { cwd?: string; use?: RemoteUse } = {},
): AsyncGenerator<TraceItem> {
  const fetching = new Fetching(project, use);
  const archive = new Archive(project.store, fetching.miss);
  let session = new TraceSession(project, archive);
  const answer = (): AsyncIterable<TraceItem> => {
    session = new TraceSession(project, archive);
    return answered(session, place, cwd);
  };
  try {
    yield* fetching.reading(answer, () => session.near());
  } finally {
    await fetching.close();
  }
}

async function* answered(session: TraceSession, place: string, cwd: string): AsyncGenerator<TraceItem> {
  const { project } = session;
  const question = asked(place);
  const named = project.graph.outputs.get(question.name);
  if (named) {
    if (existsSync(resolve(cwd, question.name))) session.notes.add(sayFile(question));
    yield* ofRow(await rowOfTarget(named, question, session), session);
  } else yield* ofPath(question, session, cwd);
  for (const message of session.notes) yield { type: 'note', message };
}

const sayFile = ({ name, number }: Asked): string => `"${name}" is also a file: ./${name}:${number} asks for that one`;

/** A path may be both what one target published and what another reads: then both are told. */
async function* ofPath(question: Asked, session: TraceSession, cwd: string): AsyncGenerator<TraceItem> {
  const path = resolve(cwd, question.name);
  const line = await lineUnlessRow(path, question, session);
  const row = await rowOfFile(path, question, session);
  if (!line && !row) throw unknownPlace(question.name, session, cwd);
  if (row) yield* ofRow(row, session);
  if (line) yield* ofLine(line, session);
  if (row && line) {
    const file = relative(session.project.root, path);
    session.notes.add(
      `${file} is published by ${row.traced.target.name} and also a source: told were its row (from 0) and its line (from 1)`,
    );
  }
}

/** A line that is not there is no mistake where the file has such a row. */
async function lineUnlessRow(path: string, question: Asked, session: TraceSession): Promise<AskedLine | undefined> {
  try {
    return await lineOfSource(path, question, session);
  } catch (error) {
    const isNoLine = error instanceof BuildError && error.code === 'no-such-line';
    if (isNoLine && (await rowOfFile(path, question, session))) return undefined;
    throw error;
  }
}

async function* ofRow({ traced, output, place, row, rows }: AskedRow, session: TraceSession): AsyncGenerator<TraceItem> {
  const part = traced.outputPart(output, place);
  if (part === undefined || part === noPart) {
    throw new BuildError('no-lineage', { message: `${traced.target.name} does not tell where its rows come from` });
  }
  const view = traced.form(part) === 'view' ? session.archive.view(traced.digest(part) ?? '') : undefined;
  const from = view?.selected[row] ?? row;
  const piece: Piece = { part, from, to: from + 1, how: 'exact' };
  yield { type: 'row', rows, ...rowPlace({ traced, output, place, piece, session }) };
  yield* new BackTrace(session).origins(traced, piece);
}

async function* ofLine({ source, line, pieces }: AskedLine, session: TraceSession): AsyncGenerator<TraceItem> {
  yield { type: 'line', source, ...(line && shownLine(line)) };
  yield* new ForwardTrace(session, line !== undefined && isBlank(line)).items(pieces);
}
