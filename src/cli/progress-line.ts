import { isTerminal } from './context.ts';

const firstMs = 1000;
const redrawMs = 100;
const heartbeatMs = 10_000;

/** How far a command is, on stderr: one line that is drawn again in a terminal, a line now and then elsewhere. Nothing in the first second. */
export class ProgressLine {
  readonly #output: NodeJS.WritableStream;
  readonly #redraws: boolean;
  readonly #started = performance.now();
  #last = 0;
  #isShown = false;

  constructor(output: NodeJS.WritableStream, { redraws }: { redraws: boolean }) {
    this.#output = output;
    this.#redraws = redraws && isTerminal(output as never);
    this.#last = this.#started + firstMs - (this.#redraws ? redrawMs : heartbeatMs);
  }

  show(text: () => string): void {
    const now = performance.now();
    if (now - this.#started < firstMs || now - this.#last < (this.#redraws ? redrawMs : heartbeatMs)) return;
    this.#last = now;
    this.#isShown = this.#redraws;
    this.#output.write(this.#redraws ? `\r${text()}\x1b[K` : `${text()}\n`);
  }

  /** Before anything else is written, and at the end. */
  clear(): void {
    if (this.#isShown) this.#output.write('\r\x1b[K');
    this.#isShown = false;
  }
}
