import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { isRemote, publicAddress } from '../base/address.ts';
import type { BuildEstimate, TargetEstimate } from '../base/events.ts';
import { freeBytes } from '../base/files.ts';
import type { GraphTarget } from '../graph/graph.ts';
import { listSource } from '../source/list.ts';
import { isObjectPattern } from '../source/object-pattern.ts';
import type { BuildOptions, SourceStatus, StatusReport, TargetStatus } from './api.ts';
import type { BuildRun } from './build-run.ts';
import { type DeclaredSource, declaredSources } from './declared-sources.ts';
import { estimateOf } from './estimating.ts';
import { readLastPlan } from './last-plan.ts';
import { outProblemsOf } from './out-problems.ts';
import type { Project } from './project.ts';
import { outOf } from './publishing.ts';
import { survey } from './survey.ts';
import type { TargetBuild } from './target-build.ts';
import { unbuiltBecause } from './target-end.ts';

/** Says what a build would do, without doing it: exact where keys are known, else as far as can be told. */
export function status(project: Project, options: BuildOptions): Promise<StatusReport> {
  return survey(project, options, async (run) => {
    const estimated = estimateOf(run);
    const outProblems = await outProblemsOf(run);
    const targets = [...run.targets.values()].map((build) =>
      statusOf(build, run, { estimate: estimated?.targets[build.target.name], outProblems: outProblems.get(build.target) ?? [] }),
    );
    const stale = targets.filter(({ state, outProblems }) => state !== 'fresh' || outProblems.length > 0).length;
    return {
      targets,
      stale,
      diskFree: freeBytes(project.root),
      ...(estimated && { estimate: { ...totalOf(estimated), jobs: run.runner.jobs } }),
    };
  });
}

const totalOf = ({ type: _, targets: __, ...total }: BuildEstimate): Omit<BuildEstimate, 'type' | 'targets'> => total;

export function stateOf(build: TargetBuild, run: BuildRun): TargetStatus['state'] {
  if (build.state === 'failed') return build.end?.how === 'blocked' ? 'blocked' : 'failed';
  if (build.state === 'kept') return 'fresh';
  if (!readLastPlan(run.project.stateDir, build.target.name)) return 'never-built';
  return build.isExact ? 'stale' : 'unknown';
}

interface Beside {
  readonly estimate: TargetEstimate | undefined;
  readonly outProblems: readonly string[];
}

function statusOf(build: TargetBuild, run: BuildRun, { estimate, outProblems }: Beside): TargetStatus {
  const { target, result } = build;
  const ends = build.plan && run.tally(build.plan).ends;
  const out = outOf(target, run);
  const state = stateOf(build, run);
  const main = result && Object.values(result.outputs)[0];
  return {
    target: target.name,
    rule: target.rule.name,
    where: target.where,
    state,
    why: build.state === 'failed' ? [unbuiltBecause(build)] : build.why,
    // Where a plan could not be looked at to its end, the last time tells more.
    steps: {
      toRun: build.isExact ? (ends?.unknown ?? 0) : Math.max(ends?.unknown ?? 0, estimate?.steps ?? 0),
      hit: ends?.hit ?? 0,
      exact: build.isExact,
    },
    ...(estimate && state !== 'fresh' && { estimate }),
    ...(main && { parts: main.parts, documents: main.records, tokens: main.tokens }),
    ...(main && !main.selects && { bytes: main.bytes }),
    ...(out !== undefined && { out }),
    outProblems,
    sources: sourcesOf(target, run),
  };
}

/** What is there of the sources that a target declares, before anything is fetched. */
function sourcesOf(target: GraphTarget, run: BuildRun): SourceStatus[] {
  return declaredSources(target).map((source) => sourceStatus(source, target, run));
}

function sourceStatus({ group, pattern }: DeclaredSource, { base }: GraphTarget, run: BuildRun): SourceStatus {
  if (isRemote(pattern)) return { group, source: publicAddress(pattern), ...remoteStatus(publicAddress(pattern), run) };
  const { paths } = listSource({ group, patterns: [pattern], base });
  const bytes = paths.reduce((sum, path) => sum + (statSync(resolve(base, path), { throwIfNoEntry: false })?.size ?? 0), 0);
  return { group, source: pattern, state: paths.length > 0 ? 'there' : 'missing', files: paths.length, bytes };
}

function remoteStatus(address: string, run: BuildRun): Pick<SourceStatus, 'state' | 'files' | 'bytes'> {
  const isHere = (digest: string | undefined): boolean => digest !== undefined && run.locations.locate(digest) !== undefined;
  if (!isObjectPattern(address)) {
    const { blake3, bytes } = run.lock.get('source', address) ?? {};
    return { state: isHere(blake3) ? 'fetched' : 'not-fetched', ...(bytes && { bytes: Number(bytes) }) };
  }
  // Undefined where the bucket could not be asked: the target's own line says why.
  const listed = run.listings.get(address);
  if (!listed) return { state: 'not-fetched' };
  const { objects, bytes } = listed;
  return { state: listed.listing().objects.every(({ blake3 }) => isHere(blake3)) ? 'fetched' : 'not-fetched', files: objects, bytes };
}
