import type { TargetSummary } from '../base/events.ts';
import type { TargetResult } from '../cache/results.ts';
import type { GraphTarget } from '../graph/graph.ts';
import type { TokenizerParts } from '../rule/step.ts';
import { quarantinedOf } from './policies.ts';
import type { ResolvedOptions } from './resolve-options.ts';
import type { Tally } from './tally.ts';

interface Summarized {
  readonly target: GraphTarget;
  readonly result: TargetResult | undefined;
  readonly why: readonly string[];
  readonly options: ResolvedOptions | undefined;
}

/** The engine that runs the target's tokenizer: known from its options, so it is said of kept targets too. */
function engineOf({ target, options }: Summarized): string | undefined {
  const name = Object.entries(target.rule.options).find(([, { shape }]) => shape.type === 'tokenizer')?.[0];
  return name === undefined ? undefined : (options?.seen[name] as TokenizerParts | undefined)?.engine;
}

function droppedOf(counters: Readonly<Record<string, number>>): Record<string, number> {
  const dropped = Object.entries(counters).filter(([name]) => name.startsWith('dropped:'));
  return Object.fromEntries(dropped.map(([name, count]) => [name.slice('dropped:'.length), count]));
}

/** The figures of one target, from its stored result: the same whether it was built or kept. */
export function summaryOf(summarized: Summarized, tally: Tally | undefined): TargetSummary {
  const { target, result, why } = summarized;
  const engine = engineOf(summarized);
  const main = result && Object.values(result.outputs)[0];
  const counters = result?.counters ?? tally?.counters ?? {};
  const isDocuments = (typeof target.rule.output === 'string' ? target.rule.output : Object.values(target.rule.output)[0]) === 'documents';
  return {
    documentsIn: result?.documentsIn ?? 0,
    documentsOut:
      isDocuments || target.rule.output === 'tokens'
        ? (main?.records ?? 0)
        : (counters.samples ?? counters.documents ?? result?.documentsIn ?? 0),
    dropped: droppedOf(counters),
    quarantined: result ? quarantinedOf(result) : 0,
    tokens: main?.tokens ?? 0,
    parts: main?.parts ?? 0,
    ...(!main?.selects && { bytesOut: main?.bytes ?? 0 }),
    ran: tally?.ends.ran ?? 0,
    hit: tally?.ends.hit ?? 0,
    restored: tally?.ends.restored ?? 0,
    tookMs: tally?.ranMs ?? 0,
    savedMs: tally ? tally.tookMs - tally.ranMs : (result?.tookMs ?? 0),
    ...(tally?.reused && { reused: tally.reused }),
    ...(engine !== undefined && { engine }),
    why,
    ...(result && { collections: Object.fromEntries(Object.entries(result.outputs).map(([output, { digest }]) => [output, digest])) }),
  };
}
