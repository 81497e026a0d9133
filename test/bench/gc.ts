import { join } from 'node:path';
import type { CacheStats } from '../../src/engine/gc/cache-stats.ts';
import type { GcReport } from '../../src/engine/gc/report.ts';
import { atMost, type Bench, type Case, type Row } from './case.ts';
import { count, megabytes, memory, seconds } from './figures.ts';
import { type Measured, measure } from './measure.ts';
import { BenchProject, program } from './project.ts';

const objects = 100_000;
/** Of the objects, those that are large enough for a file of their own; the others lie in packs. */
const ownShare = 0.2;
const ownBytes = 65_536;
const secondsMax = 5;

/** Targets that fill the store. */
const fillConfig = (small: number, large: number): string => `
import { defineConfig, defineRule, defineStep, integer } from 'dsbuild';

const write = defineStep('write', { version: 1 }, (_inputs, { i, bytes }, io) => {
  const part = io.create('file');
  part.write(Buffer.alloc(bytes, String(i) + '.'));
  part.close();
});
const fill = defineRule({ name: 'fill', version: 1, inputs: {}, output: 'files', options: { count: integer(), bytes: integer() }, steps: [write],
  async plan(_inputs, { count, bytes }, build) {
    for (let i = 0; i < count; i++) {
      const step = build.step(write, {}, { i, bytes });
      build.emit(step);
      if (i % 2048 === 2047) await step;
    }
  },
});
export default defineConfig({ targets: { small: fill({ count: ${small}, bytes: 1000 }), large: fill({ count: ${large}, bytes: ${ownBytes} }) } });
`;

async function run<T>(project: BenchProject, ...args: readonly string[]): Promise<{ measured: Measured; said: T }> {
  const measured = await measure({ command: [process.execPath, program, 'cache', ...args, '--json'], cwd: project.folder });
  return { measured, said: JSON.parse(measured.stdout) as T };
}

async function* benchGc(bench: Bench): AsyncGenerator<Row> {
  const total = Math.ceil(objects * bench.scale);
  const large = Math.ceil(total * ownShare);
  bench.say(`${count(total)} objects`);
  const project = new BenchProject(join(bench.scratch, 'gc'), fillConfig(total - large, large));
  await project.build();
  const stats = await run<CacheStats>(project, 'stats');
  const { bytes, blobs } = stats.said.store;
  const plan = await run<GcReport>(project, 'gc', '--max', '0', '-n');
  const half = await run<GcReport>(project, 'gc', '--max', `${Math.round(bytes / 2e6)}MB`);
  const rest = await run<GcReport>(project, 'gc', '--max', '0');
  const wall = Math.max(half.measured.wallSeconds, rest.measured.wallSeconds);
  const freed = ({ said }: { said: GcReport }): string => megabytes(said.bytesBefore - said.bytes);
  const took = ({ measured }: { measured: Measured }): string =>
    `${seconds(measured.wallSeconds)} (${measured.cpuSeconds.toFixed(1)} CPU s)`;
  const again = await project.build();
  if (again.summary.steps.ran !== 0) throw new Error('after a collection a build has something to do');
  project.remove();
  yield {
    what: `cache gc of ${count(blobs)} objects, ${megabytes(bytes)}`,
    dsbuild: `the older half (${freed(half)}) in ${took(half)}, the rest (${freed(rest)}) in ${took(rest)}, start of the program included; ${memory(Math.max(half.measured.rssMb, rest.measured.rssMb))}; -n ${seconds(plan.measured.wallSeconds)}`,
    goals: [atMost(wall, secondsMax, 's')],
    raw: { stats, plan, half, rest },
  };
}

export const gcCase: Case = {
  name: 'gc',
  about: 'collecting a cache of 100,000 objects',
  takes: 'a minute',
  diskBytes: 2e9,
  run: benchGc,
};
