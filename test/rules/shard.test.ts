import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { shardEnds } from '../../rules/lib/shard-cut.ts';
import { encodeTokens } from '../../rules/lib/tokens.ts';
import { loadZstd } from '../../rules/lib/zstd.ts';
import { shard } from '../../rules/shard.ts';
import { recordHash } from '../../src/base/record-hash.ts';
import { decodeLineage } from '../../src/rule/lineage.ts';
import type { Part } from '../../src/rule/part.ts';
import { refusal } from '../refusal.ts';
import { bytesOf, filePart, identitiesOf, type Planned, planRule, textOf } from './harness.ts';
import { StepMemory } from './step-keys.ts';

const test = suite('shard');
const folder = mkdtempSync(join(tmpdir(), 'dsbuild-shard-'));
test.after(() => rmSync(folder, { recursive: true }));
const [eos, pad] = [0, 1];
const small = { maxSeqLength: 16, packTokens: 400, shardSize: '12KB' };
/** More pack groups to a shard, as real ones have. */
const fine = { ...small, packTokens: 100, shardSize: '30KB' };

/** What `tokenize` gives for a chunk: documents are lists of ids. */
function tokensPart(
  documents: readonly (readonly number[])[],
  { group = 'a/train', ...facts }: { group?: string; eos?: number; records?: number } = {},
): Part {
  const ids = Int32Array.from(documents.flat());
  const bytes = encodeTokens({ lengths: Uint32Array.from(documents, (document) => document.length), ids });
  const u = recordHash(Buffer.from(Int32Array.from(documents.at(-1) ?? []).buffer));
  return { ...filePart(bytes, group), form: 'tokens', facts: { records: documents.length, tokens: ids.length, u, eos, pad, ...facts } };
}

/** Ids that look random and follow from the seed alone; none is EOS or padding. */
const idsFrom = (seed: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => 2 + (recordHash(Buffer.from(`${seed} ${i}`)) % 50_000));

/** Documents of some chunks: five documents each, of 5 to 34 tokens. */
const chunkOf = (seed: number): number[][] => Array.from({ length: 5 }, (_, d) => idsFrom(seed * 10 + d, 5 + ((seed * 7 + d * 11) % 30)));
const chunks = (count: number): number[][][] => Array.from({ length: count }, (_, i) => chunkOf(i));
const partsOf = (list: readonly number[][][], group = 'a/train'): Part[] => list.map((documents) => tokensPart(documents, { group }));

const run = (tokens: readonly Part[], options: object = {}): Promise<Planned> => planRule(shard, { tokens }, { ...small, ...options });
const files = ({ outputs }: Planned): readonly Part[] => outputs['main'] ?? [];
const shardsIn = (planned: Planned): readonly Part[] => files(planned).filter(({ name }) => name?.endsWith('.parquet'));
const statsIn = (planned: Planned): unknown[] =>
  files(planned)
    .filter(({ name }) => name?.endsWith('_stats.json'))
    .map((part) => JSON.parse(textOf(part)));
const countOf = (names: readonly string[], name: string): number => names.filter((ran) => ran === name).length;

interface Row {
  input_ids: number[];
  attention_mask: number[];
  labels: number[];
  position_ids?: number[];
  document_ids?: number[];
}

const { decompress } = await loadZstd();
const compressors = { ZSTD: (bytes: Uint8Array) => decompress(bytes) };
const bufferOf = (part: Part): ArrayBuffer => new Uint8Array(bytesOf(part)).buffer;
async function rowsIn(planned: Planned): Promise<Row[]> {
  const all = await Promise.all(shardsIn(planned).map((part) => parquetReadObjects({ file: bufferOf(part), compressors })));
  return all.flat() as unknown as Row[];
}

test('sequences hold all documents in order, an EOS behind each, and padding at the ends of pack groups only', async () => {
  const list = chunks(20);
  const planned = await run(partsOf(list));
  const rows = await rowsIn(planned);
  assert.ok(rows.every(({ input_ids }) => input_ids.length === 16));
  const real = rows.flatMap(({ input_ids, attention_mask }) => input_ids.filter((_, i) => attention_mask[i] === 1));
  assert.equal(
    real,
    list.flat().flatMap((document) => [...document, eos]),
  );
  const padded = rows.filter(({ attention_mask }) => attention_mask.includes(0)).length;
  assert.ok(padded <= countOf(planned.steps, 'pack'));
});

