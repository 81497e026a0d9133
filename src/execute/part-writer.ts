import { closeSync, fdatasyncSync, openSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createHasher, digestHex, type Hasher } from '../base/digest.ts';
import { uniqueName, writeAll } from '../base/files.ts';
import { limits } from '../base/limits.ts';
import type { Facts, Form } from '../rule/part.ts';
import type { PartWriter } from '../rule/step.ts';
import type { MadePart } from './job.ts';

const bufferBytes = 256 * 1024;

interface SpillFile {
  readonly fd: number;
  readonly path: string;
  readonly hasher: Hasher;
}

interface Output {
  readonly output: string;
  readonly form: Form;
  readonly tmpDir: string;
  readonly done: (part: MadePart) => void;
  /** Does what waits for the disk: that time is nobody's fault but the disk's. */
  readonly aside: (write: () => void) => void;
}

/** Writes one output. It stays in memory while it is small; else it goes to a temporary file beside the store, hashed while it is written. */
export class OutputWriter implements PartWriter {
  readonly #about: Output;
  #pieces: Uint8Array[] = [];
  #buffered = 0;
  #bytes = 0;
  #file: SpillFile | undefined;

  constructor(about: Output) {
    this.#about = about;
  }

  write(bytes: Uint8Array): void {
    // The caller may use its buffer again.
    this.#pieces.push(bytes.length < bufferBytes ? Buffer.from(bytes) : bytes);
    this.#buffered += bytes.length;
    this.#bytes += bytes.length;
    if (this.#buffered >= bufferBytes) this.#about.aside(() => this.#spill());
  }

  close(facts: Facts = {}, more: { name?: string } = {}): void {
    this.#about.aside(() => this.#close(facts, more));
  }

  #close(facts: Facts, more: { name?: string }): void {
    const { output, form, done } = this.#about;
    const about = { output, form, bytes: this.#bytes, facts, ...more };
    if (!this.#file && this.#bytes < limits.packedBytesMax) {
      const data = Buffer.concat(this.#pieces);
      return done({ ...about, digest: digestHex(data), data });
    }
    this.#spill();
    const { fd, path, hasher } = this.#file as SpillFile;
    // A side part that a crash takes with it is one that is missing, which is never fatal.
    if (form !== 'side') fdatasyncSync(fd);
    closeSync(fd);
    this.#file = undefined;
    done({ ...about, digest: hasher.digest().toString('hex'), file: path });
  }

  /** Leaves nothing behind when the step fails. */
  abandon(): void {
    if (!this.#file) return;
    closeSync(this.#file.fd);
    rmSync(this.#file.path, { force: true });
  }

  #spill(): void {
    this.#file ??= this.#open();
    const bytes = this.#pieces.length === 1 ? (this.#pieces[0] as Uint8Array) : Buffer.concat(this.#pieces);
    this.#file.hasher.update(bytes);
    writeAll(this.#file.fd, bytes);
    this.#pieces = [];
    this.#buffered = 0;
  }

  #open(): SpillFile {
    const path = join(this.#about.tmpDir, uniqueName('output'));
    return { fd: openSync(path, 'wx'), path, hasher: createHasher() };
  }
}
