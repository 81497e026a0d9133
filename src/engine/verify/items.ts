import type { SourcePlace } from '../trace/items.ts';

export interface VerifyOptions {
  /** Names or patterns of targets; all when empty. What they need is looked at too. */
  readonly targets: readonly string[];
  /** Share of the known steps that are run again, from 0 to 1. */
  readonly rebuild?: number;
  /** Objects in buckets are listed and not read. */
  readonly quick?: boolean;
}

/** Something that is wrong. */
export interface VerifyFinding {
  readonly type: 'finding';
  /** `damaged-blob`, `missing-file`, `masked-row`, `not-deterministic` ... */
  readonly code: string;
  readonly message: string;
  readonly target: string;
  /** File below the project, or a place in the store. */
  readonly where?: string;
  /** Row of the file, counted from 0: the first of `count`. */
  readonly row?: number;
  readonly count?: number;
  /** Where that row comes from. */
  readonly source?: SourcePlace;
  readonly step?: string;
  readonly hint?: string;
}

export interface VerifySummary {
  readonly type: 'summary';
  readonly ok: boolean;
  /** Targets whose last results were looked at. */
  readonly targets: number;
  /** Blobs of the store and published files that were read. */
  readonly blobs: number;
  readonly files: number;
  readonly bytes: number;
  /** Rows that rules looked at. */
  readonly rows: number;
  /** Blobs that results name and that are not kept on this machine: they are made again when they are needed. */
  readonly absent: number;
  /** Steps that were run again, and steps that could have been. */
  readonly rebuilt?: { readonly steps: number; readonly of: number };
  readonly findings: number;
  readonly tookMs: number;
}

/** What `verify` tells while it goes; the summary comes last. `dsbuild verify --json` writes all but the progress, one a line. */
export type VerifyItem =
  | VerifyFinding
  | { readonly type: 'note'; readonly message: string; readonly target?: string }
  | { readonly type: 'progress'; readonly doing: string; readonly done: number; readonly total: number; readonly unit: 'bytes' | 'steps' }
  | VerifySummary;

export type Tell = (item: VerifyItem) => void;