test('labels are the next token by default, and the tokens themselves for trainers that shift', async () => {
  const tokens = [tokensPart([[5, 6, 7]])];
  const [shifted] = await rowsIn(await run(tokens, { maxSeqLength: 5 }));
  assert.equal(shifted, { input_ids: [5, 6, 7, eos, pad], attention_mask: [1, 1, 1, 1, 0], labels: [6, 7, eos, -100, -100] });
  const [hf] = await rowsIn(await run(tokens, { maxSeqLength: 5, labels: 'hf' }));
  assert.equal(hf?.labels, [5, 6, 7, eos, -100]);
});

test('without acrossDocuments no document predicts the next', async () => {
  const [row] = await rowsIn(await run([tokensPart([[5], [6]])], { maxSeqLength: 4, acrossDocuments: false }));
  assert.equal(
    [row?.input_ids, row?.labels],
    [
      [5, eos, 6, eos],
      [eos, -100, eos, -100],
    ],
  );
});

test('a split is a folder named after the last part of its group, with its statistics beside it', async () => {
  const planned = await run([...partsOf(chunks(2), 'code/apps'), ...partsOf(chunks(1), 'chat/helpful')]);
  assert.equal(
    files(planned).map(({ name, group }) => [name, group]),
    [
      ['apps/shard_0000.parquet', 'code/apps'],
      ['apps_stats.json', 'code/apps'],
      ['helpful/shard_0000.parquet', 'chat/helpful'],
      ['helpful_stats.json', 'chat/helpful'],
    ],
  );
});

test('the statistics count sequences, documents, tokens from the tokenizer, padding and shards', async () => {
  const planned = await run([tokensPart([[5, 6, 7], [], [8, eos]]), tokensPart([[9]])], { maxSeqLength: 5 });
  const [stats] = files(planned).filter(({ name }) => name === 'train_stats.json');
  const expected = { split: 'train', sequences: 2, samples: 3, tokens: 6, padding: 2, shards: 1, max_seq_length: 5 };
  assert.is(textOf(stats as Part), `${JSON.stringify(expected, null, 2)}\n`);
  assert.equal(shardsIn(planned)[0]?.facts, { sequences: 2, samples: 3, tokens: 6 });
});

test('the ledger of tokens is given in counters', async () => {
  const { counters } = await run([tokensPart([[5, 6, 7], [], [8, eos]]), tokensPart([[9]])], { maxSeqLength: 5 });
  assert.equal(counters, {
    documentsPacked: 3,
    documentsEmpty: 1,
    documentsSplit: 1,
    documentsTruncated: 0,
    tokensAdded: 2,
    tokensPacked: 8,
    tokensTruncated: 0,
    tokensDropped: 0,
    tokensPadding: 2,
  });
});

test('parts of one group that lie apart make one split', async () => {
  const [a, b, c] = [tokensPart([[5]]), tokensPart([[6]], { group: 'x/y' }), tokensPart([[7]])];
  const planned = await run([a, b, c]);
  assert.equal(
    files(planned).map(({ name }) => name),
    ['train/shard_0000.parquet', 'train_stats.json', 'y/shard_0000.parquet', 'y_stats.json'],
  );
  assert.is(shardsIn(planned)[0]?.facts['tokens'], 2);
});

test('two groups that would be one split are an error that names both', async () => {
  const error = await refusal(run([tokensPart([[5]], { group: 'code/apps' }), tokensPart([[6]], { group: 'web/apps' })]));
  assert.is(error.code, 'equal-splits');
  assert.match(error.message, /"code\/apps" and "web\/apps"/);
  assert.ok(error.hint);
});

test('a group whose name would lead outside the folder is refused', async () => {
  for (const group of ['code/..', 'code/a\\b', '.', 'x/a\nb']) {
    assert.is((await refusal(run([tokensPart([[5]], { group })]))).code, 'bad-split');
  }
});

