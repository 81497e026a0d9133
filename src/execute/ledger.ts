import { BuildError } from '../base/errors.ts';
import type { StepResult } from '../cache/results.ts';
import { type Facts, type Part, sumOf } from '../rule/part.ts';
import type { StepInputs } from '../rule/step.ts';
import { type Balance, balancesOf, countOf, type Figures, sumTerms } from './laws.ts';
import { inputParts } from './step-run.ts';

const documentForms = ['lines', 'view', 'tokens'];

/** The parts by which documents are counted: a step that reads documents and their tokens has each document twice, and the documents count. */
function countedParts(inputs: readonly Part[]): readonly Part[] {
  const documents = inputs.filter(({ form }) => form === 'lines' || form === 'view');
  return documents.length > 0 ? documents : inputs.filter(({ form }) => form === 'tokens');
}

export const sumByPrefix = (counters: Facts, prefix: string): number =>
  Object.entries(counters).reduce((sum, [name, count]) => (name.startsWith(prefix) ? sum + count : sum), 0);

/** A program that counts for itself may add and drop as it likes; what a step counts as read takes the place of what its inputs say. */
function documentsOf(inputs: readonly Part[], out: readonly Part[], counters: Facts): Figures['documents'] {
  if (Object.hasOwn(counters, 'documentsOut') || !out.every((part) => documentForms.includes(part.form))) return undefined;
  if (Object.hasOwn(counters, 'recordsIn')) return { in: countOf(counters, 'recordsIn'), out: sumOf(out, 'records'), blank: 0 };
  const documents = countedParts(inputs);
  if (!documents.some((part) => Object.hasOwn(part.facts, 'records'))) return undefined;
  return { in: sumOf(documents, 'records'), out: sumOf(out, 'records'), blank: countOf(counters, 'blank') };
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
  readonly rows: Figures['rows'];
  readonly counters: Facts;
}

/** The laws of a whole target, with its figures. */
export function targetBalances({ inputKinds, outputKind, documentsIn, documentsOut, ...figures }: TargetFigures): Balance[] {
  const readsDocuments = inputKinds.includes('documents') && inputKinds.every((kind) => ['documents', 'tokens'].includes(kind));
  const counts = readsDocuments && ['documents', 'tokens'].includes(outputKind) && !Object.hasOwn(figures.counters, 'documentsOut');
  return balancesOf({ ...figures, documents: counts ? { in: documentsIn, out: documentsOut, blank: 0 } : undefined });
}

/**
 * The same laws for a target as a whole: a plan that forgets to pass a part on, or passes one on twice, is found here, because the collections are
 * counted by the engine and not by the rule.
 */
export function assertTargetBalanced(target: TargetFigures): void {
  for (const balance of targetBalances(target)) assertEqual(target.name, balance);
}

function assertEqual(name: string, { law, left, right }: Balance): void {
  const [before, after] = [sumTerms(left), sumTerms(right)];
  if (before === after) return;
  throw new BuildError('ledger', {
    message: `the ledger of "${name}" does not balance: ${law}, but ${before} is not ${after}`,
    hint: 'This is a mistake in the rule: it loses or invents data. Nothing of it was stored.',
  });
}

interface CountedStep {
  readonly name: string;
  readonly firstOutput: string;
  readonly inputs: StepInputs;
  readonly params: unknown;
}

function rowsOf(out: readonly Part[], params: unknown): Figures['rows'] {
  const { maxSeqLength } = (params ?? {}) as { maxSeqLength?: unknown };
  return typeof maxSeqLength === 'number' ? { count: sumOf(out, 'rows'), tokens: maxSeqLength } : undefined;
}

/** Throws when a step's figures do not add up: such a result is never stored. The engine counts both sides; rules only give reasons. */
export function assertBalanced(step: CountedStep, { parts, counters }: StepResult): void {
  const inputs = [...inputParts(step.inputs)];
  const out = parts.filter((part) => part.output === step.firstOutput);
  const figures: Figures = {
    documents: documentsOf(inputs, out, counters),
    tokensIn: sumOf(inputs, 'tokens'),
    tokensOut: sumOf(out, 'tokens'),
    rows: rowsOf(out, step.params),
    counters,
  };
  for (const balance of balancesOf(figures)) assertEqual(`step ${step.name}`, balance);
}
