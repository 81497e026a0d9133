import { mkdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Digest } from '../base/digest.ts';
import { BuildError } from '../base/errors.ts';
import { uniqueName } from '../base/files.ts';
import { limits } from '../base/limits.ts';
import { readPart, readPieces } from '../cache/part-reader.ts';
import type { Quarantined } from '../cache/results.ts';
import type { Location } from '../cache/store.ts';
import { type DocumentRow, rowsOf } from '../rule/documents.ts';
import type { Form, Part } from '../rule/part.ts';
import type { EarlierRun, PartWriter, Recalled, RecordWriter, Selection, StepIo } from '../rule/step.ts';
import { decodeView, encodeView, isSelected } from '../rule/view.ts';
import type { Job, Made, MadePart } from './job.ts';
import { OutputWriter } from './part-writer.ts';
import { RecordCutter } from './record-cutter.ts';
import { RecordMark } from './record-mark.ts';

export interface IoHooks {
  readonly signal: AbortSignal;
  progress(done: number, total?: number): void;
  /** Where somebody looks who ends steps that do not come back. */
  readonly mark?: RecordMark;
}

/** What a running step holds in its hands: reads parts where they lie, collects outputs, counters and bad records. */
export class JobIo implements StepIo {
  readonly job: Job;
  readonly parts: MadePart[] = [];
  readonly #hooks: IoHooks;
  readonly #mark: RecordMark;
  readonly #counters: Record<string, number> = {};
  readonly #quarantined: Quarantined[] = [];
  readonly #writers: OutputWriter[] = [];
  readonly #started = performance.now();
  #scratch: string | undefined;
  #recalled: Recalled | undefined;

  constructor(job: Job, hooks: IoHooks) {
    this.job = job;
    this.#hooks = hooks;
    this.#mark = hooks.mark ?? new RecordMark();
  }

  get signal(): AbortSignal {
    return this.#hooks.signal;
  }

  get earlier(): readonly EarlierRun[] {
    return this.job.earlier;
  }

  recalled(what: Recalled): void {
    this.#recalled = what;
  }

  bytes(part: Part): Buffer {
    return this.#mark.aside(() => readPart(part.digest, this.#locate(part.digest)));
  }

  pieces(part: Part): Iterable<Buffer> {
    return readPieces(part.digest, this.#locate(part.digest));
  }

  documents(part: Part): Iterable<DocumentRow> {
    const { digest, form } = part;
    const mark = this.#mark;
    const visits = { begins: (record: number, length: number) => mark.begins(digest, record, length), ends: () => mark.ends() };
    const bytes = this.bytes(part);
    if (form === 'lines') return rowsOf(bytes, undefined, visits);
    if (form !== 'view') throw new BuildError('bad-part', { message: `a part of form ${form} holds no documents` });
    const view = decodeView(bytes);
    return rowsOf(readPart(view.base, this.#locate(view.base)), (record) => isSelected(view, record), visits);
  }

  recordBegins({ digest }: Part, record: number, bytes: number): void {
    this.#mark.begins(digest, record, bytes);
  }

  recordEnds(): void {
    this.#mark.ends();
  }

  path(part: Part): string {
    const location = this.#locate(part.digest);
    for (const _ of readPieces(part.digest, location)) this.signal.throwIfAborted();
    const [only] = location;
    if (location.length !== 1 || !only || only.offset !== 0 || only.addNewline || statSync(only.path).size !== only.length) {
      throw new BuildError('bad-part', { message: 'the part does not lie in a file of its own; copy it into scratch() instead' });
    }
    return only.path;
  }

  create(form: Form, output = 'main'): PartWriter {
    const { tmpDir } = this.job;
    const aside = (write: () => void): void => this.#mark.aside(write);
    const writer = new OutputWriter({ output, form, tmpDir, aside, done: (part) => void this.parts.push(part) });
    this.#writers.push(writer);
    return writer;
  }

  records(output = 'main'): RecordWriter {
    return new RecordCutter(this.job.chunkBytes, () => this.create('lines', output));
  }

  select(part: Part, selection: Selection, output = 'main'): void {
    if ('all' in selection) {
      const { digest, form, bytes } = part;
      this.parts.push({ output, digest, form, bytes, facts: selection.facts });
      return;
    }
    const base = part.form === 'view' ? decodeView(this.bytes(part)).base : part.digest;
    const writer = this.create('view', output);
    writer.write(encodeView({ base, records: selection.records, bitmap: selection.bitmap }));
    writer.close(selection.facts);
  }

  count(counter: string, amount = 1): void {
    this.#counters[counter] = (Object.hasOwn(this.#counters, counter) ? (this.#counters[counter] as number) : 0) + amount;
  }

  drop(reason: string, documents = 1): void {
    this.count(`dropped:${reason}`, documents);
  }

  quarantine(part: Part, record: number, reason: string, detail: string): void {
    this.count(`quarantined:${reason}`);
    if (this.#quarantined.length < limits.quarantineListedMax) this.#quarantined.push({ part: part.digest, record, reason, detail });
  }

  progress(done: number, total?: number): void {
    this.#mark.alive();
    this.#hooks.progress(done, total);
  }

  scratch(): string {
    this.#scratch ??= join(this.job.tmpDir, uniqueName('scratch'));
    mkdirSync(this.#scratch, { recursive: true });
    return this.#scratch;
  }

  secret(name: string): string {
    const value = this.job.secrets[name];
    if (value === undefined)
      throw new BuildError('no-secret', { message: `the step asks for a secret "${name}" that its target does not declare` });
    return value;
  }

  packageFolder(name: string): string | undefined {
    return this.job.packages?.[name];
  }

  made(): Made {
    return {
      parts: this.parts,
      counters: this.#counters,
      quarantined: this.#quarantined,
      tookMs: performance.now() - this.#started,
      ...(this.#recalled && { recalled: this.#recalled }),
    };
  }

  /** To be called when the step has failed: what it had finished is for nobody. */
  discard(): void {
    for (const { file } of this.parts) if (file) rmSync(file, { force: true });
  }

  /** To be called however the step ended. */
  end(): void {
    for (const writer of this.#writers) writer.abandon();
    if (this.#scratch) rmSync(this.#scratch, { recursive: true, force: true });
  }

  #locate(digest: Digest): Location {
    const location = this.job.locations[digest];
    if (!location)
      throw new BuildError('bad-part', { message: `a step reads the part ${digest.slice(0, 12)}, which is not one of its inputs` });
    return location;
  }
}
