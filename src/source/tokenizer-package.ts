import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { createGunzip } from 'node:zlib';
import { BuildError, messageOf } from '../base/errors.ts';

const blockBytes = 512;
/** Larger than any tokenizer; a file that claims more is not read into memory. */
const fileBytesMax = 512 * 1024 * 1024;
const wanted = /^(package\.json|(.*\/)?tokenizer(_config)?\.json)$/;

/**
 * package.json and all tokenizer.json and tokenizer_config.json files of an npm archive, by their path in the package. Nothing is
 * written, so no name can lead anywhere; links and names with `..` are passed over.
 *
 * Format: gzip of POSIX ustar, everything below one folder (mostly `package/`).
 */
export async function readPackage(archive: string): Promise<Map<string, Uint8Array>> {
  const input = createReadStream(archive);
  const unzipped = createGunzip();
  // `pipe` hands on the bytes, but not an error of the source.
  input.on('error', (error) => unzipped.destroy(error));
  try {
    return await filesOf(new Chunks(input.pipe(unzipped)[Symbol.asyncIterator]() as AsyncIterator<Buffer>));
  } catch (cause) {
    throw new BuildError('tokenizer-unreachable', {
      message: `the archive ${basename(archive)} can not be read: ${messageOf(cause)}`,
      hint: 'Try again: the download may have been cut off.',
      cause,
    });
  } finally {
    input.destroy();
  }
}

async function filesOf(bytes: Chunks): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  for (;;) {
    const header = await bytes.take(blockBytes);
    if (header === undefined || header.every((byte) => byte === 0)) return files;
    const { path, size } = entryOf(header);
    const padded = Math.ceil(size / blockBytes) * blockBytes;
    const content = path === undefined ? await bytes.skip(padded) : await bytes.take(padded);
    if (content === undefined) throw new Error('it ends in the middle of a file');
    if (path !== undefined) files.set(path, content.subarray(0, size));
  }
}

/** An entry's size, and its path in the package where it is a regular file that is wanted. */
function entryOf(header: Buffer): { path: string | undefined; size: number } {
  const size = Number.parseInt(text(header, 124, 12), 8) || 0;
  const prefix = text(header, 257, 5) === 'ustar' ? text(header, 345, 155) : '';
  const name = (prefix === '' ? '' : `${prefix}/`) + text(header, 0, 100);
  const path = name.slice(name.indexOf('/') + 1);
  const isFile = header[156] === 0 || header[156] === 0x30;
  const isWanted = isFile && wanted.test(path) && !path.split('/').includes('..') && size <= fileBytesMax;
  return { path: isWanted ? path : undefined, size };
}

function text(header: Buffer, start: number, length: number): string {
  const field = header.subarray(start, start + length);
  const end = field.indexOf(0);
  return field.toString('utf8', 0, end === -1 ? length : end).trim();
}

/** Takes byte counts from a stream of buffers; undefined when it ends before. */
class Chunks {
  readonly #source: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterator<Buffer>) {
    this.#source = source;
  }

  async take(bytes: number): Promise<Buffer | undefined> {
    const pieces: Buffer[] = [];
    const taken = await this.#forward(bytes, (piece) => void pieces.push(piece));
    return taken === bytes ? Buffer.concat(pieces) : undefined;
  }

  /** An empty buffer, or undefined as with `take`. */
  async skip(bytes: number): Promise<Buffer | undefined> {
    return (await this.#forward(bytes, () => undefined)) === bytes ? Buffer.alloc(0) : undefined;
  }

  async #forward(bytes: number, use: (piece: Buffer) => void): Promise<number> {
    let taken = 0;
    while (taken < bytes) {
      if (this.#rest.length === 0) {
        const next = await this.#source.next();
        if (next.done) return taken;
        this.#rest = next.value;
      }
      const piece = this.#rest.subarray(0, bytes - taken);
      this.#rest = this.#rest.subarray(piece.length);
      taken += piece.length;
      use(piece);
    }
    return taken;
  }
}
