import { lstatSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BuildError } from '../base/errors.ts';
import { uniqueName } from '../base/files.ts';
import { readPart } from '../cache/part-reader.ts';
import type { Location } from '../cache/store.ts';
import { type DocumentRow, rowsOf } from '../rule/documents.ts';
import type { Part } from '../rule/part.ts';
import { decodeView, isSelected } from '../rule/view.ts';
import type { HeadRow } from './api.ts';
import type { BuildRun } from './build-run.ts';
import { placeOf } from './places.ts';
import type { Project } from './project.ts';
import { type ReasonOf, reasonsOfRejected, rejectedOutput } from './rejected.ts';
import { survey } from './survey.ts';
import type { TargetBuild } from './target-build.ts';
import { unknownTarget } from './unknown-target.ts';

type Row = Readonly<Record<string, unknown>>;

/** The first rows of what a target holds: documents, token ids, training rows, or a file's lines. */
export async function* head(
  project: Project,
  name: string,
  { rows, rejected }: { rows: number; rejected: boolean },
): AsyncGenerator<HeadRow> {
  const named = project.graph.outputs.get(name);
  if (!named) throw unknownTarget(name, project);
  const found = await survey(project, { targets: [named.target.name] }, async (run) => {
    const build = run.targets.get(named.target) as TargetBuild;
    if (build.result === undefined)
      throw (
        build.error ??
        new BuildError('not-built', {
          message: `${name} is not built as the config stands`,
          hint: `Build it first: dsbuild build ${named.target.name}`,
        })
      );
    if (!rejected) return collect(rowsIn(build, named.output, run), rows);
    if (!Object.hasOwn(build.result.outputs, rejectedOutput)) return badRecords(build, run).slice(0, rows);
    return collect(rejectedIn(build, run), rows);
  });
  yield* found;
}

async function collect(from: AsyncIterable<HeadRow>, rows: number): Promise<HeadRow[]> {
  const found: HeadRow[] = [];
  if (rows > 0) {
    for await (const row of from) {
      found.push(row);
      if (found.length === rows) break;
    }
  }
  return found;
}

/** Records that were left out because they could not be used, with their places. */
function badRecords(build: TargetBuild, run: BuildRun): HeadRow[] {
  return (build.result?.quarantined ?? []).map((bad) => ({
    group: '',
    row: { where: placeOf(bad, run), reason: bad.reason, detail: bad.detail },
  }));
}

async function* rowsIn(build: TargetBuild, output: string, run: BuildRun): AsyncGenerator<HeadRow> {
  for (const part of build.parts(output)) {
    for await (const row of partRows(part, { build, run })) yield { group: part.group, row };
  }
}

/** Dropped documents, each with the reason for which it was dropped. */
async function* rejectedIn(build: TargetBuild, run: BuildRun): AsyncGenerator<HeadRow> {
  const reasonsIn = await reasonsOfRejected(build, run);
  for (const part of build.parts(rejectedOutput)) {
    if (part.facts.records === 0) continue;
    const reasonOf = reasonsIn(part);
    for (const { record, document } of documentsIn(part, run)) yield { group: part.group, row: document, ...reasonFor(record, reasonOf) };
  }
}

function reasonFor(record: number, reasonOf: ReasonOf): { reason?: string } {
  const reason = reasonOf(record);
  return reason === undefined ? {} : { reason };
}

function locate(run: BuildRun, digest: string): Location {
  const location = run.locations.locate(digest);
  if (!location)
    throw new BuildError('missing-bytes', {
      message: 'these bytes were removed to save space',
      hint: 'Build the target again with --force.',
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

async function* partRows(part: Part, { build, run }: { build: TargetBuild; run: BuildRun }): AsyncGenerator<Row> {
  const location = locate(run, part.digest);
  const { preview } = build.target.rule;
  if (preview) yield* preview({ part, bytes: () => readPart(part.digest, location), path: fileOf(part, location, run) });
  else if (part.form === 'lines' || part.form === 'view') for (const row of documentsIn(part, run)) yield row.document;
  else yield { file: part.name ?? part.digest, bytes: part.bytes, ...part.facts };
}

function documentsIn(part: Part, run: BuildRun): Iterable<DocumentRow> {
  const bytes = readPart(part.digest, locate(run, part.digest));
  if (part.form !== 'view') return rowsOf(bytes);
  const view = decodeView(bytes);
  return rowsOf(readPart(view.base, locate(run, view.base)), (record) => isSelected(view, record));
}
