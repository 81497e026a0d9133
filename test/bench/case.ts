/** One thing that `npm run bench` measures. Nothing here passes or fails: a goal that is missed is shown as such. */
export interface Case {
  readonly name: string;
  readonly about: string;
  /** What must be there, in words; a case that lacks it throws with a sentence that says so. */
  readonly needs?: string;
  /** In words, on two quiet cores. */
  readonly takes: string;
  /** What it puts into the scratch folder at full scale. */
  readonly diskBytes?: number;
  run(bench: Bench): AsyncIterable<Row>;
}

/** What a case is given. */
export interface Bench {
  /** A folder of the case's own, removed when it ends. */
  readonly scratch: string;
  /** `DSBUILD_BENCH_SCALE`: all sizes and counts are multiplied by it. 1 is what README shows. */
  readonly scale: number;
  /** How often what is compared runs, in alternating order; the median counts. */
  readonly rounds: number;
  /** Whether outputs are also compared with those of a clean build. */
  readonly check: boolean;
  /** A line of progress. */
  say(line: string): void;
}

/** One line of the table. */
export interface Row {
  readonly what: string;
  readonly dsbuild: string;
  /** The same done by others, a line each. */
  readonly beside?: readonly string[];
  readonly goals?: readonly Goal[];
  /** Figures as they were measured, for `--json`. */
  readonly raw: unknown;
}

export interface Goal {
  readonly says: string;
  readonly met: boolean;
}

export const atLeast = (value: number, min: number, what: string): Goal => ({ says: `at least ${min} ${what}`, met: value >= min });
export const atMost = (value: number, max: number, what: string): Goal => ({ says: `at most ${max} ${what}`, met: value <= max });
