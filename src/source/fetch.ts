import { setTimeout as pause } from 'node:timers/promises';
import { publicAddress } from '../base/address.ts';
import { digestHex } from '../base/digest.ts';
import { BuildError } from '../base/errors.ts';
import { httpRemote } from './fetch-http.ts';
import { PartialFile } from './fetch-partial.ts';
import { type Remote, TransferError } from './fetch-remote.ts';
import { s3Remote } from './fetch-s3.ts';

export interface FetchRequest {
  /** `http://`, `https://` or `s3://bucket/key`. */
  readonly address: string;
  /** Folder for what arrives, on the file system where it is to stay. It must outlive a crash for a later run to go on. */
  readonly toDir: string;
  /** S3 only. */
  readonly endpoint?: string | undefined;
  readonly region?: string | undefined;
  /** S3 only: fetch this content and no other. */
  readonly etag?: string | undefined;
  /** The same in the words of a bucket that keeps what objects were. */
  readonly version?: string | undefined;
  /** From the config: `blake3:<hex>` or `sha256:<hex>`. */
  readonly declaredPin?: string | undefined;
  /** From the lock. Only the digest decides; a server may change the rest without changing a byte. */
  readonly expect?: { readonly etag?: string; readonly lastModified?: string; readonly blake3?: string } | undefined;
  readonly signal: AbortSignal;
  readonly onProgress: (bytesDone: number, bytesTotal?: number) => void;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Before the second, third ... try; their number is the number of tries but one. Up to a quarter is added by chance. */
  readonly pausesMs?: readonly number[] | undefined;
  readonly limits?: Partial<FetchLimits> | undefined;
  /** Waits; for tests. */
  readonly wait?: ((ms: number, signal: AbortSignal) => Promise<unknown>) | undefined;
}

export interface FetchLimits {
  /** A try without a byte for this long has failed. */
  readonly stallMsMax: number;
  /** How much of what arrived a crash may cost. */
  readonly checkpointBytes: number;
  /** After so many new bytes the tries are counted from the beginning: a long way may have many bumps. */
  readonly forgiveBytes: number;
}

export interface Fetched {
  /** A file in `toDir` with a name of its own, which is the caller's from now on. */
  readonly path: string;
  readonly bytes: number;
  readonly blake3: string;
  readonly etag?: string;
  readonly lastModified?: string;
  /** The server's name for this very content, if it keeps several. */
  readonly version?: string;
}

const MiB = 1024 * 1024;
const defaultLimits: FetchLimits = { stallMsMax: 60_000, checkpointBytes: 16 * MiB, forgiveBytes: 16 * MiB };
const defaultPausesMs: readonly number[] = [1000, 4000, 15_000];

/**
 * Fetches a remote file into `toDir`, hashed while it is written; goes on where a cut connection or a killed run stopped, as long as
 * the server says that it is still the same file.
 *
 * @throws {BuildError} `fetch-failed` (after the last try, or at once where no try would help), `pin-mismatch` (the bytes are kept
 * beside, under another name), `source-changed-remotely` (`etag` is not there any more), `bad-address`. Errors of this machine's disk (`ENOSPC` ...) and the signal's reason come as they are.
 */
export async function fetchFile(request: FetchRequest): Promise<Fetched> {
  request.signal.throwIfAborted();
  const remote = remoteOf(request);
  const file = await PartialFile.claim({
    dir: request.toDir,
    id: digestHex(`${request.endpoint ?? ''}\n${publicAddress(request.address)}`).slice(0, 32),
    sha256: request.declaredPin?.startsWith('sha256:') === true,
    checkpointBytes: request.limits?.checkpointBytes ?? defaultLimits.checkpointBytes,
  });
  try {
    await transferAll(remote, file, request);
  } catch (error) {
    // What went wrong first is what the user has to hear.
    await file.leave().catch(() => {});
    throw error;
  }
  return accept(file, request);
}

function remoteOf({ address, endpoint, region, etag, version, env }: FetchRequest): Remote {
  if (/^s3:/i.test(address)) return s3Remote({ address, endpoint, region, etag, version, env });
  if (/^https?:/i.test(address) && URL.canParse(address)) return httpRemote(address, env);
  throw new BuildError('bad-address', {
    message: 'only http://, https:// and s3://bucket/key can be fetched',
    where: publicAddress(address),
    hint: 'Write the whole address; names of local files have no scheme.',
  });
}