test('a split without a sequence has statistics and no shard', async () => {
  const planned = await run([tokensPart([[]]), tokensPart([])]);
  assert.equal(shardsIn(planned), []);
  assert.equal(statsIn(planned), [{ split: 'train', sequences: 0, samples: 0, tokens: 0, padding: 0, shards: 0, max_seq_length: 16 }]);
  assert.equal(planned.steps, ['split-stats']);
});

test('tokens whose tokenizers disagree on EOS are refused, and so are tokens that do not tell it', async () => {
  assert.is((await refusal(run([tokensPart([[5]]), tokensPart([[6]], { eos: 3 })]))).code, 'mixed-tokens');
  const { eos: _, ...facts } = tokensPart([[5]]).facts;
  assert.is((await refusal(run([{ ...tokensPart([[5]]), facts }]))).code, 'no-eos');
});

test('no shard is larger than the size asked for, and they are not much smaller', async () => {
  const planned = await run(partsOf(chunks(120)));
  const sizes = shardsIn(planned).map(({ bytes }) => bytes);
  assert.ok(sizes.length > 5);
  assert.ok(Math.max(...sizes) <= 12_000, `${Math.max(...sizes)}`);
  assert.ok(sizes.reduce((sum, bytes) => sum + bytes, 0) / sizes.length > 0.5 * 12_000, `${sizes}`);
});

test('a row group that alone is larger than the size asked for is a shard of its own', async () => {
  const planned = await run(partsOf(chunks(30)), { shardSize: '1KB' });
  assert.ok(shardsIn(planned).length > 1);
  for (const part of shardsIn(planned)) assert.is(parquetMetadata(bufferOf(part)).row_groups.length, 1);
});

test('any list of pack groups is cut so that a run is below the bound or a single group', () => {
  const group = fc.record({ weight: fc.integer({ min: 1, max: 1500 }), u: fc.nat({ max: 0xffffffff }) });
  fc.assert(
    fc.property(fc.array(group, { maxLength: 80 }), (groups) => {
      const weights = groups.map(({ weight }) => weight);
      const us = groups.map(({ u }) => u);
      const ends = shardEnds({ weights, us }, 1000);
      assert.is(ends.at(-1) ?? 0, groups.length);
      ends.forEach((end, i) => {
        const run = weights.slice(ends[i - 1] ?? 0, end);
        assert.ok(run.length === 1 || run.reduce((sum, weight) => sum + weight, 0) <= 1000, `${run}`);
      });
    }),
  );
});

test('how its rows were made stands in the metadata of each file', async () => {
  const keyValues = async (options: object): Promise<unknown> => {
    const [part] = shardsIn(await run(partsOf(chunks(1)), options));
    const pairs = parquetMetadata(bufferOf(part as Part)).key_value_metadata ?? [];
    return Object.fromEntries(pairs.map(({ key, value }) => [key, value]));
  };
  const usual = {
    'dsbuild.acrossDocuments': 'true',
    'dsbuild.labels': 'shifted',
    'dsbuild.maxSeqLength': '16',
    'dsbuild.packing': 'concat',
    'dsbuild.version': '0.1.0',
  };
  assert.equal(await keyValues({}), usual);
  const other = { 'dsbuild.acrossDocuments': 'false', 'dsbuild.labels': 'hf', 'dsbuild.packing': 'best-fit' };
  assert.equal(await keyValues({ acrossDocuments: false, labels: 'hf', packing: 'best-fit' }), { ...usual, ...other });
});

test('the digest of the tokenizer stands in the metadata; tokens of two tokenizers make no split', async () => {
  const [one, other] = ['ab'.repeat(32), 'cd'.repeat(32)];
  const made = (tokenizer: string, id: number): Part => {
    const bytes = encodeTokens({ lengths: Uint32Array.of(1), ids: Int32Array.of(id), tokenizer });
    return { ...filePart(bytes, 'a/train'), form: 'tokens', facts: { records: 1, tokens: 1, u: id, eos, pad } };
  };
  const [part] = shardsIn(await run([made(one, 5), made(one, 6)]));
  const pairs = parquetMetadata(bufferOf(part as Part)).key_value_metadata ?? [];
  assert.is(pairs.find(({ key }) => key === 'dsbuild.tokenizer')?.value, one);
  for (const packTokens of [1, 400]) {
    const error = await refusal(run([made(one, 5), made(other, 6)], { packTokens }));
    assert.is(error.code, 'mixed-tokens', `${error.message}`);
    assert.match(error.message, /abab.*cdcd/);
  }
});

