import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { python, runPython } from '../python.ts';
import { atLeast, type Bench, type Case, type Row } from './case.ts';
import { corpus } from './corpora.ts';
import { megabytes, times } from './figures.ts';
import { median } from './measure.ts';
import { type BenchTokenizer, gpt2, llama3 } from './tokenizers.ts';

/** No more than this of a corpus: the reference takes half a second for each megabyte. */
const bytesMax = 15e6;

interface Encoded {
  readonly cpuSeconds: number;
  readonly tokens: number;
  /** SHA-256 of all ids as 32-bit integers. */
  readonly ids: string;
}

interface OwnEncoded extends Encoded {
  readonly engine: string;
  /** A second pass over the same texts. */
  readonly warmCpuSeconds: number;
}

interface Texts {
  readonly name: string;
  readonly file: string;
  readonly bytes: number;
  readonly goal: number;
}

function textsOf(name: 'docs' | 'multilang', { scratch, scale }: Bench): Omit<Texts, 'name' | 'goal'> {
  const texts: string[] = [];
  let bytes = 0;
  for (const line of readFileSync(corpus(name), 'utf8').split('\n')) {
    if (line === '' || bytes > bytesMax * scale) break;
    texts.push((JSON.parse(line) as { text: string }).text);
    bytes += Buffer.byteLength(texts.at(-1) as string);
  }
  const file = join(scratch, `${name}.json`);
  writeFileSync(file, JSON.stringify(texts));
  return { file, bytes };
}

const script = fileURLToPath(new URL('encode-texts.ts', import.meta.url));
const tsx = import.meta.resolve('tsx');

/** In a process of its own: nothing is compiled or remembered from before. */
function encodeOwn(model: string, texts: string): OwnEncoded {
  const said = execFileSync(process.execPath, ['--import', tsx, script, model, texts], { encoding: 'utf8' });
  return JSON.parse(said) as OwnEncoded;
}

function compare(bench: Bench, tokenizer: BenchTokenizer, { name, file, bytes, goal }: Texts): Row {
  const interpreter = python('tokenizers');
  if (!interpreter) throw new Error('there is no Python with tokenizers: run test/setup-python.sh');
  const ours: OwnEncoded[] = [];
  const theirs: Encoded[] = [];
  while (ours.length < bench.rounds) {
    ours.push(encodeOwn(tokenizer.model, file));
    theirs.push(runPython(interpreter, 'bench_tokenizers.py', [tokenizer.model, file]) as Encoded);
  }
  const rate = (all: readonly Encoded[]): number => bytes / 1e6 / median(all.map(({ cpuSeconds }) => cpuSeconds));
  const ratio = rate(ours) / rate(theirs);
  const warm = bytes / 1e6 / median(ours.map(({ warmCpuSeconds }) => warmCpuSeconds));
  const same = ours[0]?.ids === theirs[0]?.ids ? 'same ids' : 'OTHER IDS';
  return {
    what: `tokenizing ${megabytes(bytes)} of ${name}, ${tokenizer.name}, one thread`,
    dsbuild: `${rate(ours).toFixed(1)} MB/cpu-s (${warm.toFixed(1)} in a second pass)`,
    beside: [`PyPI tokenizers ${rate(theirs).toFixed(1)} MB/cpu-s: dsbuild is ${times(ratio)} as fast, ${same}`],
    goals: [atLeast(ratio, goal, 'times')],
    raw: { bytes, engine: ours[0]?.engine, ours, theirs },
  };
}

async function* run(bench: Bench): AsyncGenerator<Row> {
  const corpora: readonly Texts[] = [
    { name: 'English', ...textsOf('docs', bench), goal: 4 },
    { name: 'many languages', ...textsOf('multilang', bench), goal: 2 },
  ];
  for (const tokenizer of [gpt2(), llama3()]) {
    for (const texts of corpora) {
      bench.say(`${tokenizer.name}, ${texts.name}`);
      yield compare(bench, tokenizer, texts);
    }
  }
}

export const tokenizerCase: Case = {
  name: 'tokenizer',
  about: 'the tokenizer engine alone beside PyPI tokenizers (Rust), per second of CPU time, loading left out; the ids are compared',
  needs: 'the corpora, .venv of test/setup-python.sh; fetches tokenizers from npm once',
  takes: '3 minutes',
  run,
};
