import type { Digest } from '../base/digest.ts';
import type { CollectionResult, TargetResult } from '../cache/results.ts';
import type { Store } from '../cache/store.ts';
import { assertTargetBalanced, sumByPrefix, type TargetFigures } from '../execute/ledger.ts';
import { outputNames, type PlanRun } from '../execute/plan-run.ts';
import type { GraphTarget } from '../graph/graph.ts';
import { encodeCollection } from '../rule/collection.ts';
import { type Facts, type Kind, type Part, sumOf } from '../rule/part.ts';
import type { InputSpec } from '../rule/rule.ts';
import { type RecordedPlan, recordLineage } from './lineage-record.ts';
import type { Tally } from './tally.ts';

interface Finished extends Omit<RecordedPlan, 'read'> {
  readonly tally: Tally;
  /** The collections that it read, in the order of its inputs. */
  readonly read: readonly CollectionResult[];
}

/** What a plan came to, with its outputs stored as collections, and where they come from. Throws when the figures do not add up. */
export function resultOf(finished: Finished): TargetResult {
  const { plan, tally, read, store } = finished;
  const outputs = Object.fromEntries(outputNames(plan.target).map((name) => [name, keepCollection(partsOf(plan, name), store)]));
  const main = outputs[outputNames(plan.target)[0] as string] as CollectionResult;
  assertTargetBalanced(figuresOf(plan.target, { read, main, parts: mainParts(plan), counters: tally.counters }));
  return {
    outputs,
    counters: tally.counters,
    quarantined: tally.quarantined,
    badGroups: badGroupsOf(finished),
    documentsIn: documentsInOf(finished),
    steps: plan.steps.length,
    tookMs: tally.tookMs,
    lineage: store.put(recordLineage({ ...finished, read: read.map(({ digest }) => digest) })),
  };
}

const partsOf = (plan: PlanRun, output: string): readonly Part[] => plan.outputs[output]?.parts ?? [];
const mainParts = (plan: PlanRun): readonly Part[] => partsOf(plan, outputNames(plan.target)[0] as string);

const keepCollection = (parts: readonly Part[], store: Store): CollectionResult =>
  collectionResult(store.put(encodeCollection(parts)), parts);

/** The sums of a collection's parts. */
export function collectionResult(digest: Digest, parts: readonly Part[]): CollectionResult {
  const bytes = parts.reduce((sum, part) => sum + part.bytes, 0);
  const sums = { digest, parts: parts.length, bytes, records: sumOf(parts, 'records'), tokens: sumOf(parts, 'tokens') };
  return parts.some(isSelection) ? { ...sums, selects: true } : sums;
}

/** Its bytes are a bitmap. */
export const isSelection = ({ form }: Part): boolean => form === 'view';

/** What a target was given and gave, for the ledger. */
export function figuresOf(
  target: GraphTarget,
  { read, main, parts, counters }: { read: readonly CollectionResult[]; main: CollectionResult; parts: readonly Part[]; counters: Facts },
): TargetFigures {
  const { rule, name, options } = target;
  const { maxSeqLength } = options;
  return {
    name,
    inputKinds: Object.values(rule.inputs).map(kindOf),
    outputKind: (typeof rule.output === 'string' ? rule.output : Object.values(rule.output)[0]) as string,
    documentsIn: recordsOf(target, read),
    documentsOut: main.records,
    tokensIn: read.reduce((sum, { tokens }) => sum + tokens, 0),
    tokensOut: main.tokens,
    rows: typeof maxSeqLength === 'number' ? { count: sumOf(parts, 'sequences'), tokens: maxSeqLength } : undefined,
    counters,
  };
}

const kindOf = (spec: InputSpec): Kind => (typeof spec === 'object' ? spec.many : spec);

/** Records of what was read. Of documents and their tokens, only the documents count. */
function recordsOf(target: GraphTarget, read: readonly CollectionResult[]): number {
  const kinds = target.inputs.map(({ input }) => kindOf(target.rule.inputs[input] as InputSpec));
  const counts = (i: number): boolean => kinds[i] === 'documents' || !kinds.includes('documents');
  return read.reduce((sum, { records }, i) => (counts(i) ? sum + records : sum), 0);
}

/** A target that reads sources was given what came out and what was lost on the way. */
function documentsInOf({ plan, tally, read }: Finished): number {
  if (read.length > 0) return recordsOf(plan.target, read);
  return sumOf(mainParts(plan), 'records') + sumByPrefix(tally.counters, 'dropped:') + sumByPrefix(tally.counters, 'quarantined:');
}

function badGroupsOf({ plan, tally }: Finished): string[] {
  const good = new Map<string, number>();
  for (const part of mainParts(plan)) good.set(part.group, (good.get(part.group) ?? 0) + (part.facts.records ?? 0));
  return [...tally.quarantinedByGroup.keys()].filter((group) => group !== '' && (good.get(group) ?? 0) === 0);
}