test('best-fit cuts no document that fits into a sequence', async () => {
  const list = chunks(20);
  const planned = await run(partsOf(list), { packing: 'best-fit', maxSeqLength: 40, columns: ['document_ids'] });
  const found = (await rowsIn(planned)).flatMap(({ input_ids, document_ids = [] }) =>
    [...new Set(document_ids)].filter((number) => number > 0).map((number) => input_ids.filter((_, i) => document_ids[i] === number)),
  );
  const byText = (documents: readonly (readonly number[])[]): string[] => documents.map((ids) => ids.join(' ')).sort();
  assert.equal(byText(found), byText(list.flat().map((document) => [...document, eos])));
  assert.is(planned.counters['documentsSplit'], 0);
});

test('documents longer than a sequence are split or truncated, and counted', async () => {
  const tokens = [tokensPart([[5, 6, 7, 8, 9], [5]])];
  const counted = async (longDocuments: string): Promise<(number | undefined)[]> => {
    const { counters } = await run(tokens, { packing: 'best-fit', maxSeqLength: 4, longDocuments });
    return ['documentsSplit', 'documentsTruncated', 'tokensTruncated', 'tokensAdded', 'tokensPadding'].map((name) => counters[name]);
  };
  assert.equal(await counted('split'), [1, 0, 0, 2, 0]);
  assert.equal(await counted('truncate'), [0, 1, 1, 1, 2]);
  const error = await refusal(run(tokens, { longDocuments: 'truncate' }));
  assert.is(error.code, 'unused-option');
});

test('positions and numbers of documents are columns where they are asked for', async () => {
  const tokens = [
    tokensPart([
      [5, 6],
      [7, 8, 9, 10],
    ]),
  ];
  const [first, second] = await rowsIn(await run(tokens, { maxSeqLength: 6, columns: ['document_ids', 'position_ids', 'document_ids'] }));
  assert.equal(
    [first?.position_ids, first?.document_ids],
    [
      [0, 1, 2, 0, 1, 2],
      [1, 1, 1, 2, 2, 2],
    ],
  );
  assert.equal(
    [second?.position_ids, second?.document_ids],
    [
      [0, 1, 0, 1, 2, 3],
      [1, 1, 0, 0, 0, 0],
    ],
  );
  assert.equal(Object.keys((await rowsIn(await run(tokens)))[0] ?? {}), ['input_ids', 'attention_mask', 'labels']);
});

test('the zstd library is in the keys of shards that it compresses, not in those of others', async () => {
  const tokens = partsOf(chunks(2));
  const uses = shard.rule.steps.map(({ name, uses: libraries }) => [name, libraries.length] as const);
  assert.equal(Object.fromEntries(uses), { pack: 0, 'pack-zstd': 1, assemble: 0, 'split-stats': 0 });
  const steps = async (codec: string): Promise<string[]> => [...new Set((await run(tokens, { codec })).steps)];
  assert.equal(await steps('snappy'), ['pack', 'assemble', 'split-stats']);
  assert.equal(await steps('zstd'), ['pack-zstd', 'assemble', 'split-stats']);
  const [snappy, zstd] = [await rowsIn(await run(tokens, { codec: 'snappy' })), await rowsIn(await run(tokens, { codec: 'zstd' }))];
  assert.equal(zstd, snappy);
});

test('rows of a shard are shown whatever its codec', async () => {
  const tokens = [tokensPart([[5, 6, 7]])];
  for (const codec of ['snappy', 'zstd', 'none']) {
    const [part] = shardsIn(await run(tokens, { codec, maxSeqLength: 5, columns: ['position_ids', 'document_ids'] }));
    const path = join(folder, `${codec}.parquet`);
    writeFileSync(path, bytesOf(part as Part));
    const shown: unknown[] = [];
    for await (const row of shard.rule.preview?.({ part: part as Part, path, bytes: () => bytesOf(part as Part) }) ?? []) shown.push(row);
    assert.equal(shown, [
      {
        input_ids: [5, 6, 7, eos, pad],
        attention_mask: [1, 1, 1, 1, 0],
        labels: [6, 7, eos, -100, -100],
        position_ids: [0, 1, 2, 3, 0],
        document_ids: [1, 1, 1, 1, 0],
      },
    ]);
  }
});

