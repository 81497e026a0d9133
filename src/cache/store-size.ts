import { appendFileSync, existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { readIfThere, writeFileAtomic } from '../base/files.ts';

/**
 * How many bytes the store has, without a walk: every process appends what it added or took away, and a walk, when there is one, begins
 * anew. Bytes of killed processes are missing until then.
 */
export class StoreSize {
  readonly #file: string;
  /** Whether there was no store when it was opened: then there is nothing that was not counted. */
  readonly #isNew: boolean;
  #unsaved = 0;
  /** Whether this process changed anything since `settle`. */
  hasChanged = false;

  constructor(file: string) {
    this.#file = file;
    this.#isNew = !existsSync(dirname(file));
  }

  add(bytes: number): void {
    this.#unsaved += bytes;
    this.hasChanged = true;
  }

  /** Undefined where nobody has measured it yet. */
  read(): number | undefined {
    this.save();
    const lines = readIfThere(this.#file)?.toString('utf8').split('\n') ?? [];
    const last = lines.findLastIndex((line) => /^=\d+$/.test(line));
    if (last < 0) return undefined;
    const changes = lines.slice(last + 1).map(Number);
    const sum = changes.reduce((total, change) => (Number.isFinite(change) ? total + change : total), Number(lines[last]?.slice(1)));
    return Math.max(0, sum);
  }

  /** What a walk has found. */
  measured(bytes: number): void {
    this.#unsaved = 0;
    writeFileAtomic(this.#file, `=${bytes}\n`);
  }

  save(): void {
    const begins = this.#isNew && this.hasChanged && !existsSync(this.#file);
    if (this.#unsaved === 0 && !begins) return;
    mkdirSync(dirname(this.#file), { recursive: true });
    appendFileSync(this.#file, `${begins ? '=0\n' : ''}${this.#unsaved}\n`);
    this.#unsaved = 0;
  }
}
