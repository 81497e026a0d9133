import { uncolour } from './painter.ts';

const linesKept = 5000;

/** All that was said, as lines: what is not yet on the screen, and the newest for whoever wants to read them again. */
export class Said {
  readonly lines: string[] = [];
  #fresh = '';
  #begun = '';

  add(text: string): void {
    const all = this.#begun + text;
    const at = all.lastIndexOf('\n') + 1;
    this.#begun = all.slice(at);
    if (at === 0) return;
    const ended = all.slice(0, at);
    this.#fresh += ended;
    this.lines.push(...uncolour(ended.slice(0, -1)).split(/\r?\n/));
    if (this.lines.length > 2 * linesKept) this.lines.splice(0, this.lines.length - linesKept);
  }

  get hasFresh(): boolean {
    return this.#fresh !== '';
  }

  /** Whole lines that were not taken yet. */
  take(): string {
    const fresh = this.#fresh;
    this.#fresh = '';
    return fresh;
  }

  /** The rest too, although its line is not ended. */
  takeAll(): string {
    if (this.#begun !== '') this.add('\n');
    return this.take();
  }
}
