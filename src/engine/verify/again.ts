import { rmSync } from 'node:fs';
import { digestHex } from '../../base/digest.ts';
import { BuildError } from '../../base/errors.ts';
import { byCodeUnit } from '../../base/names.ts';
import type { StepResult } from '../../cache/results.ts';
import type { Made } from '../../execute/job.ts';
import { inputParts, type StepRun, settledInputs } from '../../execute/step-run.ts';
import type { BuildRun } from '../build-run.ts';
import type { Project } from '../project.ts';
import { Rebuilder } from '../rebuilder.ts';
import { shownError } from '../shown.ts';
import { survey } from '../survey.ts';
import { inOrder } from './in-order.ts';
import type { Tell, VerifyFinding } from './items.ts';

/** A known step, and the target that asked for it. */
interface Known {
  readonly target: string;
  readonly step: StepRun;
}

export interface RunAgain {
  readonly targets: readonly string[];
  /** Of all steps, from 0 to 1. */
  readonly share: number;
}

/**
 * Runs a sample of the steps whose results are known once more and compares what they give. Nothing that they make is kept.
 * The sample follows from the steps' keys, so that it is the same until something changes; of each kind of step there is one at least.
 */
export function runAgain(project: Project, { targets, share }: RunAgain, tell: Tell): Promise<{ steps: number; of: number }> {
  return survey(project, { targets }, async (run) => {
    const known = await knownSteps(run);
    const sample = sampleOf(known, share);
    const rebuilder = new Rebuilder(run);
    let done = 0;
    await inOrder(sample, {
      lanes: run.runner.jobs,
      signal: project.signal,
      work: (one) => compared(one, run, rebuilder),
      told: (finding) => {
        if (finding) tell(finding);
        tell({ type: 'progress', doing: 'running steps again', done: ++done, total: sample.length, unit: 'steps' });
      },
    });
    return { steps: sample.length, of: known.length };
  });
}

/** Steps that can be compared: their results are known and their inputs are here. What reaches outside is data, and is not asked for again. */
async function knownSteps(run: BuildRun): Promise<Known[]> {
  const known: Known[] = [];
  const rebuilder = new Rebuilder(run);
  for (const build of run.targets.values()) {
    if (build.state === 'failed') continue;
    const plan = build.state === 'kept' ? await build.replay() : build.plan;
    for (const step of plan?.steps ?? []) {
      const isComparable = step.result !== undefined && step.key !== undefined && !step.definition.external;
      if (isComparable && hasInputs(step, rebuilder)) known.push({ target: build.target.name, step });
    }
  }
  return known;
}

/** Whether all bytes that a step reads are on this machine. */
function hasInputs(step: StepRun, rebuilder: Rebuilder): boolean {
  try {
    return [...inputParts(settledInputs(step.inputs))].every((part) => rebuilder.locate(part) !== undefined);
  } catch (error) {
    // A view that is damaged does not say what it selects from.
    if (error instanceof BuildError && error.code === 'part-mismatch') return false;
    throw error;
  }
}

function sampleOf(known: readonly Known[], share: number): Known[] {
  const kinds = new Map<string, Known[]>();
  for (const one of known) {
    const kind = `${one.target}\0${one.step.name}`;
    kinds.set(kind, [...(kinds.get(kind) ?? []), one]);
  }
  const orderOf = ({ step }: Known): string => digestHex(`verify ${step.key}`);
  return [...kinds.values()].flatMap((steps) =>
    [...steps].sort((a, b) => byCodeUnit(orderOf(a), orderOf(b))).slice(0, Math.max(1, Math.ceil(steps.length * share))),
  );
}

async function compared({ target, step }: Known, { runner }: BuildRun, rebuilder: Rebuilder): Promise<VerifyFinding | undefined> {
  const at = { type: 'finding', target, step: step.name } as const;
  try {
    const made = await runner.run(rebuilder.jobOf(step, 2), {});
    for (const { file } of made.parts) if (file) rmSync(file, { force: true });
    const difference = differenceOf(step.result as StepResult, made);
    if (difference === undefined) return undefined;
    const message = `step "${step.name}" gave something else than before for the same inputs: ${difference}`;
    return { ...at, code: 'not-deterministic', message, hint: pureHint };
  } catch (error) {
    const { message, hint } = shownError(error);
    return { ...at, code: 'not-run-again', message: `step "${step.name}" could not be run again: ${message}`, ...(hint && { hint }) };
  }
}

const pureHint =
  'A rule or program reads something that is not declared: the time, chance, a file, the network. Mend it, raise its version, and build.';

/** What differs, or undefined. */
function differenceOf(before: StepResult, now: Made): string | undefined {
  if (before.parts.length !== now.parts.length) return `${now.parts.length} parts instead of ${before.parts.length}`;
  for (const [i, part] of before.parts.entries()) {
    const again = now.parts[i];
    if (again?.output !== part.output || again.form !== part.form || again.name !== part.name) return `part ${i} is another one`;
    const which = part.output === 'main' ? `part ${i}` : `part ${i} (${part.output})`;
    if (again.digest !== part.digest) return `${which} is ${again.digest.slice(0, 12)} instead of ${part.digest.slice(0, 12)}`;
    if (sorted(again.facts) !== sorted(part.facts)) return `facts of ${which} are ${sorted(again.facts)} instead of ${sorted(part.facts)}`;
  }
  return sorted(now.counters) === sorted(before.counters)
    ? undefined
    : `counters are ${sorted(now.counters)} instead of ${sorted(before.counters)}`;
}

const sorted = (values: Readonly<Record<string, number>>): string =>
  Object.entries(values)
    .sort(([a], [b]) => byCodeUnit(a, b))
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
