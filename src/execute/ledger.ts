import { BuildError } from '../base/errors.ts';
import type { StepResult } from '../cache/results.ts';
import { type Facts, type Part, sumOf } from '../rule/part.ts';
import type { StepInputs } from '../rule/step.ts';
import { inputParts } from './step-run.ts';

const documentForms = ['lines', 'view', 'tokens'];

/** The parts by which documents are counted: a step that reads documents and their tokens has each document twice, and the documents count. */
function countedParts(inputs: readonly Part[]): readonly Part[] {
  const documents = inputs.filter(({ form }) => form === 'lines' || form === 'view');
  return documents.length > 0 ? documents : inputs.filter(({ form }) => form === 'tokens');
}

export const sumByPrefix = (counters: Facts, prefix: string): number =>
  Object.entries(counters).reduce((sum, [name, count]) => (name.startsWith(prefix) ? sum + count : sum), 0);

const has = (counters: Facts, name: string): boolean => Object.hasOwn(counters, name);
const count = (counters: Facts, name: string): number => (has(counters, name) ? (counters[name] as number) : 0);

interface Balance {
  readonly law: string;
  readonly left: number;
  readonly right: number;
}

/** documents in = out + dropped + quarantined (+ blank lines). A program that counts for itself may add and drop as it likes. */
function documentBalance(inputs: readonly Part[], result: StepResult, firstOutput: string): Balance | undefined {
  const out = result.parts.filter((part) => part.output === firstOutput);
  const { counters } = result;
  const documents = countedParts(inputs);
  const counted = documents.some((part) => Object.hasOwn(part.facts, 'records'));
  if (has(counters, 'documentsOut') || !out.every((part) => documentForms.includes(part.form))) return undefined;
  if (!counted && !has(counters, 'recordsIn')) return undefined;
  const left = has(counters, 'recordsIn') ? count(counters, 'recordsIn') : sumOf(documents, 'records');
  const blank = has(counters, 'recordsIn') ? 0 : count(counters, 'blank');
  const right = sumOf(out, 'records') + sumByPrefix(counters, 'dropped:') + sumByPrefix(counters, 'quarantined:') + blank;
  return { law: 'documents in = out + dropped + quarantined', left, right };
}

/** tokens in + added = packed + truncated + dropped. */
function tokenBalance(inputs: readonly Part[], { counters }: StepResult): Balance | undefined {
  if (!has(counters, 'tokensPacked')) return undefined;
  const left = sumOf(inputs, 'tokens') + count(counters, 'tokensAdded');
  const right = count(counters, 'tokensPacked') + count(counters, 'tokensTruncated') + count(counters, 'tokensDropped');
  return { law: 'tokens in + added = packed + truncated + dropped', left, right };
}

/** Where texts become tokens: tokens of the texts + added = tokens out + dropped. Special tokens and what windows share are added. */
function encodeBalance(tokensOut: number, counters: Facts): Balance | undefined {
  if (!has(counters, 'tokensText')) return undefined;
  const left = count(counters, 'tokensText') + sumByPrefix(counters, 'tokensAdded:');
  return { law: 'tokens of the texts + added = tokens out + dropped', left, right: tokensOut + sumByPrefix(counters, 'tokensDropped:') };
}

/** What a whole target was given and gave, from the collections that are stored. */
export interface TargetFigures {
  readonly name: string;
  /** Kinds of its inputs and of its main output. */
  readonly inputKinds: readonly string[];
  readonly outputKind: string;
  readonly documentsIn: number;
  readonly documentsOut: number;
  readonly tokensIn: number;
  readonly tokensOut: number;
  readonly counters: Facts;
}

/**
 * The same laws for a target as a whole: a plan that forgets to pass a part on, or passes one on twice, is found here, because the collections are
 * counted by the engine and not by the rule.
 */
export function assertTargetBalanced(target: TargetFigures): void {
  const { counters, inputKinds, outputKind, name } = target;
  const readsDocuments = inputKinds.includes('documents') && inputKinds.every((kind) => ['documents', 'tokens'].includes(kind));
  if (readsDocuments && ['documents', 'tokens'].includes(outputKind) && !has(counters, 'documentsOut')) {
    const right = target.documentsOut + sumByPrefix(counters, 'dropped:') + sumByPrefix(counters, 'quarantined:');
    assertEqual(name, { law: 'documents in = out + dropped + quarantined', left: target.documentsIn, right });
  }
  const encoded = encodeBalance(target.tokensOut, counters);
  if (encoded) assertEqual(name, encoded);
  if (has(counters, 'tokensPacked')) {
    const left = target.tokensIn + count(counters, 'tokensAdded');
    const right = count(counters, 'tokensPacked') + count(counters, 'tokensTruncated') + count(counters, 'tokensDropped');
    assertEqual(name, { law: 'tokens in + added = packed + truncated + dropped', left, right });
  }
}

function assertEqual(name: string, { law, left, right }: Balance): void {
  if (left === right) return;
  throw new BuildError('ledger', {
    message: `the ledger of "${name}" does not balance: ${law}, but ${left} is not ${right}`,
    hint: 'This is a mistake in the rule: it loses or invents data. Nothing of it was stored.',
  });
}

/** Throws when a step's figures do not add up: such a result is never stored. The engine counts both sides; rules only give reasons. */
export function assertBalanced(step: { name: string; firstOutput: string; inputs: StepInputs }, result: StepResult): void {
  const inputs = [...inputParts(step.inputs)];
  const out = result.parts.filter((part) => part.output === step.firstOutput);
  for (const balance of [
    documentBalance(inputs, result, step.firstOutput),
    encodeBalance(sumOf(out, 'tokens'), result.counters),
    tokenBalance(inputs, result),
  ]) {
    if (balance) assertEqual(`step ${step.name}`, balance);
  }
}
