import type { DocumentRow } from '../../src/rule/documents.ts';
import { Statistics } from '../../src/rule/statistics.ts';
import type { ShardReader } from './parquet/read-shard.ts';
import { codePoints } from './stats.ts';
import { documentLengths, type TokensPart } from './tokens.ts';

/** How long the texts of documents are. */
export function measureDocuments(rows: Iterable<DocumentRow>): Statistics {
  const statistics = new Statistics();
  const [characters, bytes] = [statistics.of('characters'), statistics.of('bytes')];
  for (const { document } of rows) {
    characters.add(codePoints(document.text));
    bytes.add(Buffer.byteLength(document.text));
  }
  return statistics;
}

/** How many tokens documents have, and which. What windows share counts in the vocabulary as often as it is there. */
export function measureTokens(tokens: TokensPart): Statistics {
  const statistics = new Statistics();
  const perDocument = statistics.of('tokensPerDocument');
  // -1 stands for a document of which nothing could be made.
  for (const length of documentLengths(tokens)) if (length >= 0) perDocument.add(length);
  if (tokens.spans) {
    const perSample = statistics.of('tokensPerSample');
    for (const length of tokens.lengths) perSample.add(length);
  }
  statistics.vocabulary.addAll(tokens.ids);
  return statistics;
}

interface Rows {
  readonly count: number;
  readonly ids: Int32Array;
  readonly mask: Int32Array;
  readonly labels: Int32Array;
  /** Numbers of the documents in each row from 1 on, where the file has them. */
  readonly documents: Int32Array | undefined;
}

const ignoredLabel = -100;

/** How full sequences are, of how many documents they hold a piece, and which tokens. Memory: four columns of one row group. */
export async function measureShard(reader: ShardReader, eosId: number | undefined): Promise<Statistics> {
  const statistics = new Statistics();
  for (const group of reader.groups) {
    const has = (name: string): boolean => group.columns.some((column) => column.name === name);
    const rows = {
      count: group.rows,
      ids: await reader.column(group, 'input_ids'),
      mask: await reader.column(group, 'attention_mask'),
      labels: await reader.column(group, 'labels'),
      documents: has('document_ids') ? await reader.column(group, 'document_ids') : undefined,
    };
    measureRows(rows, eosId, statistics);
  }
  return statistics;
}

function measureRows(rows: Rows, eosId: number | undefined, statistics: Statistics): void {
  const length = rows.ids.length / rows.count;
  for (let row = 0; row < rows.count; row++) {
    const from = row * length;
    let to = from;
    while (to < from + length && rows.mask[to] === 1) to++;
    statistics.of('fillPercent').add(Math.floor(((to - from) * 100) / length));
    const documents = documentsIn(rows, { from, to }, eosId);
    if (documents !== undefined) statistics.of('documentsPerSequence').add(documents);
    statistics.vocabulary.addAll(rows.ids.subarray(from, to));
    let masked = 0;
    for (let at = from; at < to; at++) if (rows.labels[at] === ignoredLabel) masked++;
    statistics.count('tokensReal', to - from);
    statistics.count('tokensMasked', masked);
  }
}

/** Documents are numbered where the file says so; else an EOS ends each. Without either nobody knows. */
function documentsIn({ ids, documents }: Rows, { from, to }: { from: number; to: number }, eosId: number | undefined): number | undefined {
  if (documents) return documents.subarray(from, to).reduce((most, number) => Math.max(most, number), 0);
  if (eosId === undefined) return undefined;
  let ends = 0;
  for (let at = from; at < to; at++) if (ids[at] === eosId) ends++;
  return ends + (to > from && ids[to - 1] !== eosId ? 1 : 0);
}
