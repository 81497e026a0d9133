import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readIfThere, writeFileAtomic } from '../../base/files.ts';

/** Writes files for one project, and remembers what it did. Nothing that is there is replaced unless it is said of that file. */
export class Writer {
  readonly written: string[] = [];
  readonly kept: string[] = [];
  readonly #cwd: string;

  constructor(cwd: string) {
    this.#cwd = cwd;
  }

  write(path: string, text: string, replace = false): void {
    if (!replace && existsSync(join(this.#cwd, path))) this.kept.push(path);
    else {
      writeFileAtomic(join(this.#cwd, path), text);
      this.written.push(path);
    }
  }

  copy(path: string, from: string): void {
    const to = join(this.#cwd, path);
    if (existsSync(to)) {
      this.kept.push(path);
      return;
    }
    mkdirSync(dirname(to), { recursive: true });
    copyFileSync(from, to);
    this.written.push(path);
  }

  /** Adds lines that are not there yet. */
  append(path: string, lines: readonly string[]): void {
    const text = readIfThere(join(this.#cwd, path))?.toString('utf8') ?? '';
    const there = new Set(text.split(/\r?\n/).map((line) => line.trim().replace(/^\/|\/$/g, '')));
    const missing = lines.filter((line) => !there.has(line.replace(/\/$/, '')));
    if (missing.length === 0) {
      this.kept.push(path);
      return;
    }
    const gap = text === '' || text.endsWith('\n') ? '' : '\n';
    writeFileAtomic(join(this.#cwd, path), `${text}${gap}${missing.join('\n')}\n`);
    this.written.push(path);
  }
}
