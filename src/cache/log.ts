import { closeSync, fdatasyncSync, fstatSync, mkdirSync, openSync, readSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { systemCodeOf } from '../base/errors.ts';
import { namesIfReadable, openFile, uniqueName, writeAll, writeFileAtomic } from '../base/files.ts';
import { hostTag, isProcessAlive } from '../base/host.ts';
import { byCodeUnit } from '../base/names.ts';

const frameHeadBytes = 8;
const recordHeadBytes = 36;
const frameBytesMax = 64 * 1024;
/** Files of one kind above which they are joined. */
const filesMax = 32;
const listTriesMax = 3;

interface Value {
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
}

/** How far a file of another process was read; live ones grow. */
interface Seen {
  offset: number;
  /** The disk did not give all of it: who joins files must not take it away. */
  unread?: boolean;
}

/**
 * A map from digests to small values that survives kill -9: append-only files of frames `[length u32][crc32 u32][records]`,
 * a record being `[key 32 bytes][length u32][value]`. Every process appends to a file of its own, `<kind>-*.open`, and renames it to `.log` at its end.
 * A torn or damaged frame ends the reading of its file: records behind it are lost, never wrong.
 */
export class Log {
  readonly #dir: string;
  readonly #kind: string;
  readonly #values = new Map<string, Value>();
  readonly #seen = new Map<string, Seen>();
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  #own: { fd: number; name: string } | undefined;
  #flushAsked = false;
  #mustFlush = false;
  #waiting: { resolve: () => void; reject: (error: unknown) => void }[] = [];

  constructor(dir: string, kind: string) {
    this.#dir = dir;
    this.#kind = kind;
    this.refresh();
  }

  get size(): number {
    return this.#values.size;
  }

  /** Reads what other processes have written since the last look. */
  refresh(): void {
    for (let tries = 0; tries < listTriesMax; tries++) {
      const vanished = this.#names().filter((name) => name !== this.#own?.name && !this.#read(name));
      if (vanished.length === 0) return;
    }
  }

  /** Its files, oldest first: of two values for a key the newer one counts. */
  #names(): string[] {
    return namesIfReadable(this.#dir)
      .filter((name) => name.startsWith(`${this.#kind}-`) && /\.(open|log)$/.test(name))
      .sort(byCodeUnit);
  }

  get(key: string): Buffer | undefined {
    const value = this.#values.get(key);
    return value?.bytes.subarray(value.start, value.end);
  }

  *entries(): Generator<[string, Buffer]> {
    for (const [key, value] of this.#values) yield [key, value.bytes.subarray(value.start, value.end)];
  }

  /** Adds a value; it is written when the code that runs now, and the promises that wait for it, have had their turn. */
  put(key: string, value: Uint8Array): void {
    const record = recordOf(key, value);
    this.#values.set(key, { bytes: record, start: recordHeadBytes, end: record.length });
    this.#pending.push(record);
    this.#pendingBytes += record.length;
    if (this.#mustFlush || this.#pendingBytes > frameBytesMax) this.flush();
    if (this.#flushAsked) return;
    this.#flushAsked = true;
    process.nextTick(() => this.#flushLater());
  }

  /** Resolves when all that was put is written: a killed process loses none of it. @throws what the file system threw. */
  written(): Promise<void> {
    if (this.#pending.length === 0) return Promise.resolve();
    return new Promise((resolve, reject) => void this.#waiting.push({ resolve, reject }));
  }

  /** Nobody would catch what is thrown here: what could not be written waits for the next `put` or `flush`, which throws to who can tell. */
  #flushLater(): void {
    this.#flushAsked = false;
    try {
      this.flush();
    } catch (error) {
      this.#mustFlush = true;
      for (const { reject } of this.#waiting.splice(0)) reject(error);
    }
  }

  /** @throws what the file system threw (`ENOSPC` ...); what was to be written is kept, for another try. */
  flush(): void {
    if (this.#pending.length === 0) return;
    this.#own ??= this.#open();
    const frame = frameOf(this.#pending);
    try {
      writeAll(this.#own.fd, frame);
    } catch (error) {
      this.#leaveTornFile(this.#own);
      throw error;
    }
    // From now on in the frame: one buffer for many values.
    this.#index(frame, frameHeadBytes, frame.length);
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#mustFlush = false;
    for (const { resolve } of this.#waiting.splice(0)) resolve();
  }

  /** Reading ends at a frame that was not written whole: nothing may follow it. */
  #leaveTornFile({ fd }: { fd: number }): void {
    closeSync(fd);
    this.#own = undefined;
  }

  #open(): { fd: number; name: string } {
    mkdirSync(this.#dir, { recursive: true });
    const name = `${this.#newName()}.open`;
    return { fd: openSync(join(this.#dir, name), 'ax'), name };
  }

  #newName(): string {
    return `${this.#kind}-${Date.now().toString(36)}-${hostTag}-${uniqueName('log')}`;
  }

  /**
   * Joins many files into one, so that years of small builds do not make every start slow. Only files that nobody writes any more are
   * joined: sealed ones, and those of processes of this machine that are dead.
   * @param isKept which values the new file has.
   */
  compact(filesMin = filesMax, isKept: (value: Buffer) => boolean = isValue): void {
    const old = this.#names().filter((name) => name.endsWith('.log') || isDead(name));
    if (old.length < filesMin) return;
    this.refresh();
    const known = old.filter((name) => !this.#seen.get(stemOf(name))?.unread);
    try {
      const path = join(this.#dir, `${this.#newName()}.log`);
      writeFileAtomic(path, Buffer.concat([...this.#frames(isKept)]));
      for (const name of known) rmSync(join(this.#dir, name), { force: true });
    } catch {
      // Many files say the same as one.
    }
  }

  /** Everything that is known and kept, a frame for about every 64 KiB. */
  *#frames(isKept: (value: Buffer) => boolean): Generator<Buffer> {
    let records: Buffer[] = [];
    let bytes = 0;
    for (const [key, value] of this.entries()) {
      if (!isKept(value)) continue;
      records.push(recordOf(key, value));
      bytes += recordHeadBytes + value.length;
      if (bytes < frameBytesMax) continue;
      yield frameOf(records);
      records = [];
      bytes = 0;
    }
    if (records.length > 0) yield frameOf(records);
  }

  /** Ends this process's file; a later `put` opens another. What can still not be written is lost: `flush` has said so before. */
  seal(): void {
    this.#flushLater();
    if (!this.#own) return;
    const { fd, name } = this.#own;
    this.#own = undefined;
    try {
      fdatasyncSync(fd);
      renameSync(join(this.#dir, name), join(this.#dir, `${stemOf(name)}.log`));
    } catch {
      // It stays as a crash would leave it, and is read like that.
    } finally {
      closeSync(fd);
    }
  }

  /** @returns false when the file is no longer there: another process has sealed it or joined it with others. */
  #read(name: string): boolean {
    const stem = stemOf(name);
    const seen = this.#seen.get(stem) ?? { offset: 0 };
    this.#seen.set(stem, seen);
    try {
      seen.offset += this.#take(readFrom(join(this.#dir, name), seen.offset));
      return true;
    } catch (error) {
      if (systemCodeOf(error) === 'ENOENT') return false;
      // What it says is not known then, and made again: a log is a memory.
      seen.unread = true;
      return true;
    }
  }

  /** Indexes the whole frames at the start of `bytes` and says how many bytes they are. */
  #take(bytes: Buffer): number {
    let at = 0;
    while (at + frameHeadBytes <= bytes.length) {
      const end = at + frameHeadBytes + bytes.readUInt32LE(at);
      if (end > bytes.length || crc32(bytes.subarray(at + frameHeadBytes, end)) !== bytes.readUInt32LE(at + 4)) break;
      this.#index(bytes, at + frameHeadBytes, end);
      at = end;
    }
    return at;
  }

  #index(bytes: Buffer, from: number, to: number): void {
    for (let at = from; at + recordHeadBytes <= to; ) {
      const start = at + recordHeadBytes;
      const end = start + bytes.readUInt32LE(at + 32);
      this.#values.set(bytes.toString('hex', at, at + 32), { bytes, start, end });
      at = end;
    }
  }
}

/** A value of no bytes says that there is none. */
const isValue = (value: Buffer): boolean => value.length > 0;

function recordOf(key: string, value: Uint8Array): Buffer {
  const record = Buffer.allocUnsafe(recordHeadBytes + value.length);
  record.write(key, 0, 'hex');
  record.writeUInt32LE(value.length, 32);
  record.set(value, recordHeadBytes);
  return record;
}

function frameOf(records: readonly Buffer[]): Buffer {
  const frame = Buffer.concat([Buffer.alloc(frameHeadBytes), ...records]);
  frame.writeUInt32LE(frame.length - frameHeadBytes, 0);
  frame.writeUInt32LE(crc32(frame.subarray(frameHeadBytes)), 4);
  return frame;
}

/** Whether the process that writes this file is of this machine and gone. */
function isDead(name: string): boolean {
  const [, host, pid] = /-([0-9a-f]{8})-log-(\d+)-/.exec(name) ?? [];
  return host === hostTag && pid !== undefined && !isProcessAlive(Number(pid));
}

const stemOf = (name: string): string => name.replace(/\.(open|log)$/, '');

function readFrom(path: string, offset: number): Buffer {
  const fd = openFile(path);
  try {
    const bytes = Buffer.allocUnsafe(Math.max(0, fstatSync(fd).size - offset));
    let done = 0;
    while (done < bytes.length) {
      const read = readSync(fd, bytes, done, bytes.length - done, offset + done);
      if (read === 0) break;
      done += read;
    }
    return bytes.subarray(0, done);
  } finally {
    closeSync(fd);
  }
}
