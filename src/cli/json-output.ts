import type { BuildEvent, BuildSummary, ShownError } from '../base/events.ts';
import type { DiffItem, HeadRow, StatusReport, TraceItem, VerifyItem, WhyReport } from '../engine/api.ts';
import type { DoctorReport } from '../engine/doctor.ts';
import type { CacheStats } from '../engine/gc/cache-stats.ts';
import type { RemoteGcTold } from '../engine/gc/remote-gc.ts';
import type { GcReport } from '../engine/gc/report.ts';
import type { InitResult } from '../engine/init/init.ts';
import type { Moved, RemoteHoldings } from '../engine/remote-commands.ts';
import type { TraceEvent } from '../report/profile.ts';
import type { RecordedEvent, RunRecord } from '../report/recorded.ts';
import type { Timing } from '../report/timing.ts';
import type { GraphJson } from './show-graph.ts';
import type { StatsRecord } from './stats.ts';

/** Instead of the rest, when a command fails; `bug` is dsbuild's own, with a stack. */
interface ErrorLine extends ShownError {
  readonly type: 'error';
  readonly stack?: string;
}

/** The last line of a build: what it came to, and where the time went. */
interface SummaryLine extends BuildSummary {
  readonly timing: Timing;
}

/** A build as it happens, a line for each event; with `-n` and `--check` one report. */
type BuildLine = Exclude<BuildEvent, BuildSummary> | SummaryLine;

/** What each command writes with `--json`: one object a line. The schemas in `schemas/` are made of these types (`npm run schemas`). */
export interface JsonOutput {
  readonly build: BuildLine | StatusReport | ErrorLine;
  readonly watch: BuildLine | ErrorLine;
  /** Without a rule: which there are. */
  readonly run: BuildLine | { readonly rules: readonly { readonly rule: string; readonly doc: string }[] } | ErrorLine;
  readonly status: StatusReport | ErrorLine;
  readonly why: WhyReport | ErrorLine;
  readonly graph: GraphJson | ErrorLine;
  readonly head: HeadRow | ErrorLine;
  readonly trace: TraceItem | ErrorLine;
  readonly stats: StatsRecord | ErrorLine;
  readonly verify: VerifyItem | ErrorLine;
  readonly diff: DiffItem | ErrorLine;
  /** Events with their times; with `--runs` what is on record. */
  readonly logs: RecordedEvent | RunRecord | ErrorLine;
  /** With `-o` where it was written; else one trace for Perfetto. */
  readonly profile:
    | { readonly output: string }
    | { readonly displayTimeUnit: 'ms'; readonly traceEvents: readonly TraceEvent[] }
    | ErrorLine;
  readonly update: { readonly changed: readonly string[] } | ErrorLine;
  readonly clean: { readonly removed: readonly string[]; readonly bytes: number } | ErrorLine;
  /** Without the name of one of its commands it can only fail. */
  readonly cache: ErrorLine;
  readonly 'cache stats': (CacheStats & { readonly remote?: RemoteHoldings['scopes'] }) | ErrorLine;
  readonly 'cache gc': GcReport | RemoteGcTold | ErrorLine;
  readonly 'cache ls': RemoteHoldings | ErrorLine;
  readonly 'cache push': Moved | ErrorLine;
  readonly 'cache pull': Moved | ErrorLine;
  readonly 'cache keygen': { readonly publicKey: string; readonly file: string } | ErrorLine;
  readonly init: InitResult | ErrorLine;
  readonly doctor: DoctorReport | ErrorLine;
}
