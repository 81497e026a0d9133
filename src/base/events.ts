/** Everything that can happen in a build, as one union. Reporters only read it; the engine never knows who listens. */
export type BuildEvent =
  | {
      type: 'build-started';
      run: string;
      targets: readonly string[];
      /** Steps that run at once. */
      jobs: number;
      /** Targets that each target reads. */
      needs?: Readonly<Record<string, readonly string[]>>;
    }
  | BuildEstimate
  | { type: 'scanned'; target: string; files: number; bytes: number; chunks: number; unchanged: boolean; tookMs: number }
  | { type: 'target-started'; target: string; rule: string; why: readonly string[] }
  | { type: 'steps-planned'; target: string; planned: number; done: number; hit?: number }
  | { type: 'step-started'; target: string; step: string; id: number; bytesIn: number }
  | { type: 'step-progress'; target: string; id: number; done: number; total?: number }
  | {
      type: 'step-finished';
      target: string;
      step: string;
      id: number;
      how: StepHow;
      counters: Counters;
      bytesOut: number;
      /** Records that it read, and tokens that it made, or read if it makes none. */
      documents?: number;
      tokens?: number;
      tookMs: number;
      reused?: RowsReused;
    }
  | { type: 'step-failed'; target: string; step: string; id: number; attempt: number; final: boolean; error: ShownError }
  | { type: 'target-finished'; target: string; how: TargetHow; summary: TargetSummary }
  | { type: 'target-failed'; target: string; error: ShownError }
  | { type: 'target-blocked'; target: string; by: string }
  /** Nothing of it failed: the build was interrupted, gave way to a newer one, or ended because of another target. */
  | { type: 'target-stopped'; target: string; because: string }
  /** Ctrl-C or the like: nothing new is started, and steps that run are given up. */
  | { type: 'interrupted' }
  | { type: 'published'; target: string; out: string; files: number; removed: number; bytes: number }
  | { type: 'remote-progress'; way: 'up' | 'down'; done: number; total: number; bytes: number }
  | { type: 'warning'; code: string; message: string; where?: string; hint?: string; target?: string }
  | { type: 'note'; message: string; target?: string }
  | { type: 'watching'; files: readonly string[]; folders: readonly string[] }
  | { type: 'changed'; paths: readonly string[]; count: number }
  | { type: 'difference'; target: string; difference: TargetDifference }
  | BuildSummary;

/** `ran`: the step's function was called; `hit`: its result was known; `restored`: called again only because stored bytes were gone. */
export type StepHow = 'ran' | 'hit' | 'restored';
/** `kept`: nothing had to be asked of its steps; `built`: its plan was run (all steps may still have been hits). */
export type TargetHow = 'kept' | 'built';

/** Rows whose outcome was taken over from earlier versions of a chunk, of all rows of the steps that could. */
export interface RowsReused {
  rows: number;
  of: number;
}

export type Counters = Readonly<Record<string, number>>;

export interface ShownError {
  code: string;
  message: string;
  where?: string;
  hint?: string;
}

export interface TargetSummary {
  documentsIn: number;
  documentsOut: number;
  dropped: Readonly<Record<string, number>>;
  quarantined: number;
  tokens: number;
  parts: number;
  /** Absent where documents are selected and not copied: nobody has counted their bytes. */
  bytesOut?: number;
  ran: number;
  hit: number;
  restored: number;
  /** Time of all steps that ran, one after the other; and what its known steps took when they ran. */
  tookMs: number;
  savedMs: number;
  /** Only of steps that ran and knew some of their rows from earlier. */
  reused?: RowsReused;
  /** The program that made its tokens, `name@version`. */
  engine?: string;
  why: readonly string[];
  /** Digests of the lists of its parts, by output; only of targets that were built or kept. */
  collections?: Readonly<Record<string, string>>;
}

/** What a rebuild changed in a target: more (or fewer) documents and tokens than before, and what became of its published files. */
export interface TargetDifference {
  documents: number;
  tokens: number;
  parts: number;
  /** Published files that were written, and that were taken away. */
  written: number;
  removed: number;
}

/** What a target will come to. */
export interface TargetEstimate {
  /** Steps that run. */
  steps: number;
  /** What they read and write, and the tokens in it. */
  bytesIn: number;
  bytesOut: number;
  tokens: number;
  /** Time of its steps, one after the other. */
  workMs: number;
  /** Steps and the bytes that they read are known, not guessed. */
  isExact: boolean;
  /** Of some of its steps no run is on record: it will be more. */
  isAtLeast: boolean;
}

/** What a build will come to, as soon as its first steps are known. */
export interface BuildEstimate extends Omit<TargetEstimate, 'workMs' | 'tokens'> {
  type: 'estimate';
  targets: Readonly<Record<string, TargetEstimate>>;
  /** From the beginning of the build to its end. */
  tookMs: number;
}

/** What a build did to keep the cache within its size; only where it had to. */
export interface CacheSummary {
  /** What the store has now, and may have. */
  bytes: number;
  max: number;
  freed: number;
}

export interface BuildSummary {
  type: 'summary';
  ok: boolean;
  run: string;
  steps: { ran: number; hit: number; restored: number; failed: number };
  tookMs: number;
  targets: Readonly<Record<string, TargetSummary>>;
  warnings: number;
  /** Of a build of some groups, or of so many documents of each: what it left is no state of the whole. */
  only?: string;
  sample?: number;
  /** What was expected, and by how much it was too high (0.09: 9 %) or too low; only of a build that went to its end. */
  estimate?: { tookMs: number; error: number; bytesOut: number; bytesWritten: number };
  /** What the remote cache did; only where there is one. */
  remote?: RemoteSummary;
  cache?: CacheSummary;
  /** It was given up for a newer one: something changed meanwhile. */
  superseded?: true;
  /** It was broken off by hand. */
  interrupted?: true;
}

/** `down`: it did not answer; `full`: it took no more bytes; `read-only`: by option, or because the credentials may not write. */
export type RemoteState = 'ok' | 'read-only' | 'full' | 'down';

/** How the remote cache was used. What could not be used is a miss, and one of the three kinds below where it could not be read. */
export interface RemoteSummary {
  state: RemoteState;
  requests: number;
  /** Records, packs of results and blobs that were asked for: those that were used, and those that were not there. */
  hits: number;
  misses: number;
  bytesIn: number;
  bytesOut: number;
  /** Requests that came to nothing although they were repeated. */
  failures: number;
  /** Objects that held something else than their names say. */
  damaged: number;
  /** Records that nobody signed whose key is accepted. */
  untrusted: number;
}

export type Emit = (event: BuildEvent) => void;
