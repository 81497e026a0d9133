import { readFileSync } from 'node:fs';
import { type Key, readKeys } from './keys.ts';

/** The terminal's input, as far as keys need it. */
export interface KeyInput {
  readonly isTTY?: boolean;
  setRawMode?(isRaw: boolean): unknown;
  on(event: 'data', listener: (data: Buffer | string) => void): unknown;
  off(event: 'data', listener: (data: Buffer | string) => void): unknown;
  resume(): unknown;
  pause(): unknown;
}

/** A program in the background is stopped by the system when it asks for keys. Where the system does not say, it is in front. */
function isInFront(): boolean {
  try {
    // Behind the name in brackets: state, parent, process group, session, terminal, the group in front of the terminal.
    const fields = readFileSync('/proc/self/stat', 'latin1').split(') ').at(-1)?.split(' ') ?? [];
    return fields[5] === '-1' || fields[2] === fields[5];
  } catch {
    return true;
  }
}

/** Keys of a terminal; undefined where there are none to be had. */
export function keyboardOf(input: KeyInput | undefined): Keyboard | undefined {
  const isThere = input?.isTTY === true && typeof input.setRawMode === 'function' && isInFront();
  return isThere ? new Keyboard(input) : undefined;
}

/** A sequence whose rest comes with the next read. */
const unfinished = new RegExp(`${'\u001b'}[[O][0-9;]*$`);

export class Keyboard {
  readonly #input: KeyInput;
  #held = '';
  #listener: ((data: Buffer | string) => void) | undefined;

  constructor(input: KeyInput) {
    this.#input = input;
  }

  /** From now on keys come one by one and are not shown; Ctrl-C is a key as well. */
  open(pressed: (keys: readonly Key[]) => void): void {
    this.#listener = (data) => {
      const text = this.#held + data.toString();
      this.#held = unfinished.exec(text)?.[0] ?? '';
      const keys = readKeys(text.slice(0, text.length - this.#held.length));
      if (keys.length > 0) pressed(keys);
    };
    this.#input.setRawMode?.(true);
    this.#input.on('data', this.#listener);
    this.#input.resume();
  }

  /** Gives the terminal back as it was. */
  close(): void {
    if (!this.#listener) return;
    this.#input.off('data', this.#listener);
    this.#listener = undefined;
    this.#input.setRawMode?.(false);
    this.#input.pause();
  }
}
