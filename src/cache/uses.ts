import { appendFileSync, mkdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Digest } from '../base/digest.ts';
import { readIfThere, writeFileAtomic } from '../base/files.ts';

/** A target as it was for one key. */
export interface Version {
  readonly target: string;
  readonly key: Digest;
  /** When it was first noted, and when a build last used it, in milliseconds since 1970. */
  readonly builtMs: number;
  readonly usedMs: number;
}

/** One line: versions that a build used. When it was made stands in lines that were joined from others. */
interface Line {
  readonly at: number;
  readonly uses: readonly (readonly [target: string, key: Digest, builtMs?: number])[];
}

/** Above it the lines are joined: a line for each build becomes one for each version. */
const fileBytesMax = 1024 * 1024;

/**
 * Which versions of targets builds have used, and when: one appended line for each build, however many blobs are behind it. A line that a
 * crash cut off tells nothing; a use that is lost costs at most that something is made again.
 */
export class Uses {
  readonly #file: string;
  #pending: (readonly [string, Digest])[] = [];
  /** What was saved for the build that began then. */
  #saved = { at: 0, ids: new Set<string>() };

  constructor(stateDir: string) {
    this.#file = join(stateDir, 'uses.jsonl');
  }

  note(target: string, key: Digest): void {
    this.#pending.push([target, key]);
  }

  /** Writes what was noted since, as used by the build that began then. */
  save(at: number): void {
    if (at !== this.#saved.at) this.#saved = { at, ids: new Set() };
    const uses = this.#pending.filter(([target, key]) => isAdded(this.#saved.ids, `${target}\n${key}`));
    this.#pending = [];
    if (uses.length === 0) return;
    const line: Line = { at, uses };
    try {
      mkdirSync(dirname(this.#file), { recursive: true });
      // What a crash left of a line must not swallow this one.
      appendFileSync(this.#file, `\n${JSON.stringify(line)}`);
      if (statSync(this.#file).size > fileBytesMax) this.keep(this.versions());
    } catch {
      // No room, or no right to write: whoever writes results will say so.
    }
  }

  /** All versions that were noted, the most recently used first. */
  versions(): Version[] {
    const found = new Map<string, Version>();
    for (const { at, uses } of this.#lines()) {
      for (const [target, key, builtMs = at] of uses) {
        const id = `${target}\n${key}`;
        const known = found.get(id) ?? { target, key, builtMs, usedMs: at };
        found.set(id, { ...known, builtMs: Math.min(known.builtMs, builtMs), usedMs: Math.max(known.usedMs, at) });
      }
    }
    return [...found.values()].sort((a, b) => b.usedMs - a.usedMs);
  }

  /** Forgets all others. */
  keep(versions: readonly Version[]): void {
    const lines = versions.map(({ target, key, builtMs, usedMs }): Line => ({ at: usedMs, uses: [[target, key, builtMs]] }));
    writeFileAtomic(this.#file, lines.map((line) => `\n${JSON.stringify(line)}`).join(''));
  }

  #lines(): Line[] {
    const lines = readIfThere(this.#file)?.toString('utf8').split('\n') ?? [];
    return lines.flatMap((line) => parsed(line));
  }
}

/** False when it was there already. */
function isAdded(ids: Set<string>, id: string): boolean {
  const { size } = ids;
  return ids.add(id).size > size;
}

function parsed(line: string): Line[] {
  try {
    const { at, uses } = JSON.parse(line) as Partial<Line>;
    return typeof at === 'number' && Array.isArray(uses) ? [{ at, uses: uses.filter(isUse) }] : [];
  } catch {
    return [];
  }
}

const isUse = (use: unknown): use is Line['uses'][number] =>
  Array.isArray(use) && typeof use[0] === 'string' && typeof use[1] === 'string' && ['number', 'undefined'].includes(typeof use[2]);
