import type { Digest } from '../base/digest.ts';
import { uniqueName } from '../base/files.ts';
import { limits } from '../base/limits.ts';
import type { Finder } from '../cache/locations.ts';
import { readPart } from '../cache/part-reader.ts';
import type { Known } from '../cache/remote/known.ts';
import type { PutOutcome, Remote } from '../cache/remote/remote.ts';
import type { StepResult, TargetResult } from '../cache/results.ts';
import type { Location } from '../cache/store.ts';
import { inputParts, type StepRun, settledInputs } from '../execute/step-run.ts';
import type { Part } from '../rule/part.ts';
import { BlobUploads } from './remote-blobs.ts';

const packBytesMax = 4 * 1024 * 1024;
/** Lists of parts, and small files, that come with the record of a target. */
const inlineBytesMax = 1024 * 1024;

interface Parts {
  readonly remote: Remote;
  readonly known: Known;
  /** Somebody's record for the same key names other bytes. */
  readonly differs: (target: string) => void;
}

/** In which packs the steps of a target belong, and who knows where their bytes are. */
export interface UploadPlace {
  readonly head: Digest;
  readonly locations: Finder;
}

export interface FinishedTarget extends UploadPlace {
  readonly target: string;
  readonly key: Digest;
  readonly result: TargetResult;
  readonly steps: readonly StepRun[];
  /** The parts of all its outputs. */
  readonly parts: readonly Part[];
}

/** A result that is to be packed, and the parts that its step made itself. */
interface Packed {
  readonly key: Digest;
  readonly result: StepResult;
  readonly made: readonly Part[];
}

interface OpenPack {
  readonly place: UploadPlace;
  readonly results: Packed[];
  bytes: number;
}

/**
 * Takes new results away while a build goes on: blobs first, then the packs that name them, then the record of the target, so that what
 * lies there is whole whatever happens in between. Nothing here throws.
 */
