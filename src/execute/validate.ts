import { lstatSync } from 'node:fs';
import { BuildError } from '../base/errors.ts';
import type { StepDefinition } from '../rule/step.ts';
import type { Made, MadePart } from './job.ts';

/** Facts that parts of a form must have, because other steps and the ledger build on them. */
const factsNeeded: Readonly<Record<string, readonly string[]>> = {
  lines: ['records', 'u'],
  view: ['records', 'u'],
  tokens: ['records', 'tokens', 'u'],
};

function problemOf(part: MadePart, definition: StepDefinition): string | undefined {
  if (!definition.outputs.includes(part.output)) return `it made a part for "${part.output}", which is none of its outputs`;
  if (!/^[0-9a-f]{64}$/.test(part.digest)) return 'it gave a part without a digest';
  if (part.data && part.data.length !== part.bytes) return `a part of ${part.bytes} bytes came as ${part.data.length}`;
  if (part.file && lstatSync(part.file, { throwIfNoEntry: false })?.size !== part.bytes)
    return `the file of a part of ${part.bytes} bytes is not that long`;
  const missing = (factsNeeded[part.form] ?? []).find((fact) => !Object.hasOwn(part.facts, fact));
  if (missing) return `a part of form ${part.form} lacks the fact "${missing}"`;
  const odd = Object.entries(part.facts).find(([, value]) => !Number.isFinite(value));
  return odd && `the fact "${odd[0]}" is ${odd[1]}`;
}

/** Only outputs that hold what they must are ever stored. */
export function assertValid(made: Made, definition: StepDefinition): void {
  for (const part of made.parts) {
    const problem = problemOf(part, definition);
    if (problem) throw new BuildError('bad-output', { message: `step "${definition.name}" gave something unusable: ${problem}` });
  }
}
