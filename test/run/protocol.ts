/** What a test file's process writes to file descriptor 3, one JSON object per line. */
export type Message =
  | { type: 'test'; name: string }
  | { type: 'fault'; text: string }
  | { type: 'skip'; reason: string; test: string }
  | { type: 'drained'; counts: Counts; failures: string };

/** `registered` counts calls of `test(...)` and `test.only(...)`; `total` those that a `.run()` handed over. */
export interface Counts {
  registered: number;
  total: number;
  passed: number;
  only: number;
  uvuSkips: number;
  passedWithSkip: number;
}

/** The outcome of one test file. */
export interface FileReport {
  name: string;
  passed: number;
  failed: number;
  skipped: number;
  skipReasons: readonly string[];
  /** What is wrong with the file as a whole, beyond tests that failed. */
  faults: readonly string[];
  /** The failed tests in full, as uvu prints them. */
  failures: string;
  /** What the file printed; shown when it failed. */
  output: string;
  tookMs: number;
}
