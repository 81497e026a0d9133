import { createReadStream, statSync } from 'node:fs';
import { join } from 'node:path';
import { createHasher, type Digest } from '../base/digest.ts';
import { BuildError, messageOf, systemCodeOf } from '../base/errors.ts';
import { openFile } from '../base/files.ts';
import { readNote, writeNote } from '../base/notes.ts';
import { identityFrom, isRacy } from '../source/identity.ts';

interface Seen {
  readonly identity: string;
  readonly digest: Digest;
  readonly bytes: number;
}

interface Stat {
  readonly text: string;
  readonly racy: boolean;
  readonly bytes: number;
}

function statOf(path: string): Stat {
  const identity = identityFrom(statSync(path, { bigint: true }));
  const { dev, ino, size, mtimeNs, ctimeNs } = identity;
  return { text: `${dev}:${ino}:${size}:${mtimeNs}:${ctimeNs}`, racy: isRacy(identity, Date.now()), bytes: Number(size) };
}

/** Digests of whole files (tools, tokenizers, compressed sources), remembered by identity so that a large file is read once. */
export class FileDigests {
  readonly #file: string;
  readonly #seen: Map<string, Seen>;
  #changed = false;

  constructor(stateDir: string) {
    this.#file = join(stateDir, 'sources', 'files.json');
    this.#seen = new Map(Object.entries(readNote<Record<string, Seen>>(this.#file) ?? {}));
  }

  /** @throws {BuildError} `no-file` when it can not be read, `source-changing` when it changes while it is read. */
  async digest(path: string, paranoid = false): Promise<{ digest: Digest; bytes: number }> {
    const before = stat(path);
    const seen = this.#seen.get(path);
    if (!paranoid && seen?.identity === before.text) return seen;
    const digest = await digestOf(path);
    const after = stat(path);
    if (after.text !== before.text) {
      throw new BuildError('source-changing', {
        message: 'the file changed while it was read',
        where: path,
        hint: 'Build again when its writer is done.',
      });
    }
    // As it stood when reading began: a long read does not make an edit during it any easier to see.
    const found = { identity: before.racy ? '' : after.text, digest, bytes: after.bytes };
    this.#seen.set(path, found);
    this.#changed = true;
    return found;
  }

  sizeOf(path: string): number | undefined {
    return this.#seen.get(path)?.bytes;
  }

  /** Paths of the files that had this digest when they were last read. */
  pathsOf(digest: Digest): string[] {
    return [...this.#seen].filter(([, seen]) => seen.digest === digest).map(([path]) => path);
  }

  /** The digest that the file at this path had when it was last read, and whether it is still that very file. */
  lastSeen(path: string): { digest: Digest; isSame: boolean } | undefined {
    const seen = this.#seen.get(path);
    return seen && { digest: seen.digest, isSame: isThere(path) && stat(path).text === seen.identity };
  }

  save(): void {
    if (this.#changed) writeNote(this.#file, Object.fromEntries(this.#seen));
    this.#changed = false;
  }
}

const isThere = (path: string): boolean => statSync(path, { throwIfNoEntry: false }) !== undefined;

async function digestOf(path: string): Promise<Digest> {
  try {
    const hasher = createHasher();
    for await (const piece of createReadStream(path, { fd: openFile(path), highWaterMark: 1024 * 1024 })) hasher.update(piece as Buffer);
    return hasher.digest().toString('hex');
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

function stat(path: string): Stat {
  try {
    return statOf(path);
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

function unreadable(path: string, cause: unknown): BuildError {
  const missing = systemCodeOf(cause) === 'ENOENT';
  return new BuildError('no-file', {
    message: missing ? 'there is no such file' : `the file can not be read: ${messageOf(cause)}`,
    where: path,
    ...(!missing && { hint: 'Check its permissions.' }),
    cause,
  });
}
