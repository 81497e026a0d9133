import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { encodeTokens } from '../../rules/lib/tokens.ts';
import { shard } from '../../rules/shard.ts';
import { statistics } from '../../rules/statistics.ts';
import { recordHash } from '../../src/base/record-hash.ts';
import { bucketOf } from '../../src/rule/histogram.ts';
import type { Part } from '../../src/rule/part.ts';
import { Statistics } from '../../src/rule/statistics.ts';
import { bytesOf, documentsPart, filePart, type GivenInputs, identitiesOf, type Planned, planRule, selectedFrom } from './harness.ts';
import { StepMemory } from './step-keys.ts';

const test = suite('rule statistics');

const plan = (inputs: GivenInputs, options: object = {}): Promise<Planned> =>
  planRule(statistics, { documents: {}, tokens: {}, shards: {}, ...inputs }, { ...options });

async function statisticsOf(inputs: GivenInputs, options: object = {}): Promise<Statistics> {
  const { outputs } = await plan(inputs, options);
  const read = new Statistics();
  read.merge(bytesOf(outputs['main']?.[0] as Part));
  return read;
}

/** A histogram as anybody would make it. */
function counted(lengths: readonly number[]): unknown {
  const buckets = new Map<number, number>();
  for (const length of lengths) buckets.set(bucketOf(length), (buckets.get(bucketOf(length)) ?? 0) + 1);
  return {
    count: lengths.length,
    sum: lengths.reduce((sum, length) => sum + length, 0),
    min: lengths.length === 0 ? 0 : Math.min(...lengths),
    max: Math.max(0, ...lengths),
    buckets: [...buckets].sort(([a], [b]) => a - b).flat(),
  };
}

function countedIds(ids: readonly number[]): [number, number][] {
  const counts = new Map<number, number>();
  for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1);
  return [...counts].sort(([a], [b]) => a - b);
}

const [eos, pad] = [0, 1];

function tokensPart(documents: readonly (readonly number[])[]): Part {
  const ids = Int32Array.from(documents.flat());
  const bytes = encodeTokens({ lengths: Uint32Array.from(documents, (document) => document.length), ids });
  const u = recordHash(Buffer.from(Int32Array.from(documents.at(-1) ?? []).buffer));
  return { ...filePart(bytes, 'a/train'), form: 'tokens', facts: { records: documents.length, tokens: ids.length, u, eos, pad } };
}

test('lengths of documents are those of their texts, in code points and in bytes of UTF-8, however they lie in parts', () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(fc.string({ unit: 'binary', maxLength: 300 }), { maxLength: 8 }), { maxLength: 6 }),
      async (parts) => {
        const found = await statisticsOf({ documents: { of: parts.map((texts) => documentsPart(texts.map((text) => ({ text })))) } });
        const texts = parts.flat();
        const lengths =
          parts.length === 0
            ? {}
            : { bytes: counted(texts.map((text) => Buffer.byteLength(text))), characters: counted(texts.map((text) => [...text].length)) };
        assert.equal(found.histograms, lengths);
        assert.is(found.vocabulary.used, 0);
      },
    ),
    { numRuns: 40 },
  ));

test('of a view only the selected documents count', async () => {
  const base = documentsPart([{ text: 'one' }, { text: 'three' }, { text: 'é' }]);
  const found = await statisticsOf({ documents: { of: [selectedFrom(base, [0, 2])] } });
  assert.equal(found.histograms['characters'], counted([3, 1]));
  assert.equal(found.histograms['bytes'], counted([3, 2]));
});

const documentsOfIds = fc.array(fc.array(fc.integer({ min: 2, max: 500 }), { maxLength: 200 }), { maxLength: 6 });

test('tokens of each document are counted, and each id as often as it is there', () =>
  fc.assert(
    fc.asyncProperty(fc.array(documentsOfIds, { minLength: 1, maxLength: 6 }), async (chunks) => {
      const found = await statisticsOf({ tokens: { of: chunks.map(tokensPart) } });
      assert.equal(found.histograms, { tokensPerDocument: counted(chunks.flat().map(({ length }) => length)) });
      assert.equal([...found.vocabulary.entries()], countedIds(chunks.flat(2)));
    }),
    { numRuns: 40 },
  ));

