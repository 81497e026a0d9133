/** Which steps a build would have to run: those whose key no earlier plan has seen. */

import { settledInputs } from '../../src/execute/step-run.ts';
import { keyOf, stepHead, stepKey } from '../../src/plan/manifest.ts';
import type { Part } from '../../src/rule/part.ts';
import type { Build, Rule, Running } from '../../src/rule/rule.ts';
import type { StepDefinition, StepInputs } from '../../src/rule/step.ts';
import { type GivenInputs, type Planned, planRule } from './harness.ts';

const settings = { chunkBytes: 1 << 20, packTokens: 0 };

interface Asked {
  readonly definition: StepDefinition;
  readonly inputs: StepInputs;
  readonly params: unknown;
  readonly running: Running;
}

const shown = ({ digest, form, bytes, facts, name }: Part): unknown => ({ digest, form, bytes, facts, name });

/** Remembers what every key gave, as the cache of a build does. */
export class StepMemory {
  readonly #results = new Map<string, string>();

  /**
   * Plans and runs a rule.
   *
   * @returns what came out, and the names of the steps whose keys are new.
   * @throws when a key that was seen before gives anything else this time: from a cache the old result would have come.
   */
  async plan(
    { rule }: { readonly rule: Rule },
    inputs: GivenInputs,
    options: Readonly<Record<string, unknown>>,
  ): Promise<Planned & { readonly ran: readonly string[] }> {
    const asked: Asked[] = [];
    const planned = await planRule({ rule: recording(rule, asked) }, inputs, options);
    const ran: string[] = [];
    for (const step of asked) if (await this.#isNew(rule, step)) ran.push(step.definition.name);
    return { ...planned, ran };
  }

  async #isNew(rule: Rule, { definition, inputs, params, running }: Asked): Promise<boolean> {
    const head = keyOf(stepHead({ rule, definition, params, settings }));
    const key = stepKey(head, settledInputs(inputs));
    const { parts, counters } = await running;
    const result = JSON.stringify([Object.values(parts).flat().map(shown), counters]);
    const known = this.#results.get(key);
    if (known !== undefined && known !== result) throw new Error(`${definition.name}: one key, but first ${known}, then ${result}`);
    this.#results.set(key, result);
    return known === undefined;
  }
}

function recording(rule: Rule, asked: Asked[]): Rule {
  const plan = rule.plan as (inputs: unknown, options: unknown, build: Build) => Promise<void>;
  const record = (build: Build): Build => ({
    step: (definition, inputs, params) => {
      const running = build.step(definition, inputs, params);
      asked.push({ definition: definition as unknown as StepDefinition, inputs, params, running });
      return running;
    },
    emit: (item, placed) => build.emit(item, placed),
    fail: (code, details) => build.fail(code, details),
  });
  return { ...rule, plan: ((inputs: unknown, options: unknown, build: Build) => plan(inputs, options, record(build))) as Rule['plan'] };
}
