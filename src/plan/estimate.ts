import type { BuildEstimate, TargetEstimate } from '../base/events.ts';
import { amountOf, costOf, type Load } from './cost.ts';
import { kindOf, type LastFigures, noAmount, type Rates, type Ways } from './rates.ts';
import { scheduleMs } from './schedule.ts';

/** Steps of one kind, as far as is known. */
export interface StepsNow {
  /** All that were asked for, known ones included, and what they read, where that is known. */
  readonly asked: number;
  readonly bytesAsked: number;
  /** Those that run; `unsized` of them wait for inputs that nobody knows yet, `bytesToRun` are read by the others. */
  readonly toRun: number;
  readonly bytesToRun: number;
  readonly unsized: number;
}

/** A target as it stands in a build or a dry run. */
export interface TargetNow {
  readonly name: string;
  readonly rule: string;
  readonly needs: readonly string[];
  /** `kept`: fresh; `planned`: all of its steps were asked for; `open`: more will follow. */
  readonly state: 'kept' | 'planned' | 'open';
  readonly steps: ReadonlyMap<string, StepsNow>;
  /** The main output of a kept target. */
  readonly kept?: { readonly bytes: number; readonly parts: number };
  /** Something else than its inputs is not what it was: none of its steps is known. */
  readonly isChanged: boolean;
  /** Steps that take over rows that they know from earlier. */
  readonly reusing: ReadonlySet<string>;
}

export interface EstimateContext {
  readonly rates: Rates;
  readonly jobs: number;
}

/** A target as those behind it see it. */
interface Expected {
  readonly estimate: TargetEstimate;
  /** Of its steps, those that run. */
  readonly share: number;
  readonly parts: number;
  /** Of its main output; undefined when nothing tells. */
  readonly bytes: number | undefined;
  /** Of what its steps read, what those read that run. */
  readonly bytesShare: number;
  readonly known: number;
  /** The longest chain of single steps from a source to its end. */
  readonly pathMs: number;
}

/** Targets in an order in which each follows what it needs. Exact where steps are known, and behind unknown ones as the last time, in proportion. */
export function estimate(targets: readonly TargetNow[], context: EstimateContext): BuildEstimate {
  const all = new Map<string, Expected>();
  for (const target of targets)
    all.set(target.name, expected(target, { ...context, upstream: target.needs.flatMap((need) => all.get(need) ?? []) }));
  const estimates = [...all.values()].map((one) => one.estimate);
  return {
    type: 'estimate',
    targets: Object.fromEntries([...all].map(([name, one]) => [name, one.estimate])),
    steps: sum(estimates, ({ steps }) => steps),
    bytesIn: sum(estimates, ({ bytesIn }) => bytesIn),
    bytesOut: sum(estimates, ({ bytesOut }) => bytesOut),
    tookMs: tookMsOf([...all.values()], context),
    isExact: estimates.every(({ isExact }) => isExact),
    isAtLeast: estimates.some(({ isAtLeast }) => isAtLeast),
  };
}

const sum = <T>(items: readonly T[], of: (item: T) => number): number => items.reduce((total, item) => total + of(item), 0);

function tookMsOf(all: readonly Expected[], { rates, jobs }: EstimateContext): number {
  const ran = sum(all, ({ estimate: { steps } }) => steps);
  if (ran === 0) return 0;
  const workMs = sum(all, ({ estimate: one }) => one.workMs);
  const pathMs = Math.max(...all.map((one) => one.pathMs));
  return (rates.overheadMs ?? 0) + scheduleMs({ workMs, pathMs, jobs, ran, known: sum(all, ({ known }) => known) });
}

interface Around extends EstimateContext {
  readonly upstream: readonly Expected[];
}

const pathBefore = ({ upstream }: Around): number => Math.max(0, ...upstream.map(({ pathMs }) => pathMs));

function expected(target: TargetNow, around: Around): Expected {
  const pathMs = pathBefore(around);
  if (target.kept) {
    const none = { steps: 0, bytesIn: 0, bytesOut: 0, tokens: 0, workMs: 0, isExact: true, isAtLeast: false };
    return { estimate: none, share: 0, bytesShare: 0, ...target.kept, known: 0, pathMs };
  }
  const { rates, jobs } = around;
  const last = lastOf(target, rates);
  const growth = last ? growthOf(target, last, around) : 1;
  const loads = loadsOf(target, { ...around, last, growth });
  const costs = [...loads].map(([step, load]) =>
    costOf(load, { ways: rates.kinds[kindOf(target.rule, step)], before: last?.steps[step], jobs }),
  );
  const asked = sum([...target.steps.values()], (step) => step.asked);
  const steps = sum(costs, (cost) => cost.steps);
  const all = target.state === 'planned' || !last ? asked : Math.max(asked, sum(Object.values(last.steps), (step) => step.steps) * growth);
  const unsized = sum([...target.steps.values()], (step) => step.unsized);
  return {
    estimate: {
      steps,
      bytesIn: sum(costs, ({ bytesIn }) => bytesIn),
      bytesOut: sum(costs, ({ bytesOut }) => bytesOut),
      // What one step makes the next one of the target reads.
      tokens: Math.max(0, ...costs.map(({ tokens }) => tokens)),
      workMs: sum(costs, ({ tookMs }) => tookMs),
      isExact: target.state === 'planned' && unsized === 0,
      isAtLeast: costs.some(({ isAtLeast }) => isAtLeast) || (target.state === 'open' && !last),
    },
    share: all === 0 ? 0 : Math.min(1, steps / all),
    bytesShare: shareOfBytes(target, { last, growth, bytesToRun: sum(costs, ({ bytesIn }) => bytesIn) }),
    parts: (last?.parts ?? asked) * growth,
    bytes: last && last.bytes * growth,
    known: all - Math.min(all, steps),
    pathMs: pathMs + sum(costs, ({ longestMs }) => longestMs),
  };
}

