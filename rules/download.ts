import { statSync } from 'node:fs';
import { BuildError } from '../src/base/errors.ts';
import { limits } from '../src/base/limits.ts';
import { isBlank } from '../src/rule/documents.ts';
import { LineageBuilder, lineageOutput } from '../src/rule/lineage.ts';
import { sources } from '../src/rule/options.ts';
import type { Part } from '../src/rule/part.ts';
import { type Build, defineRule, type Running } from '../src/rule/rule.ts';
import type { ObjectIdentity, SourceFormat, SourceItem } from '../src/rule/source.ts';
import { defineExternalStep, defineStep, type StepIo } from '../src/rule/step.ts';
import type { UserFunction } from '../src/rule/user-function.ts';
import { judge, lineCheckOf } from './lib/adapt.ts';
import { adaptChunk, checkChunk, reject, writeLineage } from './lib/chunk-check.ts';
import { decompress } from './lib/decompress.ts';
import { LineSplitter, type StreamLine, withoutBom, withoutReturn } from './lib/json-lines.ts';
import { codePoints } from './lib/stats.ts';

type RemoteItem = Extract<SourceItem, { item: 'remote' }>;

/** Where records are written anew, which line each came from is left beside them. */
const outputs = ['main', lineageOutput] as const;

const check = defineStep('check', { version: 1, outputs }, ({ chunk }: { chunk: Part }, _params: Record<string, never>, io) =>
  checkChunk(io, chunk),
);

const adapt = defineStep('adapt', { version: 1, outputs }, ({ chunk }: { chunk: Part }, { adapter }: { adapter: UserFunction }, io) =>
  adaptChunk(io, chunk, adapter),
);

interface DecodeParams {
  readonly format: SourceFormat;
  readonly adapter: UserFunction | null;
}

async function* linesIn(io: StepIo, file: Part, format: SourceFormat): AsyncGenerator<StreamLine> {
  const splitter = new LineSplitter();
  for await (const piece of decompress(format, io.pieces(file))) yield* splitter.split(piece);
  yield* splitter.end();
}

/** Unwraps a whole file and cuts its good records into chunks. */
const decode = defineStep('decode', { version: 2, outputs }, async ({ file }: { file: Part }, { format, adapter }: DecodeParams, io) => {
  const check = lineCheckOf(adapter);
  const records = io.records();
  const lineage = new LineageBuilder();
  for await (const { index, bytes, line: whole } of linesIn(io, file, format)) {
    const line = whole && withoutBom(whole);
    if (line && isBlank(line)) {
      io.count('blank');
      continue;
    }
    io.count('recordsIn');
    const at = { part: file, record: index };
    const found = line
      ? judge(io, { ...at, line }, check)
      : { reason: 'too-long', detail: `${bytes} bytes; at most ${limits.recordBytesMax} are read` };
    if (!('line' in found)) reject(io, at, found);
    else {
      records.write(withoutReturn(found.line));
      lineage.whole(index);
      io.count('characters', codePoints(found.text));
    }
  }
  records.close();
  writeLineage(io, lineage);
});

/** All that decides which bytes come; no secret is ever part of it. */
interface FetchParams {
  readonly address: string;
  /** BLAKE3 digest that the lock or an earlier fetch gives the address. */
  readonly pin: string | null;
  readonly declaredPin: string | null;
  readonly endpoint: string | null;
  readonly region: string | null;
  /** Of an object that was listed: what the server said of it stands for its content, so that the key is known before a byte came. */
  readonly object?: ObjectIdentity;
}

const fetch = defineExternalStep('fetch', { version: 1 }, async (_inputs: Record<string, never>, params: FetchParams, io) => {
  const { address, pin, declaredPin, endpoint, region, object } = params;
  const options = {
    ...(endpoint !== null && { endpoint }),
    ...(region !== null && { region }),
    ...(declaredPin !== null && { declaredPin }),
    ...(object && { object }),
  };
  const { path, etag, lastModified } = await io.fetch({ address, ...options });
  const bytes = statSync(path).size;
  const blake3 = await io.adopt(path);
  // Of these the listing as a whole is what the lock names.
  if (object) return;
  if (pin !== null && blake3 !== pin) throw changed(address, { pin, blake3 });
  io.pin(address, { blake3, bytes: String(bytes), ...(etag && { etag }), ...(lastModified && { 'last-modified': lastModified }) });
});

const changed = (address: string, { pin, blake3 }: { pin: string; blake3: string }): BuildError =>
  new BuildError('source-changed-remotely', {
    message: `the file is no longer the one that was pinned: its digest is ${blake3.slice(0, 12)}, not ${pin.slice(0, 12)}`,
    where: address,
    hint: 'Run "dsbuild update" to take what lies there now.',
  });

/** An address is written into keys, the lock and events: no password may stand in it. */
function assertNoPassword(build: Build, { address, group }: RemoteItem): void {
  if (!URL.canParse(address)) return;
  const { username, password, host } = new URL(address);
  if (username === '' && password === '') return;
  build.fail('secret-in-address', {
    message: `the address of "${group}" holds a user name or password (for ${host})`,
    hint: 'Remove it from the address, and give it in the environment instead.',
  });
}

function fetched(build: Build, item: RemoteItem): Part {
  assertNoPassword(build, item);
  const { address, pin = null, declaredPin = null, endpoint = null, region = null, object } = item;
  return build.step(fetch, {}, { address, pin, declaredPin, endpoint, region, ...(object && { object }) }).part.main;
}

function documentsOf(build: Build, item: SourceItem): Running {
  const adapter = item.adapt ?? null;
  if (item.item === 'remote') return build.step(decode, { file: fetched(build, item) }, { format: item.format, adapter });
  if (item.item === 'file') return build.step(decode, { file: item.part }, { format: item.format, adapter });
  return adapter ? build.step(adapt, { chunk: item.part }, { adapter }) : build.step(check, { chunk: item.part }, {});
}

/** Documents from files here and elsewhere, checked record by record. */
export const download = defineRule({
  name: 'download',
  version: 1,
  doc: 'Reads JSONL from local files, http(s) and S3, plain or compressed, and checks every record.',
  inputs: {},
  output: 'documents',
  options: { sources: sources().doc("Where data comes from, keyed by '<category>/<name>'.") },
  steps: [check, adapt, decode, fetch],
  async plan(_inputs, options, build) {
    for await (const item of options.sources) {
      const group = item.item === 'remote' ? item.group : item.part.group;
      build.emit(documentsOf(build, item), { group });
    }
  },
});
