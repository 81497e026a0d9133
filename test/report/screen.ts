import { EventEmitter } from 'node:events';

const sequence = new RegExp(`${'\u001b'}\\[([?0-9;]*)([A-Za-z])|[\\s\\S]`, 'g');

/** What a terminal makes of what is written to it: the few sequences that the view needs. It does not scroll. */
export class Screen extends EventEmitter {
  readonly isTTY = true;
  columns: number;
  rows: number;
  readonly #lines: string[] = [''];
  #row = 0;
  #column = 0;
  cursorShown = true;
  /** All that was written. */
  raw = '';

  constructor(columns = 100, rows = 24) {
    super();
    this.columns = columns;
    this.rows = rows;
  }

  readonly write = (text: string, ...more: unknown[]): boolean => {
    this.raw += text;
    for (const [piece, parameters, command] of text.matchAll(sequence)) {
      if (command !== undefined) this.#command(command, parameters ?? '');
      else this.#put(piece);
    }
    for (const done of more) if (typeof done === 'function') setImmediate(done as () => void);
    return true;
  };

  /** Lines that are too long now are wrapped, as most terminals do. */
  resizeTo(columns: number, rows: number): void {
    this.columns = columns;
    this.rows = rows;
    const wrap = (line: string): string[] => line.trimEnd().match(new RegExp(`.{1,${columns}}`, 'gu')) ?? [''];
    const below = this.#lines.slice(this.#row);
    const above = this.#lines.slice(0, this.#row).flatMap(wrap);
    this.#lines.splice(0, this.#lines.length, ...above, ...below);
    this.#row = above.length;
    this.emit('resize');
  }

  get text(): string {
    return this.#lines.map((line) => line.trimEnd()).join('\n');
  }

  #put(character: string): void {
    if (character === '\r') this.#column = 0;
    else if (character === '\n') {
      this.#moveTo(this.#row + 1);
      this.#column = 0;
    } else {
      const line = (this.#lines[this.#row] as string).padEnd(this.#column);
      this.#lines[this.#row] = line.slice(0, this.#column) + character + line.slice(this.#column + 1);
      this.#column++;
    }
  }

  #moveTo(row: number): void {
    this.#row = Math.max(0, row);
    while (this.#lines.length <= this.#row) this.#lines.push('');
  }

  #command(command: string, parameters: string): void {
    const count = Number(parameters || 1);
    const line = this.#lines[this.#row] as string;
    if (command === 'A') this.#moveTo(this.#row - count);
    if (command === 'B' || command === 'E') this.#moveTo(this.#row + count);
    if (command === 'E') this.#column = 0;
    if (command === 'G') this.#column = count - 1;
    if (command === 'K') this.#lines[this.#row] = parameters === '2' ? '' : line.slice(0, this.#column);
    if (parameters === '?25') this.cursorShown = command === 'h';
    if (command === 'J' && parameters === '') {
      this.#lines.length = this.#row + 1;
      this.#lines[this.#row] = line.slice(0, this.#column);
    } else if (command === 'J' || command === 'H') throw new Error('the screen is wiped: what stood above the view is lost');
  }
}
