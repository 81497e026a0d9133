import { defineCheck, type Findings, type LookIo, type RuleCheck } from '../../src/rule/check.ts';
import { factOf, type Part } from '../../src/rule/part.ts';
import type { RowsExpected } from './check-rows.ts';

type Params = { readonly is: 'rows'; readonly expected: RowsExpected } | { readonly is: 'stats' };

interface PackedOptions {
  readonly maxSeqLength: number;
  readonly packing: string;
  readonly longDocuments: string;
}

const step = defineCheck('check-shard', async (file: Part, params: Params, to) => {
  if (params.is === 'stats') return checkStats(file, to);
  const [{ checkRows }, { ShardReader }] = await Promise.all([import('./check-rows.ts'), import('./parquet/read-shard.ts')]);
  const reader = new ShardReader(to.io.path(file));
  try {
    await checkRows(reader, params.expected, to.findings);
  } finally {
    reader.close();
  }
});

function checkStats(file: Part, { io, findings }: { io: LookIo; findings: Findings }): void {
  const { split, sequences } = JSON.parse(io.bytes(file).toString('utf8')) as { split: string; sequences: number };
  if (sequences === 0) findings.add('empty-split', `the split "${split}" has no sequences`);
}

/** The EOS that tokens of each group end with; facts of tokens parts say it. */
function eosByGroup(inputs: Iterable<Part>): Map<string, number> {
  const found = new Map<string, number>();
  for (const { group, facts } of inputs) if (facts['eos'] !== undefined && !found.has(group)) found.set(group, facts['eos']);
  return found;
}

/** Shards: each row; statistics: that there are rows at all. */
export const shardCheck: RuleCheck = {
  step,
  *requests({ files, inputs, options }) {
    const { maxSeqLength, packing, longDocuments } = options as unknown as PackedOptions;
    const eos = eosByGroup(inputs());
    for (const file of files) {
      const eosId = eos.get(file.group);
      const known = { maxSeqLength, isStream: packing === 'concat', isCut: longDocuments === 'truncate' };
      const expected: RowsExpected = { ...known, sequences: factOf(file, 'sequences'), ...(eosId !== undefined && { eosId }) };
      if (file.name?.endsWith('.parquet')) yield { file, params: { is: 'rows', expected } satisfies Params };
      else yield { file, params: { is: 'stats' } satisfies Params };
    }
  },
};
