import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Digest, digestHex } from '../../base/digest.ts';
import { Log } from '../log.ts';

/** `head`: some pack of it; `step`: a result that lies in a pack. */
type What = 'blob' | 'pack' | 'head' | 'step';

const yes = Buffer.from([1]);

/**
 * What this folder knows to lie on a remote, so that it is neither sent nor fetched again. It may be outdated: then something is sent or run
 * once more by somebody else, and never anything wrong.
 */
export class Known {
  readonly #dir: string;
  readonly #remote: string;
  #log: Log;

  /** @param remote what tells one remote from another: address, endpoint and scope. */
  constructor(stateDir: string, remote: string) {
    this.#dir = join(stateDir, 'remote', 'v1');
    this.#remote = remote;
    this.#log = new Log(this.#dir, 'known');
  }

  has(what: What, name: string): boolean {
    return this.#log.get(this.#key(what, name)) !== undefined;
  }

  add(what: What, name: string): void {
    if (!this.has(what, name)) this.#log.put(this.#key(what, name), yes);
  }

  /** The remote turned out to be another one than it was. */
  forget(): void {
    this.#log.seal();
    rmSync(this.#dir, { recursive: true, force: true });
    this.#log = new Log(this.#dir, 'known');
  }

  close(): void {
    try {
      this.#log.seal();
      this.#log.compact();
    } catch {
      // What is forgotten is looked for again.
    }
  }

  #key(what: What, name: string): Digest {
    return digestHex(`${this.#remote}\n${what} ${name}`);
  }
}
