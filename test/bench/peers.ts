import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { cached, copyOf, runQuietly } from './cache-folder.ts';
import { type Measured, measure } from './measure.ts';
import { workers } from './project.ts';
import type { BenchTokenizer } from './tokenizers.ts';

export interface PeerJob {
  readonly input: string;
  readonly out: string;
  readonly tokenizer: BenchTokenizer;
}

/** A peer's run that has ended. */
interface PeerRun extends PeerJob {
  readonly stdout: string;
  /** Documents in its input. */
  readonly documents: number;
}

/** Another tool that does what a cold build does. */
export interface Peer {
  readonly name: string;
  readonly script: string;
  /** How many times faster than it a cold build is to be. */
  readonly goal: number;
  /** What it reads: the corpus as one file, or as eight files, a task each. */
  readonly input: 'file' | 'folder';
  /** Tokens that it wrote, EOS included, and how many it may have left out. */
  tokens(run: PeerRun): { readonly written: number; readonly missingMax: number };
}

const maxSeqLength = 2048;
const batchDocuments = 1000;

function bytesBelow(folder: string, suffix: string): number {
  const names = readdirSync(folder, { recursive: true }).map(String);
  return names.filter((name) => name.endsWith(suffix)).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
}

export const peers: readonly Peer[] = [
  {
    name: 'hand-written script',
    script: 'handwritten.sh',
    goal: 4,
    input: 'file',
    tokens: ({ stdout }) => ({ written: Number(/tokens (\d+)/.exec(stdout)?.[1]), missingMax: 0 }),
  },
  {
    name: 'HF datasets',
    script: 'hf_datasets.sh',
    goal: 4,
    input: 'file',
    // It drops what does not fill the last sequence of a batch; each process has a last batch that is smaller.
    tokens: ({ stdout, documents }) => ({
      written: Number(/sequences (\d+)/.exec(stdout)?.[1]) * maxSeqLength,
      missingMax: (documents / batchDocuments + workers) * maxSeqLength,
    }),
  },
  {
    name: 'datatrove (no Parquet)',
    script: 'datatrove_tokenize.sh',
    goal: 3.5,
    input: 'folder',
    tokens: ({ out, tokenizer }) => ({ written: bytesBelow(join(out, 'tokens'), '.ds') / tokenizer.idBytes, missingMax: 0 }),
  },
];

/** Says in what a peer's output differs from ours, if it does. */
export function difference({ tokens, name }: Peer, run: PeerRun, ours: number): string | undefined {
  const { written, missingMax } = tokens(run);
  const same = written <= ours && written >= ours - missingMax;
  return same ? undefined : `${name} wrote ${written} tokens, dsbuild ${ours}: these times can not be compared`;
}

/** The peers' folder with their own Python, made once. */
export function peersFolder(say: (line: string) => void): string {
  return cached('peers', (making) => {
    say('setting up the peers (once, 800 MB)');
    copyOf('peers', making);
    runQuietly('sh', [join(making, 'setup.sh')]);
  });
}

export function runPeer(folder: string, { script }: Peer, { input, out, tokenizer }: PeerJob): Promise<Measured> {
  mkdirSync(out, { recursive: true });
  const env = { TOKENIZER: tokenizer.peersModel, WORKERS: String(workers), NPROC: String(workers), RAYON_NUM_THREADS: String(workers) };
  return measure({ command: ['sh', join(folder, script), input, out], cwd: out, env, cores: workers });
}

/** One file for each of eight tasks. */
export function splitInto8(folder: string, input: string, to: string): string {
  if (!existsSync(to)) runQuietly(join(folder, '.venv/bin/python'), [join(folder, 'split8.py'), input, to, '8']);
  return to;
}
