import { execFileSync } from 'node:child_process';
import { closeSync, existsSync, openSync, readdirSync, rmSync, watch, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Lines that are left in an opened gate, one for each program that may come to it. */
const passesMax = 1000;

/**
 * Holds programs of a build where they are, until the test lets them go on: nothing sleeps. A program says `touch "$HOME/gate.held.$$"` and
 * then reads a line from the named pipe `$HOME/gate`; both only while there is a gate.
 */
export class Gate {
  readonly #path: string;
  #fd: number | undefined;

  constructor(path: string) {
    this.#path = path;
    execFileSync('mkfifo', [path]);
  }

  /** What a shell script says at the place where it can be held. */
  static script(name = 'gate'): string {
    return `if [ -p "$HOME/${name}" ]; then touch "$HOME/${name}.held.$$"; read -r pass < "$HOME/${name}"; fi`;
  }

  /** Resolves when so many programs have come to the gate. */
  async held(programs = 1): Promise<void> {
    const folder = dirname(this.#path);
    const prefix = this.#path.slice(folder.length + 1);
    const count = (): number => readdirSync(folder).filter((name) => name.startsWith(`${prefix}.held.`)).length;
    const watcher = watch(folder);
    try {
      while (count() < programs) await new Promise((resolve) => watcher.once('change', resolve));
    } finally {
      watcher.close();
    }
  }

  /** Lets all go on that wait here, and whoever comes later. */
  open(): void {
    if (this.#fd !== undefined) return;
    this.#fd = openSync(this.#path, 'r+');
    writeSync(this.#fd, '\n'.repeat(passesMax));
    rmSync(this.#path);
  }

  /** To be called when nobody waits any more. */
  end(): void {
    this.open();
    closeSync(this.#fd as number);
    const folder = dirname(this.#path);
    if (existsSync(folder))
      for (const name of readdirSync(folder)) if (join(folder, name).startsWith(`${this.#path}.held.`)) rmSync(join(folder, name));
  }
}
