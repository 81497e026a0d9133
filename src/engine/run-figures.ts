import { type Amount, kindOf, type LastFigures, learn, noAmount, plus, type Ways } from '../plan/rates.ts';
import { scheduleMs } from '../plan/schedule.ts';
import type { BuildRun } from './build-run.ts';
import { readRates, writeRates } from './rates-file.ts';
import type { TargetBuild } from './target-build.ts';

/** Takes what a build showed into what is on record. @param runs its passes, the last of which is the one that counts. */
export function learnFrom(runs: readonly BuildRun[], { ok, tookMs }: { ok: boolean; tookMs: number }): { bytesWritten: number } {
  const last = runs.at(-1) as BuildRun;
  const { stateDir } = last.project;
  const rates = readRates(stateDir);
  const kinds = kindsOf(runs);
  const ran = [...kinds.values()].map(sumOf).reduce(plus, noAmount);
  const isWhole = ok && runs.length === 1;
  writeRates(
    stateDir,
    learn(rates, { kinds, targets: figuresOf(last, rates.targets), ...(isWhole && { overheadMs: overheadOf(last, tookMs) }) }),
  );
  return { bytesWritten: ran.bytesOut };
}

const sumOf = (ways: Ways): Amount => Object.values(ways).reduce(plus, noAmount);

function kindsOf(runs: readonly BuildRun[]): Map<string, Ways> {
  const kinds = new Map<string, Ways>();
  for (const run of runs) {
    for (const { target, plan } of run.targets.values()) {
      if (!plan) continue;
      for (const [step, ways] of run.tally(plan).ways) {
        const kind = kindOf(target.rule.name, step);
        kinds.set(kind, merged(kinds.get(kind), ways));
      }
    }
  }
  return kinds;
}

const merged = (a: Ways = {}, b: Ways): Ways =>
  Object.fromEntries(
    [...Object.keys(a), ...Object.keys(b)].map((way) => [way, plus(a[way as keyof Ways] ?? noAmount, b[way as keyof Ways] ?? noAmount)]),
  );

/** Targets that were built. A sample or some groups only tell of a target that was never built as a whole. */
function figuresOf(run: BuildRun, known: Readonly<Record<string, LastFigures>>): Record<string, LastFigures> {
  const { sample, only } = run.options;
  const isPart = sample !== undefined || only !== undefined;
  const built = [...run.targets.values()].filter(
    ({ state, target }) => state === 'built' && !(isPart && Object.hasOwn(known, target.name)),
  );
  return Object.fromEntries(built.map((build) => [build.target.name, lastFigures(build, run)]));
}

function lastFigures({ target, plan, result }: TargetBuild, run: BuildRun): LastFigures {
  const steps = plan ? Object.fromEntries(run.tally(plan).asked) : {};
  const main = result && Object.values(result.outputs)[0];
  const read = [...new Set(target.inputs.map(({ from }) => from))].map((from) => run.targets.get(from)?.result);
  const bytesRead = read.reduce((sum, upstream) => sum + (Object.values(upstream?.outputs ?? {})[0]?.bytes ?? 0), 0);
  const ownBytes = Object.values(steps).reduce((sum, { bytesIn }) => sum + bytesIn, 0);
  return {
    rule: target.rule.name,
    bytesIn: read.length > 0 ? bytesRead : ownBytes,
    parts: main?.parts ?? 0,
    bytes: main?.bytes ?? 0,
    steps,
  };
}

/** What the build took besides its steps and the scan of its sources. */
function overheadOf(run: BuildRun, tookMs: number): number {
  const builds = [...run.targets.values()];
  const paths = new Map<unknown, number>();
  let [workMs, ran, known] = [0, 0, 0];
  for (const { target, plan } of builds) {
    const before = Math.max(0, ...target.inputs.map(({ from }) => paths.get(from) ?? 0));
    const tally = plan && run.tally(plan);
    const longest = [...(tally?.ways.values() ?? [])].map(({ first, ...others }) => longestOf(first ?? sumOf(others)));
    paths.set(target, before + longest.reduce((sum, ms) => sum + ms, 0));
    workMs += tally?.ranMs ?? 0;
    ran += tally?.ends.ran ?? 0;
    known += tally?.ends.hit ?? 0;
  }
  const pathMs = Math.max(0, ...paths.values());
  return Math.max(0, tookMs - run.scanMs - scheduleMs({ workMs, pathMs, jobs: run.runner.jobs, ran, known }));
}

const longestOf = ({ tookMs, steps }: Amount): number => (steps === 0 ? 0 : tookMs / steps);