/** Tries until all has arrived. */
async function transferAll(remote: Remote, file: PartialFile, request: FetchRequest): Promise<void> {
  const pausesMs = request.pausesMs ?? defaultPausesMs;
  const { forgiveBytes } = { ...defaultLimits, ...request.limits };
  const wait = request.wait ?? waitFor;
  let bytesAtFirst = file.bytes;
  for (let tries = 1; ; tries++) {
    try {
      return await transferOnce(remote, file, request);
    } catch (error) {
      request.signal.throwIfAborted();
      if (!(error instanceof TransferError)) throw error;
      if (error.trouble.spoilt) await file.restart({});
      if (file.bytes >= bytesAtFirst + forgiveBytes) {
        bytesAtFirst = file.bytes;
        tries = 1;
      }
      const pauseMs = pausesMs[tries - 1];
      if (!error.trouble.again || pauseMs === undefined) throw error.toBuildError(request.address, tries);
      await wait(Math.max(pauseMs * (1 + Math.random() / 4), error.trouble.pauseMs ?? 0), request.signal);
    }
  }
}

async function waitFor(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await pause(ms, undefined, { signal });
  } catch {
    signal.throwIfAborted();
  }
}

async function transferOnce(remote: Remote, file: PartialFile, request: FetchRequest): Promise<void> {
  const watch = new StallWatch(request.limits?.stallMsMax ?? defaultLimits.stallMsMax);
  const signal = AbortSignal.any([request.signal, watch.signal]);
  try {
    const { from, seen, body } = await remote.open(file.resume(), signal);
    if (from === 0) await file.restart(seen);
    request.onProgress(file.bytes, seen.bytesTotal);
    for await (const piece of body) {
      await file.append(piece);
      watch.moved();
      request.onProgress(file.bytes, seen.bytesTotal);
    }
    if (seen.bytesTotal !== undefined && seen.bytesTotal !== file.bytes)
      throw new TransferError({ message: `${file.bytes} bytes came of ${seen.bytesTotal}`, again: true });
  } catch (error) {
    throw watch.stalled && error instanceof TransferError ? watch.trouble(error) : error;
  } finally {
    watch.stop();
  }
}

/** Aborts what does not move. */
class StallWatch {
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly #msMax: number;

  constructor(msMax: number) {
    this.#msMax = msMax;
    this.#timer = setTimeout(() => this.#controller.abort(), msMax);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get stalled(): boolean {
    return this.signal.aborted;
  }

  moved(): void {
    this.#timer.refresh();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  trouble(cause: unknown): TransferError {
    return new TransferError({ message: `nothing came for ${this.#msMax / 1000} s`, again: true, cause });
  }
}

async function accept(file: PartialFile, request: FetchRequest): Promise<Fetched> {
  const { blake3, sha256 } = file.digests();
  const { bytesTotal: _total, ...seen } = file.seen;
  const got = { blake3, sha256 };
  const { declaredPin, expect } = request;
  const declared = declaredPin === undefined || declaredPin.toLowerCase() === `${kindOf(declaredPin)}:${got[kindOf(declaredPin)]}`;
  if (declared && (expect?.blake3 === undefined || expect.blake3 === blake3)) {
    return { path: await file.finish(), bytes: file.bytes, blake3, ...seen };
  }
  throw mismatch(request, declared, { ...got, bytes: file.bytes, path: await file.finish(`${blake3.slice(0, 32)}.unexpected`) });
}

const kindOf = (pin: string): 'blake3' | 'sha256' => (/^sha256:/i.test(pin) ? 'sha256' : 'blake3');

function mismatch(
  { address, declaredPin = '', expect }: FetchRequest,
  declared: boolean,
  got: { blake3: string; sha256: string; bytes: number; path: string },
): BuildError {
  const wanted = declared ? `blake3:${expect?.blake3}` : declaredPin;
  const came = `${kindOf(wanted)}:${got[kindOf(wanted)]}`;
  return new BuildError('pin-mismatch', {
    message: `the bytes are not those that ${declared ? 'the lock' : 'the config'} names: expected ${wanted}, came ${came} (${got.bytes} bytes, kept at ${got.path})`,
    where: publicAddress(address),
    hint: declared
      ? 'If the new content is wanted, run `dsbuild update`.'
      : 'If the new content is wanted, write its digest into the config, then run `dsbuild update`.',
  });
}