interface BytesRead {
  readonly last: LastFigures | undefined;
  readonly growth: number;
  readonly bytesToRun: number;
}

function shareOfBytes({ state, steps }: TargetNow, { last, growth, bytesToRun }: BytesRead): number {
  const asked = sum([...steps.values()], ({ bytesAsked }) => bytesAsked);
  const all = state === 'planned' || !last ? asked : Math.max(asked, sum(Object.values(last.steps), ({ bytesIn }) => bytesIn) * growth);
  return all === 0 ? 1 : Math.min(1, bytesToRun / all);
}

/** The target itself as it was, else any other of its rule: what one makes of its input the other will too, in proportion. */
const lastOf = ({ name, rule }: TargetNow, { targets }: Rates): LastFigures | undefined => {
  const own = targets[name];
  return own?.rule === rule ? own : Object.values(targets).find((other) => other.rule === rule);
};

/** How much more it reads than the last time. */
function growthOf({ state, steps, needs }: TargetNow, last: LastFigures, { upstream }: Around): number {
  const before = last.bytesIn;
  const reads = sum(upstream, ({ bytes = 0 }) => bytes);
  if (needs.length > 0) return before > 0 && upstream.every(({ bytes }) => bytes !== undefined) ? reads / before : 1;
  const now = sum([...steps.values()], ({ bytesAsked }) => bytesAsked);
  return state === 'planned' && before > 0 && now > 0 ? now / before : 1;
}

interface Behind extends Around {
  readonly last: LastFigures | undefined;
  readonly growth: number;
}

/** Steps that will run, by name. */
function loadsOf(target: TargetNow, behind: Behind): Map<string, Load> {
  const names = new Set([...target.steps.keys(), ...(target.state === 'open' ? Object.keys(behind.last?.steps ?? {}) : [])]);
  return new Map([...names].map((step) => [step, loadOf(target, step, behind)] as const).filter(([, { steps }]) => steps > 0));
}

const noSteps: StepsNow = { asked: 0, bytesAsked: 0, toRun: 0, bytesToRun: 0, unsized: 0 };

function loadOf(target: TargetNow, step: string, behind: Behind): Load {
  const { last, growth, rates } = behind;
  const now = target.steps.get(step) ?? noSteps;
  const before = last?.steps[step] ?? noAmount;
  const all = target.state === 'planned' ? now.asked : Math.max(now.asked, wholeSteps(before.steps * growth));
  const steps = target.state === 'planned' ? now.toRun : Math.max(now.toRun, staleOf(all, target, behind));
  const bytesOfOne =
    before.steps > 0
      ? bytesOfStale({ bytes: before.bytesIn * growth, all, steps }, target, behind)
      : averageOf(rates.kinds[kindOf(target.rule, step)]);
  const isReusing = target.reusing.has(step) && !target.isChanged;
  // What is more than the last time nobody knows.
  const fresh = Math.max(0, Math.round(before.steps * (growth - 1)));
  return {
    steps,
    bytesIn: now.bytesToRun + (steps - now.toRun + now.unsized) * bytesOfOne,
    reused: isReusing ? Math.max(0, steps - fresh) : 0,
  };
}

const wholeSteps = (steps: number): number => (steps === 0 ? 0 : Math.max(1, Math.round(steps)));

/** Of so many steps of a kind, those that read anything new: each reads as many parts as another, and any of them may be new. */
function staleOf(steps: number, { isChanged }: TargetNow, { upstream }: Behind): number {
  if (isChanged || steps === 0) return steps;
  const parts = sum(upstream, (one) => one.parts);
  const share = parts === 0 ? 0 : sum(upstream, (one) => one.parts * one.share) / parts;
  if (share === 0) return 0;
  const partsOfOne = Math.max(1, Math.round(parts / steps));
  return Math.max(1, Math.round(steps * (1 - (1 - share) ** partsOfOne)));
}

interface Stale {
  /** What all steps of a kind read, and how many they are. */
  readonly bytes: number;
  readonly all: number;
  readonly steps: number;
}

/** What one of the steps that run reads: where each reads one part, no more than is new of them all; else as much as any other. */
function bytesOfStale({ bytes, all, steps }: Stale, { isChanged }: TargetNow, { upstream }: Behind): number {
  const parts = sum(upstream, (one) => one.parts);
  const readsOnePart = !isChanged && steps > 0 && all > 0 && Math.round(parts / all) <= 1;
  const known = sum(upstream, (one) => one.bytes ?? 0);
  if (!readsOnePart || known === 0) return bytes / Math.max(1, all);
  return (bytes * sum(upstream, (one) => ((one.bytes ?? 0) / known) * one.bytesShare)) / steps;
}

function averageOf(ways: Ways | undefined): number {
  const { steps, bytesIn } = amountOf(ways);
  return steps === 0 ? 0 : bytesIn / steps;
}
