/** Runs one step of a rule by itself, with and without what it made earlier of other versions of its input. */
import * as assert from 'uvu/assert';
import type { Made } from '../../src/execute/job.ts';
import { runJob } from '../../src/execute/run-job.ts';
import { assertValid } from '../../src/execute/validate.ts';
import type { Part } from '../../src/rule/part.ts';
import type { Rule } from '../../src/rule/rule.ts';
import type { EarlierRun, StepDefinition, StepInputs } from '../../src/rule/step.ts';
import { locationsOf, stepTmpDir, take } from './harness.ts';

export interface StepUse {
  readonly rule: { readonly rule: Rule };
  readonly step: string;
  readonly params: unknown;
}

let jobs = 0;

/** Of earlier outputs some may be gone. */
function found(parts: readonly Part[]): ReturnType<typeof locationsOf> {
  try {
    return locationsOf(parts);
  } catch {
    return parts.length > 1 ? Object.assign({}, ...parts.map((part) => found([part]))) : {};
  }
}

/** Runs the step once. Its outputs lie in the store of the test. */
export async function runStep(
  { rule: { rule }, step, params }: StepUse,
  inputs: StepInputs,
  earlier: readonly EarlierRun[] = [],
): Promise<Made> {
  // As on the way to a worker: what is no plain data does not arrive.
  const job = structuredClone({
    id: ++jobs,
    module: '',
    rule: rule.name,
    step,
    inputs,
    params,
    earlier,
    locations: { ...found(earlier.flatMap((run) => Object.values(run).flat())), ...locationsOf(Object.values(inputs).flat()) },
    bundles: {},
    secrets: {},
    tmpDir: stepTmpDir,
    chunkBytes: 1 << 20,
    recordMsMax: 60_000,
  });
  const made = await runJob(job, { signal: new AbortController().signal, progress() {} });
  assertValid(made, rule.steps.find(({ name }) => name === step) as unknown as StepDefinition);
  take(made);
  return made;
}

/** What a run made, as a later run is given it. */
export function asEarlier({ parts }: Made): Record<string, Part[]> {
  const run: Record<string, Part[]> = {};
  for (const { output, data: _data, file: _file, ...part } of parts) run[output] = [...(run[output] ?? []), { ...part, group: '' }];
  return run;
}

/** All that a result is made of: equal for a clean run and one that knew rows from earlier. */
const resultOf = ({ parts, counters, quarantined }: Made): unknown => ({
  parts: parts.map(({ data: _data, file: _file, ...part }) => part),
  counters: Object.fromEntries(Object.entries(counters).sort()),
  quarantined,
});

/** Asserts that a run with `earlier` gives what a clean one gives, and returns the former. */
export async function assertSame(use: StepUse, inputs: StepInputs, earlier: readonly EarlierRun[]): Promise<Made> {
  const made = await runStep(use, inputs, earlier);
  assert.equal(resultOf(made), resultOf(await runStep(use, inputs)));
  return made;
}
