import { checkDefinition } from './definition-checks.ts';
import type { DocumentRow } from './documents.ts';
import type { Facts, Form, Part } from './part.ts';
import type { ObjectIdentity } from './source.ts';

export type StepInputs = Readonly<Record<string, Part | readonly Part[]>>;

/** A file option resolved: what a rule sees of each file is a part. */
export type FileParts = Readonly<Record<string, Part>>;
export interface TokenizerParts {
  readonly model: Part;
  readonly config?: Part;
  /** Which engine is to run it, `name@version`: to be handed on in the params of each step whose bytes depend on it. */
  readonly engine?: string;
}

/** Writes one output part of a step. */
export interface PartWriter {
  write(bytes: Uint8Array): void;
  /** Ends the part. `facts` become part of it, `name` is its path below `out` where files come out. */
  close(facts?: Facts, more?: { name?: string }): void;
}

/** Writes records; they become as many parts as the cut rule says. */
export interface RecordWriter {
  /** One record's bytes, without newline. */
  write(line: Uint8Array): void;
  close(): void;
}

/** Output parts of an earlier run of a step, by output name; those whose bytes are gone are left out. */
export type EarlierRun = Readonly<Record<string, readonly Part[]>>;

/** What became of `io.earlier`: said to people, and in no result. */
export interface Recalled {
  /** Records that the step went through, and how many of them it took over. */
  readonly records: number;
  readonly reused: number;
  /** A record of the `rowPure` input of which an earlier run had made something else: then nothing at all was taken over. */
  readonly differs?: number;
}

/** All that a step may use. It is on purpose synchronous: a step runs alone on its worker, and its data is local. */
export interface StepIo {
  readonly signal: AbortSignal;
  /** All bytes of a part, checked against its digest. */
  bytes(part: Part): Buffer;
  /** The bytes of a part piece by piece, for parts that may be larger than memory. */
  pieces(part: Part): Iterable<Buffer>;
  /** The documents of a `lines` part or a `view`. */
  documents(part: Part): Iterable<DocumentRow>;
  /** Where a part's bytes lie on this machine, for a program that wants a file. Never let it reach the output. */
  path(part: Part): string;
  create(form: Form, output?: string): PartWriter;
  /** Records of a `lines` output, cut into chunks. */
  records(output?: string): RecordWriter;
  /** Gives an input, or a selection of it, as an output: no text is copied. */
  select(part: Part, selection: Selection, output?: string): void;
  /** Adds to a counter; `documents`, `tokens` and what a rule defines. */
  count(counter: string, amount?: number): void;
  /** Documents that leave here for a reason. */
  drop(reason: string, documents?: number): void;
  /** A record that can not be used: counted, listed with its place, and left out. */
  quarantine(part: Part, record: number, reason: string, detail: string): void;
  /** Says how far the step is, and that it is alive. */
  progress(done: number, total?: number): void;
  /**
   * Work on a record begins. One that then gives no sign of life for longer than the config's `recordSecondsMax` is taken for one that never
   * ends, and the step is ended with its worker. The rows of `documents` say so by themselves.
   * @param record its line in `part`, counted from 0.
   */
  recordBegins(part: Part, record: number, bytes: number): void;
  /** No record is worked on until the next one begins: what takes long from here on, such as another program, takes as long as it takes. */
  recordEnds(): void;
  /** A folder of this step's own, removed when it ends. */
  scratch(): string;
  /**
   * What the same step made earlier of other versions of its `rowPure` input, nearest first: output parts by output name. Empty for
   * all other steps, in a clean build, and under --paranoid. It may only make a step faster, never change a byte that it gives.
   */
  readonly earlier: readonly EarlierRun[];
  /** Tells what became of `earlier`, once, by a step that was given any. */
  recalled(what: Recalled): void;
  /** The value of a secret option; only external steps and programs get any. */
  secret(name: string): string;
  /** Folder of an optional npm package that an option named, `name@version`, where it is installed; the name must be in the step's params. */
  packageFolder(name: string): string | undefined;
}

/** A remote file as a fetch left it on this machine. */
export interface FetchedFile {
  readonly path: string;
  readonly etag?: string;
  readonly lastModified?: string;
}

/** What to fetch; `object`: only this content of it. */
export interface RemoteFile {
  readonly address: string;
  readonly endpoint?: string;
  readonly region?: string;
  readonly declaredPin?: string;
  readonly object?: ObjectIdentity;
}

/** What an external step may use besides: it runs on the driver and reaches outside. */
export interface ExternalIo extends StepIo {
  fetch(file: RemoteFile): Promise<FetchedFile>;
  /** Takes a file that this step made as an output part; the file is moved. Gives its digest. */
  adopt(path: string, output?: string): Promise<string>;
  /** Notes in the lock what an address resolved to. */
  pin(address: string, entry: Readonly<Record<string, string>>): void;
}

/** Which records of a part stay. */
export type Selection =
  | { readonly all: true; readonly facts: Facts }
  | { readonly bitmap: Uint8Array; readonly records: number; readonly facts: Facts };

export interface StepDefinition<In extends StepInputs = StepInputs, P = unknown, Out extends string = string> {
  readonly name: string;
  /** Raise when the same inputs give other bytes. */
  readonly version: number;
  readonly outputs: readonly Out[];
  /** Reaches outside: runs on the driver, its result is data that is pinned, not cache. */
  readonly external: boolean;
  /** Libraries that shape its bytes, `name@version`: they are in the key. */
  readonly uses: readonly string[];
  /**
   * Name of the input of which each record is worked on by itself: what comes of it depends on that record and on the other inputs and
   * params only. Such a step may take over what earlier runs made of records that it meets again (`io.earlier`).
   */
  readonly rowPure?: string;
  readonly run: (inputs: In, params: P, io: ExternalIo) => void | Promise<void>;
}

/**
 * A step that reaches outside (download, upload, paid calls). Its result is data: pinned by the lock, never silently replaced.
 */
export function defineExternalStep<In extends StepInputs, P, const Out extends readonly string[] = readonly ['main']>(
  name: string,
  about: { version: number; outputs?: Out; uses?: readonly string[] },
  run: (inputs: In, params: P, io: ExternalIo) => Promise<void>,
): StepDefinition<In, P, Out[number]> {
  checkDefinition('defineExternalStep', { ...about, name, run });
  return {
    name,
    version: about.version,
    outputs: (about.outputs ?? ['main']) as readonly Out[number][],
    external: true,
    uses: about.uses ?? [],
    run,
  };
}

/**
 * A pure function from parts to parts: no clock, no randomness without a seed, no environment, no network.
 * What it gives must follow from its inputs and params alone; a second run anywhere gives the same bytes.
 */
export function defineStep<In extends StepInputs, P, const Out extends readonly string[] = readonly ['main']>(
  name: string,
  about: { version: number; outputs?: Out; uses?: readonly string[]; rowPure?: keyof In & string },
  run: (inputs: In, params: P, io: StepIo) => void | Promise<void>,
): StepDefinition<In, P, Out[number]> {
  checkDefinition('defineStep', { ...about, name, run });
  return {
    name,
    version: about.version,
    outputs: (about.outputs ?? ['main']) as readonly Out[number][],
    external: false,
    uses: about.uses ?? [],
    ...(about.rowPure !== undefined && { rowPure: about.rowPure }),
    run,
  };
}
