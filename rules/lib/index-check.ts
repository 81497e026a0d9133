import { defineCheck, type RuleCheck } from '../../src/rule/check.ts';
import type { Part } from '../../src/rule/part.ts';
import { splitOf } from './names.ts';

interface Counts {
  readonly shards: number;
  readonly sequences: number;
  readonly tokens: number;
}

interface Params {
  readonly splits: readonly (readonly [string, Counts])[];
  /** Whether all of them are to be listed. */
  readonly all: boolean;
}

const counted = ['shards', 'sequences', 'tokens'] as const;

const step = defineCheck('check-manifest', (file: Part, { splits, all }: Params, { io, findings }) => {
  const listed = (JSON.parse(io.bytes(file).toString('utf8')) as { splits: Readonly<Record<string, Counts>> }).splits;
  for (const [name, counts] of splits) {
    const entry = Object.hasOwn(listed, name) ? listed[name] : undefined;
    if (!entry && all) findings.add('manifest-split', `the split "${name}" is not in it`);
    for (const what of entry ? counted : []) {
      if (entry?.[what] !== counts[what])
        findings.add('manifest-count', `it says ${entry?.[what]} ${what} of "${name}", but there are ${counts[what]}`);
    }
  }
  const known = new Set(splits.map(([name]) => name));
  for (const name of Object.keys(listed)) if (!known.has(name)) findings.add('manifest-split', `there is no split "${name}"`);
});

function countsOf(inputs: Iterable<Part>): (readonly [string, Counts])[] {
  const splits = new Map<string, Counts>();
  for (const { group, name, facts } of inputs) {
    const { shards, sequences, tokens } = splits.get(splitOf(group)) ?? { shards: 0, sequences: 0, tokens: 0 };
    const isShard = name?.endsWith('.parquet') ?? false;
    const of = (fact: string): number => (isShard ? (facts[fact] ?? 0) : 0);
    splits.set(splitOf(group), { shards: shards + Number(isShard), sequences: sequences + of('sequences'), tokens: tokens + of('tokens') });
  }
  return [...splits];
}

/** The table of contents says of each split what its shards hold. */
export const indexCheck: RuleCheck = {
  step,
  *requests({ files, inputs, options }) {
    const params: Params = { splits: countsOf(inputs()), all: options['splits'] === undefined };
    for (const file of files) yield { file, params };
  },
};
