import { choice, list, text } from '../src/rule/options.ts';
import { factOf, type Part, sumOf } from '../src/rule/part.ts';
import { type Build, defineRule, type Running } from '../src/rule/rule.ts';
import type { SourceFormat } from '../src/rule/source.ts';
import { defineStep, type StepIo } from '../src/rule/step.ts';
import { compress, compressUses } from './lib/compress.ts';
import { renderDocument, writtenFields } from './lib/document-fields.ts';
import { columnsOf, parquetUses, writeDocuments } from './lib/documents-parquet.ts';
import { fileNamed, fileOfGroup } from './lib/file-name.ts';
import { newlineByte } from './lib/json-lines.ts';

const blockBytes = 256 * 1024;

interface RenderParams {
  readonly format: SourceFormat;
  /** Chosen fields in their order; null for all. */
  readonly fields: readonly string[] | null;
}

/** Lines in blocks: every block costs a turn of the event loop. */
function* rendered(io: StepIo, chunk: Part, fields: RenderParams['fields']): Generator<Buffer> {
  let lines: Uint8Array[] = [];
  let bytes = 0;
  for (const row of io.documents(chunk)) {
    const line = renderDocument(row, fields);
    lines.push(line, newlineByte);
    bytes += line.length + 1;
    if (bytes < blockBytes) continue;
    yield Buffer.concat(lines);
    lines = [];
    bytes = 0;
  }
  yield Buffer.concat(lines);
}

/** One chunk's lines; compressed, they are a member of their own, so that an edit compresses no other chunk again. */
const render = defineStep(
  'render',
  { version: 1, uses: compressUses },
  async ({ chunk }: { chunk: Part }, { format, fields }: RenderParams, io) => {
    const file = io.create('file');
    const records = factOf(chunk, 'records');
    if (records > 0) for await (const piece of compress(format, rendered(io, chunk, fields))) file.write(piece);
    file.close({ records });
  },
);

const join = defineStep(
  'join',
  { version: 1, uses: compressUses },
  async ({ pieces }: { pieces: readonly Part[] }, { format }: { format: SourceFormat }, io) => {
    const file = io.create('file');
    for (const part of pieces) for (const piece of io.pieces(part)) file.write(piece);
    // A compressed file without any member can not be read.
    if (pieces.every((part) => part.bytes === 0)) for await (const piece of compress(format, [])) file.write(piece);
    file.close({ records: sumOf(pieces, 'records') });
  },
);

/** Names of all fields of a chunk's documents. */
const fieldNames = defineStep('fields', { version: 1 }, ({ chunk }: { chunk: Part }, _params: Record<string, never>, io) => {
  const names = new Set<string>();
  for (const row of io.documents(chunk)) for (const name of writtenFields(row).keys()) names.add(name);
  const part = io.create('file');
  part.write(Buffer.from(JSON.stringify(columnsOf(names))));
  part.close();
});

type ParquetInputs = {
  readonly documents: readonly Part[];
  /** Field names of each chunk; none when the columns are chosen. */
  readonly fields: readonly Part[];
};

function* documentsIn(io: StepIo, parts: readonly Part[]) {
  for (const [i, part] of parts.entries()) {
    yield* io.documents(part);
    io.progress(i + 1, parts.length);
  }
}

const parquet = defineStep(
  'parquet',
  { version: 1, uses: parquetUses },
  async ({ documents, fields }: ParquetInputs, { chosen }: { chosen: readonly string[] | null }, io) => {
    const seen = fields.flatMap((part) => JSON.parse(io.bytes(part).toString('utf8')) as string[]);
    const file = io.create('file');
    await writeDocuments(chosen ?? columnsOf(new Set(seen)), documentsIn(io, documents), (bytes) => file.write(bytes));
    file.close({ records: sumOf(documents, 'records') });
  },
);

interface ExportOptions {
  readonly format: SourceFormat | 'parquet';
  readonly fields: readonly string[] | null;
}

function exported(build: Build, parts: readonly Part[], { format, fields }: ExportOptions): Running {
  if (format !== 'parquet') {
    const pieces = parts.map((chunk) => build.step(render, { chunk }, { format, fields }).part.main);
    return build.step(join, { pieces }, { format });
  }
  const names = fields ? [] : parts.map((chunk) => build.step(fieldNames, { chunk }, {}).part.main);
  return build.step(parquet, { documents: parts, fields: names }, { chosen: fields });
}

function chosenFields(build: Build, fields: readonly string[] | undefined): readonly string[] | null {
  if (fields?.length === 0)
    build.fail('no-fields', { message: '"fields" is empty', hint: 'Name fields, or leave "fields" out to export all.' });
  return fields ? [...new Set(fields)] : null;
}

/** Documents as files for other programs. */
export const exportDataset = defineRule({
  name: 'export',
  version: 1,
  doc: 'Writes documents as JSONL (plain, gzip or zstd) or Parquet, one file a group or one for all.',
  inputs: { documents: 'documents' },
  output: 'files',
  options: {
    format: choice('jsonl', 'jsonl.gz', 'jsonl.zst', 'parquet').doc('What is written.'),
    fields: list(text()).optional().doc('Fields to write, in this order; all as they came by default, with an id where one was missing.'),
    each: choice('collection', 'group').default('group').doc('One file a group, or one for all.'),
    name: text().optional().doc("The file's path below out, where there is one; <group>.<format> or data.<format> by default."),
  },
  steps: [render, join, fieldNames, parquet],
  gathers: ({ each }) => each === 'collection',
  async plan({ documents }, { format, fields, each, name }, build) {
    const options = { format, fields: chosenFields(build, fields) };
    if (each === 'collection') {
      const file = fileNamed(build, name ?? `data.${format}`);
      return build.emit(exported(build, await documents.all(), options), { group: '', name: file });
    }
    let groups = 0;
    for await (const { group, parts } of documents.byGroup()) {
      if (name !== undefined && ++groups > 1) failOneName(build, name);
      const file = name === undefined ? fileOfGroup(build, group, format) : fileNamed(build, name);
      build.emit(exported(build, parts, options), { group, name: file });
    }
  },
});

const failOneName = (build: Build, name: string): never =>
  build.fail('one-name', {
    message: `several groups would be written to ${JSON.stringify(name)}`,
    hint: 'Leave "name" out, or write all groups into one file with each: \'collection\'.',
  });
