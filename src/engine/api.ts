import type { BuildEstimate, BuildSummary, Emit, TargetEstimate } from '../base/events.ts';
import type { Pausing } from '../execute/pausing.ts';
import type { Change } from '../plan/explain.ts';
import type { DiffItem, DiffRequest, RunOutputs } from './diff/items.ts';
import type { TraceItem } from './trace/items.ts';
import type { Tell, VerifyItem, VerifyOptions, VerifySummary } from './verify/items.ts';

/** How a project is opened: from its config, or from a config made in memory (one-shot `run`). */
export interface OpenOptions {
  readonly cwd: string;
  /** Config file; else `datasets.config.*` is looked for from `cwd` upward. */
  readonly configFile?: string;
  /** Values of `param()`, from `--set name=value`. */
  readonly params: Readonly<Record<string, string>>;
  readonly env: NodeJS.ProcessEnv;
  readonly emit: Emit;
  readonly signal: AbortSignal;
}

export interface BuildOptions {
  /** Names or patterns of targets; all when empty. */
  readonly targets: readonly string[];
  /** Groups, such as `code/*`; what gathers over groups is then left alone. */
  readonly only?: string;
  readonly tags?: readonly string[];
  readonly jobs?: number;
  /** Plan only. */
  readonly dryRun?: boolean;
  readonly keepGoing?: boolean;
  /** Run though fresh. */
  readonly force?: boolean;
  /** Replace published files that someone edited. */
  readonly overwrite?: boolean;
  /** Fail if dsbuild.lock would change. */
  readonly locked?: boolean;
  /** Use no network; the remote cache neither. */
  readonly offline?: boolean;
  /** False: leave the remote cache alone, though there is one. */
  readonly remote?: boolean;
  /** Fail when the remote cache is not there, or did not do all that was asked of it. */
  readonly requireRemote?: boolean;
  /** Reread local files whatever their identity says. */
  readonly paranoid?: boolean;
  readonly publish?: boolean;
  /**
   * Aborted when what is being built is no longer wanted, because something changed: nothing new is started, running steps end and are
   * kept, and the build ends without calling anything failed.
   */
  readonly superseded?: AbortSignal;
  /** Lets somebody hold the build: nothing new is started while they do. */
  readonly pausing?: Pausing;
  /** Documents per group, built apart from the real outputs in `.dsbuild/sample`. */
  readonly sample?: number;
}

/** Whether a command that only reads may fetch what is not on this machine. */
export type RemoteUse = Pick<BuildOptions, 'remote' | 'offline'>;

/** What a dry run, `status` and `--check` say of one target. */
export interface TargetStatus {
  readonly target: string;
  readonly rule: string;
  readonly where: string;
  /** `unknown`: it depends on results that are not known yet; `failed`: it can not be planned; `blocked`: what it needs can not. */
  readonly state: 'fresh' | 'stale' | 'unknown' | 'never-built' | 'failed' | 'blocked';
  readonly why: readonly string[];
  /** Steps that would run and whose results are known, as far as can be told. */
  readonly steps: { readonly toRun: number; readonly hit: number; readonly exact: boolean };
  /** What they will come to, of a target that is not fresh, as soon as runs are on record. */
  readonly estimate?: TargetEstimate;
  readonly parts?: number;
  readonly documents?: number;
  readonly tokens?: number;
  readonly bytes?: number;
  readonly out?: string;
  /** Of a fresh target: published files that are missing or not as they were published, or that another build published. */
  readonly outProblems: readonly string[];
  /** For targets that read sources: what is there before anything is downloaded. */
  readonly sources: readonly SourceStatus[];
}

export interface SourceStatus {
  readonly group: string;
  readonly source: string;
  readonly state: 'there' | 'missing' | 'not-fetched' | 'fetched';
  readonly files?: number;
  readonly bytes?: number;
}

export interface StatusReport {
  readonly targets: readonly TargetStatus[];
  readonly stale: number;
  readonly diskFree: number;
  /** Of all targets together, with so many steps at once. */
  readonly estimate?: Omit<BuildEstimate, 'type' | 'targets'> & { readonly jobs: number };
}

export interface WhyReport {
  readonly target: string;
  readonly state: TargetStatus['state'];
  readonly changes: readonly Change[];
  /** The changes as sentences; for sources with file and lines. */
  readonly reasons: readonly string[];
  /** Of a fresh target: what is wrong in the folder that it publishes into, so that a build publishes there again. */
  readonly outProblems: readonly string[];
}

/** A document, a training row, or a file's line, as `head` shows it. */
export interface HeadRow {
  readonly group: string;
  /** `shards:17`, as `trace` takes it; absent of what is no row of a target, such as a bad record. */
  readonly place?: string;
  readonly row: Readonly<Record<string, unknown>>;
  /** Why a filter dropped the document; only of dropped ones, and only while what tells it is still there. */
  readonly reason?: string;
  /** Of a row of token ids, where it was asked for: the text of each id by itself. */
  readonly texts?: readonly string[];
  /** The same: its documents, and its padding. */
  readonly pieces?: readonly RowPiece[];
}

/** A stretch of a row of token ids. */
export interface RowPiece {
  readonly is: 'document' | 'padding';
  /** Its first token, and the one behind its last. */
  readonly from: number;
  readonly to: number;
  /** Whether it ends with the token that ends documents; absent where that token is not known. */
  readonly ends?: boolean;
  /** Of a document: its tokens as one text. */
  readonly text?: string;
}

/** Without `remote` nothing is fetched. */
export interface HeadOptions extends RemoteUse {
  readonly rows: number;
  /** Dropped documents with their reasons, or bad records. */
  readonly rejected: boolean;
  /** Rows from anywhere, each as likely as the others; equal seeds give equal rows. */
  readonly seed?: number;
  /** Whether ids are turned back into text. */
  readonly texts?: boolean;
}

export type { BuildSummary, DiffItem, DiffRequest, RunOutputs, Tell, TraceItem, VerifyItem, VerifyOptions, VerifySummary };