test('single rows are shown without those between them, across row groups', async () => {
  const [part] = shardsIn(await run(partsOf(chunks(12)), { ...fine, columns: ['document_ids'] }));
  const path = join(folder, 'rows.parquet');
  writeFileSync(path, bytesOf(part as Part));
  const file = { part: part as Part, path, bytes: () => bytesOf(part as Part) };
  const { preview, previewOnly } = shard.rule;
  const all: unknown[] = [];
  for await (const row of preview?.(file) ?? []) all.push(row);
  assert.ok(all.length > 40, `${all.length} rows`);
  for (const only of [[0], [all.length - 1], [3, 4, 20, 39, all.length - 1], []]) {
    const some: unknown[] = [];
    for await (const row of previewOnly?.(file, only) ?? []) some.push(row);
    assert.equal(
      some,
      only.map((row) => all[row]),
    );
  }
});

test('each pack group leaves a lineage: which samples of its parts its sequences hold', async () => {
  const tokens = [tokensPart([[5, 6, 7], []]), tokensPart([[8, 9]])];
  const spansOf = async (options: object): Promise<unknown> => {
    const { sides } = await run(tokens, { maxSeqLength: 5, ...options });
    return sides.map((side) => {
      const { spanEnds, inputRows, starts, lengths } = decodeLineage(bytesOf(side));
      return [Array.from(spanEnds), Array.from(inputRows, (row, i) => [row, starts[i], lengths[i]])];
    });
  };
  const [whole, cut] = [
    [0, 0, 4],
    [2, 0, 1],
  ];
  assert.equal(await spansOf({}), [
    [
      [2, 3],
      [whole, cut, [2, 1, 2]],
    ],
  ]);
  assert.equal(await spansOf({ packing: 'best-fit' }), [
    [
      [1, 2],
      [whole, [2, 0, 3]],
    ],
  ]);
});

test('windows count as samples: the statistics count those that were packed', async () => {
  const planned = await run([tokensPart([[5, 6], [6, 7], [8]], { records: 2 })]);
  assert.is((statsIn(planned)[0] as { samples: number }).samples, 3);
});

test('named by digest, a shard keeps its name when another appears before it', async () => {
  const list = chunks(200);
  const options = { ...fine, names: 'digest' };
  const before = shardsIn(await run(partsOf(list), options));
  const after = shardsIn(await run(partsOf([...Array.from({ length: 12 }, (_, i) => chunkOf(500 + i)), ...list]), options));
  assert.ok(before.every(({ name, digest }) => name === `train/${digest.slice(0, 16)}.parquet`));
  const names = new Set(after.map(({ name }) => name));
  const kept = before.filter(({ name }) => names.has(name as string)).length;
  assert.ok(kept >= before.length - 2, `${kept} of ${before.length}`);
});

test('shards of equal bytes have names of their own', async () => {
  const planned = await run([tokensPart([[5, 6]]), tokensPart([[5, 6]])], { names: 'digest', packTokens: 1, shardSize: '1KB' });
  const names = shardsIn(planned).map(({ name }) => name);
  assert.is(names.length, 2);
  assert.is(names[1], `${names[0]?.slice(0, -'.parquet'.length)}-1.parquet`);
});

test('a second plan of the same tokens runs no step; another sequence length packs again', async () => {
  const memory = new StepMemory();
  const tokens = partsOf(chunks(30));
  const plan = (options: object = {}) => memory.plan(shard, { tokens }, { ...small, ...options });
  assert.ok((await plan()).ran.length > 3);
  assert.equal((await plan()).ran, []);
  const longer = await plan({ maxSeqLength: 32 });
  assert.is(countOf(longer.ran, 'pack'), countOf(longer.steps, 'pack'));
  assert.equal((await plan()).ran, []);
});