test('windows are counted besides the documents that they were cut from', async () => {
  const part = encodeTokens({
    lengths: Uint32Array.of(4, 3, 2),
    ids: Int32Array.of(1, 2, 3, 4, 4, 5, 6, 7, 8),
    documents: 3,
    spans: { documents: Uint32Array.of(0, 0, 2), starts: Uint32Array.of(0, 3, 0) },
  });
  const { histograms } = await statisticsOf({ tokens: { of: [{ ...filePart(part), form: 'tokens' }] } });
  assert.equal(histograms['tokensPerSample'], counted([4, 3, 2]));
  // The document between them came to nothing.
  assert.equal(histograms['tokensPerDocument'], counted([6, 2]));
});

const maxSeqLength = 16;

async function shardsOf(chunks: readonly (readonly number[])[][], options: object): Promise<readonly Part[]> {
  const { outputs } = await planRule(
    shard,
    { tokens: chunks.map(tokensPart) },
    { maxSeqLength, packTokens: 200, shardSize: '8KB', ...options },
  );
  return outputs['main'] ?? [];
}

test('sequences are as full as their tokens, and hold a piece of as many documents as EOS and columns say', () =>
  fc.assert(
    fc.asyncProperty(fc.array(documentsOfIds, { minLength: 1, maxLength: 4 }), async (chunks) => {
      const documents = chunks.flat().filter(({ length }) => length > 0);
      const stream = documents.flatMap((ids, document) => [...ids, eos].map((id) => ({ id, document })));
      const rows = Array.from({ length: Math.ceil(stream.length / maxSeqLength) }, (_, i) =>
        stream.slice(i * maxSeqLength, (i + 1) * maxSeqLength),
      );
      // One pack group, so that the oracle needs to know nothing of them.
      const packed = { packTokens: 1_000_000, acrossDocuments: false };
      for (const columns of [[], ['document_ids']]) {
        const found = await statisticsOf(
          { shards: { of: await shardsOf(chunks, { ...packed, columns }) } },
          columns.length === 0 ? { eosId: eos } : {},
        );
        if (rows.length === 0) continue;
        assert.equal(found.histograms['fillPercent'], counted(rows.map((row) => Math.floor((row.length * 100) / maxSeqLength))));
        assert.equal(
          found.histograms['documentsPerSequence'],
          counted(rows.map((row) => new Set(row.map(({ document }) => document)).size)),
        );
        assert.equal([...found.vocabulary.entries()], countedIds(stream.map(({ id }) => id)));
        assert.is(found.amounts['tokensReal'], stream.length);
      }
    }),
    { numRuns: 15 },
  ));

test('where neither a column nor an EOS tells documents apart, nothing is said of them', async () => {
  const { histograms } = await statisticsOf({ shards: { of: await shardsOf([[[5, 6, 7]]], {}) } });
  assert.equal(Object.keys(histograms), ['fillPercent']);
});

test('masked labels count where they are no padding', async () => {
  const across = await statisticsOf({
    shards: {
      of: await shardsOf(
        [
          [
            [5, 6, 7],
            [8, 9],
          ],
        ],
        { labels: 'hf' },
      ),
    },
  });
  const within = await statisticsOf({
    shards: {
      of: await shardsOf(
        [
          [
            [5, 6, 7],
            [8, 9],
          ],
        ],
        { labels: 'hf', acrossDocuments: false },
      ),
    },
  });
  assert.is(across.amounts['tokensReal'], 7);
  assert.ok((within.amounts['tokensMasked'] as number) > (across.amounts['tokensMasked'] as number));
});

test('a target without any part has statistics without anything in them', async () => {
  const found = await statisticsOf({});
  assert.equal([found.histograms, found.amounts, found.vocabulary.used], [{}, {}, 0]);
});

test('one changed chunk among many is measured again, and merged on its own branch only', async () => {
  const chunks = Array.from({ length: 300 }, (_, i) => [[i, i + 1, i + 2]]);
  const memory = new StepMemory();
  const inputs = (): GivenInputs => ({ documents: {}, shards: {}, tokens: { of: chunks.map(tokensPart) } });
  await memory.plan(statistics, inputs(), {});
  chunks[150] = [[7, 7, 7]];
  const { ran } = await memory.plan(statistics, inputs(), {});
  assert.is(ran.filter((name) => name === 'measure-tokens').length, 1);
  const merges = ran.filter((name) => name === 'merge').length;
  assert.ok(merges >= 2 && merges <= 4, `${merges} merges`);
});

test('every schedule gives the same bytes', async () => {
  const tokens = { of: Array.from({ length: 100 }, (_, i) => tokensPart([[i, i]])) };
  const identities = await identitiesOf(statistics, { documents: {}, tokens, shards: {} }, {});
  assert.is(new Set(identities).size, 1);
});

test.run();
