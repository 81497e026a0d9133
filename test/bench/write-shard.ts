/** Usage: node --import tsx test/bench/write-shard.ts IDS MAX_SEQ_LENGTH ROWS_PER_GROUP OUT: what bench_pyarrow.py measures, of dsbuild's writer. */
import { closeSync, openSync, readFileSync, statSync, writeSync } from 'node:fs';
import { type PageCodec, pageCodec } from '../../rules/lib/parquet/codecs.ts';
import { encodeRowGroupPart } from '../../rules/lib/parquet/part.ts';
import { encodeRowGroup } from '../../rules/lib/parquet/rowgroup.ts';
import { writeShard } from '../../rules/lib/parquet/shard.ts';

const [path = '', length, rows, out = ''] = process.argv.slice(2);
const [maxSeqLength, rowsPerGroup] = [Number(length), Number(rows)];
const ids = new Int32Array(new Uint8Array(readFileSync(path)).buffer);
const rounds = 3;
const none = new Uint32Array();
/** Labels across documents and the columns of every file ask for no documents. */
const spans = { at: none, lengths: none, samples: none, starts: none };

function* rowGroups(codec: PageCodec): Generator<Uint8Array> {
  for (let start = 0; start < ids.length; start += rowsPerGroup * maxSeqLength) {
    const group = ids.subarray(start, start + rowsPerGroup * maxSeqLength);
    const rows = group.length / maxSeqLength;
    const realLengths = new Uint32Array(rows).fill(maxSeqLength);
    const packed = { rows, maxSeqLength, ids: group, realLengths, spans, eosId: 0 };
    yield encodeRowGroupPart(encodeRowGroup({ ...packed, labels: 'shifted', acrossDocuments: true, codec }));
  }
}

function write(codec: PageCodec): void {
  const file = openSync(out, 'w');
  writeShard(rowGroups(codec), (bytes) => void writeSync(file, bytes), { keyValues: {} });
  closeSync(file);
}

/** The best of some rounds, as on the other side: the others waited for memory, or for the compiler. */
function measure(codec: PageCodec): { cpuSeconds: number; bytes: number } {
  const runs = Array.from({ length: rounds }, () => {
    const before = process.cpuUsage();
    write(codec);
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1e6;
  });
  return { cpuSeconds: Math.min(...runs), bytes: statSync(out).size };
}

const found: Record<string, { cpuSeconds: number; bytes: number }> = {};
for (const name of ['snappy', 'zstd', 'none'] as const) found[name] = measure(await pageCodec(name));
process.stdout.write(JSON.stringify(found));