for (const packing of ['concat', 'best-fit'])
  test(`${packing}: an edit that keeps the numbers packs one group and assembles one shard, nothing else`, async () => {
    const memory = new StepMemory();
    const list = chunks(100);
    const options = { ...small, packing };
    await memory.plan(shard, { tokens: partsOf(list) }, options);
    const edited = list.map((documents, i) =>
      i === 50 ? documents.map((ids, d) => (d === 2 ? idsFrom(9999, ids.length) : ids)) : documents,
    );
    const { ran } = await memory.plan(shard, { tokens: partsOf(edited) }, options);
    assert.equal(ran, ['pack', 'assemble']);
  });

test('edits, inserts and deletes of chunks redo little more than one pack group and one shard each', async () => {
  const memory = new StepMemory();
  let list = chunks(160);
  await memory.plan(shard, { tokens: partsOf(list) }, fine);
  const scripts = [
    (at: number) => list.map((documents, i) => (i === at ? chunkOf(1000 + at) : documents)),
    (at: number) => list.toSpliced(at, 0, chunkOf(2000 + at)),
    (at: number) => list.toSpliced(at, 1),
  ];
  let [packs, shards] = [0, 0];
  for (let edit = 0; edit < 12; edit++) {
    list = (scripts[edit % 3] as (at: number) => number[][][])((edit * 37) % list.length);
    const { ran } = await memory.plan(shard, { tokens: partsOf(list) }, fine);
    packs += countOf(ran, 'pack');
    shards += countOf(ran, 'assemble');
  }
  assert.ok(packs <= 2 * 12, `${packs} pack groups for 12 edits`);
  assert.ok(shards <= 2 * 12, `${shards} shards for 12 edits`);
});

test('what comes out does not depend on what was built before', async () => {
  const documents = fc.array(fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 12 }), { maxLength: 4 });
  const given = fc.array(documents, { maxLength: 12 });
  const memory = new StepMemory();
  const packing = fc.constantFrom('concat', 'best-fit');
  await fc.assert(
    fc.asyncProperty(given, packing, async (list, how) => {
      const options = { maxSeqLength: 4, packTokens: 12, shardSize: '1KB', packing: how };
      const remembered = await memory.plan(shard, { tokens: partsOf(list) }, options);
      assert.equal(files(remembered), files(await planRule(shard, { tokens: partsOf(list) }, options)));
    }),
    { numRuns: 40 },
  );
});

test('equal rows that hold other documents are told apart: a shard counts its own', async () => {
  const memory = new StepMemory();
  const samplesOf = async (documents: number[][]) => {
    const planned = await memory.plan(shard, { tokens: [tokensPart(documents)] }, small);
    return [shardsIn(planned)[0]?.digest, shardsIn(planned)[0]?.facts['samples']];
  };
  const [one, two] = [await samplesOf([[5, eos, 6]]), await samplesOf([[5], [6]])];
  assert.is(one[0], two[0]);
  assert.equal([one[1], two[1]], [1, 2]);
});

test('a renamed group writes its statistics again and nothing else', async () => {
  const memory = new StepMemory();
  await memory.plan(shard, { tokens: partsOf(chunks(30), 'a/train') }, small);
  const { ran } = await memory.plan(shard, { tokens: partsOf(chunks(30), 'b/other') }, small);
  assert.equal(ran, ['split-stats']);
});

test('a chunk that has no tokens moves nothing, wherever it comes', async () => {
  const memory = new StepMemory();
  const tokens = partsOf(chunks(40));
  await memory.plan(shard, { tokens }, small);
  const { ran } = await memory.plan(
    shard,
    { tokens: [tokensPart([]), ...tokens.slice(0, 20), tokensPart([[]]), ...tokens.slice(20)] },
    small,
  );
  assert.equal(ran, []);
});

test('the same collection comes out in whatever order the steps end', async () => {
  const tokens = [...partsOf(chunks(40)), ...partsOf(chunks(25), 'a/other')];
  for (const options of [{ names: 'number' }, { names: 'digest' }, { packing: 'best-fit', codec: 'zstd' }]) {
    const identities = await identitiesOf(shard, { tokens }, { ...small, ...options });
    assert.is(new Set(identities).size, 1);
  }
});

test.run();
