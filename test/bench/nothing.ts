import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Bench, Case, Row } from './case.ts';
import { count, memory, seconds, times } from './figures.ts';
import { type Measured, measure, repeat } from './measure.ts';
import { BenchProject } from './project.ts';

const repeats = 5;
const config = `
import { defineConfig, download, exportDataset, files } from 'dsbuild';

const raw = download({ sources: { 'a/docs': files('in/*.jsonl') } });
export default defineConfig({ targets: { raw, out: exportDataset(raw, { format: 'jsonl', out: 'out' }) } });
`;

function projectOf(folder: string, files: number): BenchProject {
  const project = new BenchProject(folder, config);
  mkdirSync(join(folder, 'in'));
  for (let i = 0; i < files; i++)
    writeFileSync(join(folder, 'in', `${i}.jsonl`), `{"id":"${i}","text":"document ${i} with a little text in it"}\n`);
  return project;
}

/** The same question to ninja: one command for each of as many inputs, nothing changed. */
async function ninja(folder: string, files: number): Promise<Measured | undefined> {
  if (spawnSync('ninja', ['--version']).status !== 0) return undefined;
  const inputs = Array.from({ length: files }, (_, i) => `build o/${i}: copy in/${i}.jsonl`).join('\n');
  writeFileSync(join(folder, 'build.ninja'), `rule copy\n  command = cp $in $out\n${inputs}\n`);
  const run = () => measure({ command: ['ninja', '--quiet'], cwd: folder });
  await run();
  return repeat(repeats, run);
}

async function* run(bench: Bench): AsyncGenerator<Row> {
  for (const files of [1_000, 10_000, 100_000].map((full) => Math.ceil(full * bench.scale))) {
    bench.say(`${count(files)} files`);
    const project = projectOf(join(bench.scratch, String(files)), files);
    await project.build();
    // A file that changed within two seconds before its scan is read again.
    await pause(2_100);
    await project.build();
    const ours = await repeat(repeats, () => project.build());
    const theirs = await ninja(project.folder, files);
    yield {
      what: `nothing to do, ${count(files)} source files`,
      dsbuild: `${seconds(ours.wallSeconds)}, ${memory(ours.rssMb)}`,
      beside: theirs ? [`ninja ${seconds(theirs.wallSeconds)}: ${times(ours.wallSeconds / theirs.wallSeconds)} as fast`] : [],
      raw: { files, ours, theirs },
    };
    project.remove();
  }
}

export const nothing: Case = {
  name: 'nothing',
  about: 'a build with nothing to do over 1,000, 10,000 and 100,000 source files, beside ninja where it is installed',
  takes: '3 minutes',
  diskBytes: 2e9,
  run,
};
