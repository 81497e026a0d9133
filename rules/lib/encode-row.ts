import { BuildError } from '../../src/base/errors.ts';
import type { RawRecord } from '../../src/rule/documents.ts';
import type { RowCounts } from './row-memo.ts';
import { type DropOptions, dropReasons, dropTableOf, TokenDrops } from './token-drops.ts';
import { forEachWindow, type WindowOptions } from './token-windows.ts';
import type { Tokenizer } from './tokenizer-contract.ts';
import type { SpecialTokens } from './tokenizer-specials.ts';
import type { TokensBuilder } from './tokens-builder.ts';

export interface RowOptions {
  /** Name of the field that is tokenized. */
  readonly text: string;
  readonly addBos: boolean;
  readonly specialTokens: boolean;
  readonly window?: WindowOptions;
  readonly dropTokens?: DropOptions;
}

/** Why nothing could be made of a record. */
export interface UnusableRow {
  readonly reason: string;
  readonly detail: string;
}

const plus = (name: string, amount: number): RowCounts => (amount === 0 ? {} : { [name]: amount });

/** Makes samples of records, one record at a time; what one gives depends on it alone. */
export class RowEncoder {
  readonly #tokenizer: Tokenizer;
  readonly #options: RowOptions;
  /** What is put around each sample. */
  readonly #before: readonly number[];
  readonly #after: readonly number[];
  /** The BOS at the head of `before`, where that was put there by `addBos`. */
  readonly #bos: number | undefined;
  readonly #drops: TokenDrops | undefined;
  readonly #dropped = new Uint32Array(dropReasons.length);
  /** Tokens of the text that a sample holds, and how many of them the next one holds again. */
  readonly #window: { readonly room: number; readonly stride: number };

  /**
   * @throws {BuildError} `no-bos` when `addBos` is on and no BOS is known; `bad-window` when special tokens leave a window no room to
   * move on.
   */
  constructor(tokenizer: Tokenizer, specials: SpecialTokens, options: RowOptions) {
    const { addBos, specialTokens, window, dropTokens: drops } = options;
    const around = specialTokens && drops?.special !== true ? tokenizer.around : { before: [], after: [] };
    if (addBos && specials.bos === undefined) throw noBos();
    this.#tokenizer = tokenizer;
    this.#options = options;
    this.#bos = addBos && around.before[0] !== specials.bos ? specials.bos : undefined;
    this.#before = this.#bos === undefined ? around.before : [this.#bos, ...around.before];
    this.#after = around.after;
    this.#drops = drops && new TokenDrops(dropTableOf(tokenizer, drops));
    const { length, stride } = window ?? { length: Number.POSITIVE_INFINITY, stride: 0 };
    this.#window = { room: length - this.#before.length - this.#after.length, stride };
    if (this.#window.room <= stride) throw badWindow({ length, stride }, length - this.#window.room);
  }

  /** Whether `prepare` is to be awaited before each `encode`: the engine works outside this thread. */
  get mustPrepare(): boolean {
    return this.#tokenizer.prepare !== undefined;
  }

  async prepare(record: RawRecord): Promise<void> {
    const text = record[this.#options.text];
    if (typeof text === 'string') await this.#tokenizer.prepare?.(text, { addSpecialTokens: false });
  }

  /**
   * Appends the samples of a record, of which there is at least one. The counts, without those that are 0: tokens of its text + added =
   * tokens of its samples + dropped.
   *
   * @param document the record's number among those that are read
   */
  encode(record: RawRecord, to: TokensBuilder, document: number): RowCounts | UnusableRow {
    const text = record[this.#options.text];
    if (typeof text !== 'string') return { reason: 'no-text', detail: noText(this.#options.text, text) };
    const ids = this.#idsOf(text);
    if (!(ids instanceof Int32Array)) return ids;
    const kept = this.#drops?.apply(ids, this.#dropped) ?? ids;
    return { ...plus('tokensText', ids.length), ...this.#countDropped(), ...this.#addSamples(kept, to, document) };
  }

  /** One document that no engine could hold must not end a build of many. */
  #idsOf(text: string): Int32Array | UnusableRow {
    try {
      return this.#tokenizer.encode(text, { addSpecialTokens: false });
    } catch (error) {
      if (!(error instanceof BuildError) || error.code !== 'text-too-long') throw error;
      return { reason: 'text-too-long', detail: error.message };
    }
  }

  #addSamples(ids: Int32Array, to: TokensBuilder, document: number): RowCounts {
    // A text that begins with a BOS of its own gets no second one.
    const own = this.#bos !== undefined && this.#before.length === 1 && ids[0] === this.#bos ? 1 : 0;
    const text = own === 0 ? ids : ids.subarray(own);
    let [samples, held] = [0, 0];
    forEachWindow(text.length, this.#window, (start, end) => {
      to.append(this.#before);
      to.append(text.subarray(start, end));
      to.append(this.#after);
      to.endSample(document, start);
      samples++;
      held += end - start;
    });
    const around = this.#before.length + this.#after.length - (this.#bos === undefined ? 0 : 1);
    return {
      ...plus('tokensAdded:special', samples * around),
      ...plus('tokensAdded:bos', this.#bos === undefined ? 0 : samples - own),
      ...plus('tokensAdded:overlap', held - text.length),
    };
  }

  #countDropped(): RowCounts {
    if (!this.#drops) return {};
    const counts = Object.assign({}, ...dropReasons.map((reason, i) => plus(`tokensDropped:${reason}`, this.#dropped[i] as number)));
    this.#dropped.fill(0);
    return counts;
  }
}

const noText = (field: string, value: unknown): string =>
  value === undefined ? `has no "${field}"` : `"${field}" is ${value === null ? 'null' : `not a text but of type ${typeof value}`}`;

function noBos(): BuildError {
  return new BuildError('no-bos', {
    message: '`addBos` is on, but no token that begins a document is known: tokenizer_config.json has no bos_token in the vocabulary',
    hint: 'Set option `bos` to the token that begins a document, or leave `addBos` out.',
  });
}

function badWindow({ length, stride }: WindowOptions, around: number): BuildError {
  return new BuildError('bad-window', {
    message: `window.stride is ${stride}, but of a window.length of ${length} only ${Math.max(0, length - around)} are left for text: ${around} are special tokens`,
    hint: 'A window must bring at least one new token: lower `window.stride` or raise `window.length`.',
  });
}