export class RemoteUploads {
  readonly #parts: Parts;
  readonly #blobs: BlobUploads;
  readonly #open = new Map<Digest, OpenPack>();
  readonly #packed = new Set<Digest>();
  readonly #jobs = new Set<Promise<unknown>>();
  readonly #run = uniqueName(new Date().toISOString().replace(/\D/g, ''));
  #packCount = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#blobs = new BlobUploads(parts.remote, parts.known);
  }

  get progress(): { done: number; total: number; bytes: number } {
    const { queue, bytes } = this.#blobs;
    return { done: queue.ended, total: queue.added, bytes };
  }

  /** A step has run: its bytes are sent at once, its result goes into the next pack. */
  stepEnded(step: StepRun, packed: Omit<Packed, 'made'>, place: UploadPlace): void {
    if (!this.#parts.remote.mayWrite) return;
    const made = madeBy(step, packed.result);
    // What nobody may be able to fetch again goes first.
    const first = step.definition.external;
    for (const { digest } of made.filter(isBlob)) void this.#blobs.send(digest, place.locations, { first });
    this.#pack({ ...packed, made }, place);
  }

  /** A target has ended: what is known of it here and not there is sent, then its record. @returns what became of that. */
  targetEnded(finished: FinishedTarget): Promise<PutOutcome> {
    return this.#parts.remote.mayWrite
      ? this.#job(this.#sendTarget(finished)).then((outcome) => outcome ?? 'failed')
      : Promise.resolve('failed');
  }

  /** Resolves when everything was sent, or could not be. */
  async finish(): Promise<void> {
    while (this.#jobs.size > 0 || this.#open.size > 0) {
      for (const head of [...this.#open.keys()]) this.#close(head);
      await Promise.all(this.#jobs);
    }
    await this.#blobs.repair();
    await attempt(this.#parts.remote.emptyDamagedPacks());
  }

  giveUp(): void {
    this.#blobs.queue.giveUp();
  }

  async #sendTarget(finished: FinishedTarget): Promise<PutOutcome> {
    const { key, result, target, locations } = finished;
    await this.#sendKnown(finished);
    this.#close(finished.head);
    // What came from there lies there, as far as anybody knows.
    const made = new Set(finished.steps.flatMap((step) => (isOwn(step) ? madeBy(step, step.result) : [])).map(({ digest }) => digest));
    const lists = Object.values(result.outputs).map(({ digest }) => digest);
    const files = finished.parts.filter((part) => part.name !== undefined && !isBlob(part)).map(({ digest }) => digest);
    const contents = contentsOf([...lists, ...files], locations);
    const blobs = [
      ...finished.parts.filter((part) => made.has(part.digest) && isBlob(part)).map(({ digest }) => digest),
      ...lists.filter((digest) => !contents.has(digest)),
      ...(result.lineage === undefined ? [] : [result.lineage]),
    ];
    const sent = await Promise.all(blobs.map((digest) => this.#blobs.send(digest, locations)));
    if (!sent.every((isThere) => isThere)) return 'failed';
    let outcome: PutOutcome = 'failed';
    await this.#blobs.queue.add(async () => {
      outcome = (await attempt(this.#parts.remote.putTarget(key, { result, contents }))) ?? 'failed';
      if (outcome === 'other') this.#parts.differs(target);
    });
    return outcome;
  }

  /** Steps whose results were known here, but not to lie there. */
  async #sendKnown({ steps, ...place }: FinishedTarget): Promise<void> {
    const { known, remote } = this.#parts;
    const unsent = steps.flatMap((step): Packed[] => {
      if (!isOwn(step) || !isPinned(step)) return [];
      const { key, result } = step;
      return this.#packed.has(key) || known.has('step', key) ? [] : [{ key, result, made: madeBy(step, result) }];
    });
    const blobs = unsent.flatMap(({ made }) => made.filter(isBlob)).map(({ digest }) => digest);
    const open = new Set(blobs.filter((digest) => !this.#blobs.isSettled(digest)));
    if (open.size > 0) for (const digest of (await attempt(remote.heldBlobs(open))) ?? []) known.add('blob', digest);
    for (const digest of blobs) void this.#blobs.send(digest, place.locations);
    for (const packed of unsent) this.#pack(packed, place);
  }

  #pack(packed: Packed, place: UploadPlace): void {
    const pack = this.#open.get(place.head) ?? { place, results: [], bytes: 0 };
    this.#open.set(place.head, pack);
    this.#packed.add(packed.key);
    pack.results.push(packed);
    const small = packed.made.filter((part) => !isBlob(part));
    pack.bytes += JSON.stringify(packed.result).length + small.reduce((sum, { bytes }) => sum + bytes, 0);
    if (pack.bytes > packBytesMax) this.#close(place.head);
  }

  /** A pack takes no more results: it is sent when the blobs that they name are there. */
  #close(head: Digest): void {
    const pack = this.#open.get(head);
    this.#open.delete(head);
    if (pack) void this.#job(this.#sendPack(pack));
  }

  async #sendPack({ place, results }: OpenPack): Promise<void> {
    const { known, remote } = this.#parts;
    const { head, locations } = place;
    const name = `${head}/${this.#run}-${this.#packCount++}`;
    const isWhole = await Promise.all(results.map((packed) => this.#isWhole(packed, locations)));
    const whole = results.filter((_, i) => isWhole[i]);
    if (whole.length === 0) return;
    await this.#blobs.queue.add(async () => {
      const small = whole.flatMap(({ made }) => made.filter((part) => !isBlob(part)).map(({ digest }) => digest));
      const steps = new Map(whole.map(({ key, result }) => [key, result]));
      const written = await attempt(remote.putPack(name, { steps, contents: contentsOf(small, locations, packBytesMax * 2) }));
      if (written === undefined) return;
      known.add('pack', written);
      known.add('head', head);
      for (const { key } of whole) known.add('step', key);
    });
  }

  /** Whether all that a result names can be had: from the remote, or with the pack. */
  async #isWhole({ made }: Packed, locations: Finder): Promise<boolean> {
    const there = await Promise.all(
      made.map((part) => (isBlob(part) ? this.#blobs.send(part.digest, locations) : locations.locate(part.digest) !== undefined)),
    );
    return there.every((isThere) => isThere);
  }

  #job<T>(work: Promise<T>): Promise<T | undefined> {
    const job = attempt(work).finally(() => this.#jobs.delete(job));
    this.#jobs.add(job);
    return job;
  }
}

const isBlob = ({ bytes }: { readonly bytes: number }): boolean => bytes >= limits.packedBytesMax;

/** A step whose result was made on this machine. */
const isOwn = (step: StepRun): step is StepRun & { key: Digest; result: StepResult } =>
  step.key !== undefined && step.result !== undefined && step.result.origin === undefined;

/** Parts whose bytes are a step's own: some pass an input on. */
function madeBy(step: StepRun, { parts }: StepResult): readonly Part[] {
  const given = new Set([...inputParts(settledInputs(step.inputs))].map(({ digest }) => digest));
  return parts.filter(({ digest }) => !given.has(digest));
}

/** What a step reached outside for lies under what it found there, and never under "not known yet". */
function isPinned({ definition, params }: StepRun): boolean {
  const { pin, object } = (params ?? {}) as { pin?: string; object?: unknown };
  return !definition.external || pin !== undefined || object !== undefined;
}

/** Small contents that are still here, as many as fit. */
function contentsOf(digests: readonly Digest[], locations: Finder, bytesMax = inlineBytesMax): Map<Digest, Uint8Array> {
  const contents = new Map<Digest, Uint8Array>();
  let bytes = 0;
  for (const digest of digests) {
    const location = contents.has(digest) ? undefined : locations.locate(digest);
    const length = location?.reduce((sum, segment) => sum + segment.length, 0) ?? 0;
    if (!location || bytes + length > bytesMax) continue;
    const content = whole(digest, location);
    if (!content) continue;
    contents.set(digest, content);
    bytes += length;
  }
  return contents;
}

/** The bytes of a part, if they can still be read. */
function whole(digest: Digest, location: Location): Buffer | undefined {
  try {
    return readPart(digest, location);
  } catch {
    return undefined;
  }
}

/** An upload is never a reason to fail: what the remote did is counted, and an interrupted build says so by itself. */
const attempt = <T>(work: Promise<T>): Promise<T | undefined> => work.catch(() => undefined);
