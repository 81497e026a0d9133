/** Results of steps and targets as fast-check makes them. */
import fc from 'fast-check';
import { digestHex } from '../../../src/base/digest.ts';
import type { StepResult, TargetResult } from '../../../src/cache/results.ts';
import { digest, part } from '../../rule/codecs.ts';

const counters = fc.dictionary(fc.constantFrom('documents', 'dropped:too-short', 'quarantined:not-json', '__proto__x'), fc.nat(), {
  noNullPrototype: true,
});
const quarantined = fc.array(
  fc.record({ part: digest, record: fc.nat(), reason: fc.string(), detail: fc.string({ unit: 'binary' }) }, { noNullPrototype: true }),
  { maxLength: 3 },
);

export const stepResult: fc.Arbitrary<StepResult> = fc.record(
  {
    parts: fc.array(
      part.map((one) => ({ ...one, output: 'main' })),
      { maxLength: 4 },
    ),
    counters,
    quarantined,
    tookMs: fc.nat(),
    external: fc.constant(true as const),
  },
  { noNullPrototype: true, requiredKeys: ['parts', 'counters', 'quarantined', 'tookMs'] },
);

const collection = fc.record(
  { digest, parts: fc.nat(), bytes: fc.maxSafeNat(), records: fc.nat(), tokens: fc.nat() },
  { noNullPrototype: true },
);

export const targetResult: fc.Arbitrary<TargetResult> = fc.record(
  {
    outputs: fc.dictionary(fc.constantFrom('main', 'kept', 'rejected'), collection, { noNullPrototype: true }),
    counters,
    quarantined,
    badGroups: fc.array(fc.string(), { maxLength: 2 }),
    documentsIn: fc.nat(),
    steps: fc.nat(),
    tookMs: fc.nat(),
    lineage: digest,
  },
  { noNullPrototype: true, requiredKeys: ['outputs', 'counters', 'quarantined', 'badGroups', 'documentsIn', 'steps', 'tookMs'] },
);

export const contents: fc.Arbitrary<ReadonlyMap<string, Uint8Array>> = fc
  .array(fc.uint8Array({ maxLength: 40 }), { maxLength: 4 })
  .map((list) => new Map(list.map((bytes) => [digestHex(bytes), Buffer.from(bytes)])));
