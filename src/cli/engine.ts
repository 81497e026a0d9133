import type { TargetLook } from '../base/look.ts';
import type {
  BuildOptions,
  BuildSummary,
  DiffItem,
  DiffRequest,
  HeadOptions,
  HeadRow,
  OpenOptions,
  RemoteUse,
  StatusReport,
  Tell,
  TraceItem,
  VerifyOptions,
  VerifySummary,
  WhyReport,
} from '../engine/api.ts';
import type { DoctorReport } from '../engine/doctor.ts';
import type { DoctorRequest } from '../engine/doctor-check.ts';
import type { CacheStats } from '../engine/gc/cache-stats.ts';
import type { GcRequest } from '../engine/gc/collect.ts';
import type { RemoteGc, RemoteGcTold } from '../engine/gc/remote-gc.ts';
import type { GcReport } from '../engine/gc/report.ts';
import type { InitRequest, InitResult } from '../engine/init/init.ts';
import type { openInline, Project } from '../engine/project.ts';
import type { Moved, RemoteHoldings } from '../engine/remote-commands.ts';
import type { CountingHooks, NoDistributions } from '../engine/statistics/distributions.ts';
import type { Distributions } from '../engine/statistics/shape.ts';
import type { TargetStats } from '../engine/stats.ts';
import type { WatchedFiles } from '../engine/watched.ts';
import type { Runner } from '../execute/runner.ts';
import type { WarmRunner } from '../execute/warm-runner.ts';

/** What commands ask of the engine. Each function loads its part of it when it is called, so that starting costs little. */
export interface Engine {
  openProject(options: OpenOptions): Promise<Project>;
  openInline(options: Parameters<typeof openInline>[0]): Promise<Project>;
  /** The module that configs import. */
  loadFace(): Promise<Readonly<Record<string, unknown>>>;
  /** @param runner Workers that are there already; without it the build starts its own. */
  build(project: Project, options: BuildOptions, runner?: Runner): Promise<BuildSummary>;
  /** Workers for one build after the other. */
  warmRunner(project: Project, options: BuildOptions): Promise<WarmRunner>;
  /** What a change of can change a build. */
  watchedFiles(project: Project, options: BuildOptions): Promise<WatchedFiles>;
  status(project: Project, options: BuildOptions): Promise<StatusReport>;
  why(project: Project, target: string): Promise<WhyReport>;
  head(project: Project, target: string, options: HeadOptions): AsyncIterable<HeadRow>;
  trace(project: Project, place: string, how: { cwd: string; use: RemoteUse }): AsyncIterable<TraceItem>;
  stats(project: Project, target: string, use: RemoteUse): Promise<TargetStats>;
  /** Lengths and token ids of what a target holds. */
  distributions(project: Project, target: string, hooks: CountingHooks): Promise<Distributions | NoDistributions | undefined>;
  verify(project: Project, options: VerifyOptions, tell: Tell): Promise<VerifySummary>;
  /** One target as a view shows it. */
  look(project: Project, target: string): Promise<TargetLook>;
  diff(project: Project, request: DiffRequest): AsyncIterable<DiffItem>;
  update(project: Project, targets: readonly string[]): Promise<{ changed: readonly string[] }>;
  clean(project: Project, options: { dryRun: boolean; all: boolean }): Promise<{ removed: readonly string[]; bytes: number }>;
  pushCache(project: Project, targets: readonly string[]): Promise<Moved>;
  pullCache(project: Project, targets: readonly string[]): Promise<Moved>;
  /** @throws {BuildError} `no-remote`, `remote-failed` */
  remoteUsage(project: Project): Promise<NonNullable<RemoteHoldings['scopes']>>;
  listRemote(project: Project, targets: readonly string[]): Promise<RemoteHoldings>;
  /** @returns the public key. */
  newSigningKey(path: string): Promise<string>;
  collectGarbage(project: Project, request: GcRequest): Promise<GcReport>;
  collectRemote(project: Project, request: RemoteGc): Promise<RemoteGcTold>;
  cacheStats(project: Project): Promise<CacheStats>;
  doctor(request: DoctorRequest): Promise<DoctorReport>;
  init(request: InitRequest): Promise<InitResult>;
}

/** Not one import inside another: tsc then leaves the extensions of all imports that follow as they are. */
async function loadFace(): Promise<Readonly<Record<string, unknown>>> {
  const { faceUrl } = await import('../engine/project.ts');
  return (await import(faceUrl)) as Record<string, unknown>;
}

export const engine: Engine = {
  openProject: async (options) => (await import('../engine/project.ts')).openProject(options),
  openInline: async (options) => (await import('../engine/project.ts')).openInline(options),
  loadFace,
  build: async (project, options, runner) => (await import('../engine/build.ts')).build(project, options, runner && (() => runner)),
  warmRunner: async (project, options) => (await import('../engine/warm-workers.ts')).warmWorkers(project, options),
  watchedFiles: async (project, options) => (await import('../engine/watched.ts')).watchedFiles(project, options),
  status: async (project, options) => (await import('../engine/status.ts')).status(project, options),
  why: async (project, target) => (await import('../engine/why.ts')).why(project, target),
  async *head(project, target, options) {
    yield* (await import('../engine/head.ts')).head(project, target, options);
  },
  async *trace(project, place, how) {
    yield* (await import('../engine/trace/trace.ts')).trace(project, place, how);
  },
  stats: async (project, target, use) => (await import('../engine/stats.ts')).stats(project, target, use),
  distributions: async (project, target, hooks) =>
    (await import('../engine/statistics/distributions.ts')).distributions(project, target, hooks),
  verify: async (project, options, tell) => (await import('../engine/verify/verify.ts')).verify(project, options, tell),
  look: async (project, target) => (await import('../engine/look.ts')).look(project, target),
  async *diff(project, request) {
    yield* (await import('../engine/diff/diff.ts')).diff(project, request);
  },
  update: async (project, targets) => (await import('../engine/update.ts')).update(project, targets),
  clean: async (project, options) => (await import('../engine/clean.ts')).clean(project, options),
  pushCache: async (project, targets) => (await import('../engine/remote-commands.ts')).pushCache(project, targets),
  pullCache: async (project, targets) => (await import('../engine/remote-commands.ts')).pullCache(project, targets),
  remoteUsage: async (project) => (await import('../engine/remote-commands.ts')).remoteUsage(project),
  listRemote: async (project, targets) => (await import('../engine/remote-commands.ts')).listRemote(project, targets),
  newSigningKey: async (path) => (await import('../engine/remote-commands.ts')).newSigningKey(path),
  collectGarbage: async (project, request) => (await import('../engine/gc/collect.ts')).collectGarbage(project, request),
  collectRemote: async (project, request) => (await import('../engine/gc/remote-gc.ts')).collectRemote(project, request),
  cacheStats: async (project) => (await import('../engine/gc/cache-stats.ts')).cacheStats(project),
  doctor: async (request) => (await import('../engine/doctor.ts')).doctor(request),
  init: async (request) => (await import('../engine/init/init.ts')).init(request),
};
