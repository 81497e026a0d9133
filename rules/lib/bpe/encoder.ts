import type { IdList } from './id-list.ts';

/** Turns stretches of text without added tokens into ids. Single-threaded: work arrays are shared by all calls. */
export interface Encoder {
  /** The ids so far; others may push between stretches. */
  readonly list: IdList;
  /**
   * Adds the ids of a stretch.
   *
   * @param text well-formed and normalized
   * @param isFirst whether the text begins with it
   * @throws {BuildError} `text-too-long` for a word of more than 8 Mi characters
   */
  add(text: string, isFirst: boolean): void;
}
