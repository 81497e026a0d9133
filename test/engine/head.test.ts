import { cpSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { HeadOptions, HeadRow } from '../../src/engine/api.ts';
import { head } from '../../src/engine/head.ts';
import { readLastPlan } from '../../src/engine/last-plan.ts';
import { partsOf } from '../../src/engine/verify/last-results.ts';
import { factOf, type Part } from '../../src/rule/part.ts';
import { checkout, Rig } from './rig.ts';

const test = suite('head of the engine');

const config = `import { defineConfig, download, tokenize } from 'dsbuild';
const raw = download({ sources: { 'a/one': 'in/one.jsonl' } });
export default defineConfig({ chunking: { chunkSize: '4KB' }, targets: { raw, tokens: tokenize(raw, { tokenizer: 'tokenizer' }) } });
`;

async function built(): Promise<Rig> {
  const rig = new Rig();
  cpSync(checkout('fixtures/tokenizers/tiny'), rig.path('tokenizer'), { recursive: true });
  const lines = Array.from({ length: 200 }, (_, i) => `${JSON.stringify({ text: `${'a fox '.repeat(i % 20)}${i}` })}\n`);
  rig.write({ 'datasets.config.ts': config, 'in/one.jsonl': lines.join('') });
  assert.ok((await rig.build()).summary.ok);
  return rig;
}

/** Rows of tokens, where all parts but those that `keeps` names have lost their bytes. */
const rowsWithout = (rig: Rig, options: Partial<HeadOptions>, keeps: (part: Part, first: number) => boolean): Promise<HeadRow[]> =>
  rig.withProject(async (project) => {
    let first = 0;
    for (const part of partsOf(project, readLastPlan(project.stateDir, 'tokens')?.outputs['main'] ?? '') ?? []) {
      if (!keeps(part, first)) project.store.remove(part.digest);
      first += factOf(part, 'records');
    }
    const rows: HeadRow[] = [];
    for await (const row of head(project, 'tokens', { rows: 1, rejected: false, ...options })) rows.push(row);
    return rows;
  });

test('a sample reads only the parts that its rows lie in', async () => {
  const rig = await built();
  const [row] = await rowsWithout(rig, { seed: 3 }, () => true);
  const number = Number(row?.place?.split(':')[1]);
  let kept = 0;
  const holds = (part: Part, first: number): boolean => number >= first && number < first + factOf(part, 'records') && ++kept > 0;
  assert.equal(await rowsWithout(rig, { seed: 3 }, holds), [row]);
  assert.is(kept, 1);
});

test('the first rows need only the first parts', async () => {
  const rig = await built();
  const rows = await rowsWithout(rig, { rows: 3 }, (_, first) => first === 0);
  assert.equal(
    rows.map(({ place }) => place),
    ['tokens:0', 'tokens:1', 'tokens:2'],
  );
});

test('a list of ids in a document is a field like any other', async () => {
  const rig = new Rig();
  rig.write({
    'datasets.config.ts': `import { defineConfig, download } from 'dsbuild';\nexport default defineConfig({ targets: { raw: download({ sources: { 'a/one': 'in/one.jsonl' } }) } });\n`,
    'in/one.jsonl': '{"text":"a","ids":[1,2]}\n',
  });
  assert.ok((await rig.build()).summary.ok);
  const rows = await rig.withProject(async (project) => {
    const found: HeadRow[] = [];
    for await (const row of head(project, 'raw', { rows: 1, rejected: false, texts: true })) found.push(row);
    return found;
  });
  assert.equal(
    rows.map(({ place, pieces, texts }) => [place, pieces, texts]),
    [['raw:0', undefined, undefined]],
  );
});

test.run();
