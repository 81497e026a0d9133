import { publicAddress } from '../base/address.ts';
import { BuildError } from '../base/errors.ts';
import { networkFault, passingStatus } from '../base/network.ts';

/** What a server said about the present content behind an address. */
export interface Seen {
  readonly etag?: string;
  readonly lastModified?: string;
  readonly version?: string;
  readonly bytesTotal?: number;
}

/** An answer whose body is about to be read. */
export interface Opened {
  /** The byte that the body begins with: 0, or where the caller asked to go on. */
  readonly from: number;
  readonly seen: Seen;
  readonly body: AsyncIterable<Uint8Array>;
}

/** Where to go on, of which content. Undefined: from the beginning. */
export interface Resume {
  readonly from: number;
  readonly seen: Seen;
}

/** One address of one protocol. `open` throws `TransferError` for all that the other side or the network did. */
export interface Remote {
  open(resume: Resume | undefined, signal: AbortSignal): Promise<Opened>;
}

export interface Trouble {
  readonly message: string;
  /** Of the error that it ends in; `fetch-failed` by default. */
  readonly code?: string;
  /** Whether the same request may do better later. */
  readonly again: boolean;
  /** What the server asked for. */
  readonly pauseMs?: number;
  /** What has arrived is wrong: it must not be gone on with. */
  readonly spoilt?: boolean;
  readonly hint?: string;
  readonly cause?: unknown;
}

/** The other side or the network failed; trouble with this machine's disk is never one. */
export class TransferError extends Error {
  readonly trouble: Trouble;

  constructor(trouble: Trouble) {
    super(trouble.message, { cause: trouble.cause });
    this.name = 'TransferError';
    this.trouble = trouble;
  }

  toBuildError(address: string, tries: number): BuildError {
    const { message, code = 'fetch-failed', hint, cause } = this.trouble;
    return new BuildError(code, {
      message: tries > 1 ? `gave up after ${tries} tries: ${message}` : message,
      where: publicAddress(address),
      hint: hint ?? 'Check the network and the address, then build again: what has arrived is kept.',
      cause,
    });
  }
}

/** What a socket's error means. */
export const networkTrouble = (error: unknown): TransferError => new TransferError({ ...networkFault(error), cause: error });

/** The same bytes; their source's errors become `TransferError`, those of whoever reads them stay. */
export async function* transferred(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  try {
    yield* body;
  } catch (error) {
    throw networkTrouble(error);
  }
}

/** The rest of a file that is there already. */
export async function* noBytes(): AsyncGenerator<Uint8Array, void> {}

const statusHints: Readonly<Record<number, string>> = {
  401: 'It wants to know who asks: put user:password@ into the address (from `param` or the environment), or set HF_TOKEN for the Hugging Face Hub.',
  403: 'You may not read it: check your rights, or get a new signed address if this one has run out.',
  404: 'There is nothing at this address: check its spelling.',
  407: 'A proxy on the way wants a password.',
  410: 'It was there and was removed: look for a new address.',
};

/** What an HTTP status other than success means. 408, 429 and 5xx may pass. */
export function statusTrouble(
  status: number,
  about: { text?: string | undefined; pauseMs?: number | undefined; hint?: string },
): TransferError {
  const hint = about.hint ?? statusHints[status];
  return new TransferError({
    message: `the server answered ${status}${about.text ? ` ${about.text}` : ''}`,
    again: passingStatus(status),
    ...(about.pauseMs !== undefined && { pauseMs: about.pauseMs }),
    ...(hint && { hint }),
  });
}
