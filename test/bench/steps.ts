import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { atMost, type Bench, type Case, type Row } from './case.ts';
import { count, memory, seconds } from './figures.ts';
import { repeat } from './measure.ts';
import { BenchProject, type Built } from './project.ts';

const repeats = 5;

/** A rule of steps that do nothing: what is left is the engine. It asks for so many, then waits for one, as plans that look at results do. */
export const manyConfig = (steps: number): string => `
import { defineConfig, defineRule, defineStep } from 'dsbuild';

const nothing = defineStep('nothing', { version: 1 }, (_inputs, _params, io) => io.create('file').close());
const many = defineRule({ name: 'many', version: 1, inputs: {}, output: 'files', options: {}, steps: [nothing],
  async plan(_inputs, _options, build) {
    for (let i = 0; i < ${steps}; i++) {
      build.emit(build.step(nothing, {}, { i }));
      if (i % 2048 === 2047) await build.step(nothing, {}, { i: -i });
    }
  },
});
export default defineConfig({ targets: { many: many({}) } });
`;

/** One target of so many parts, each of which a step of another target reads. Part 0 is made of the lines of a file. */
const partsConfig = (parts: number): string => `
import { defineConfig, defineRule, defineStep, file } from 'dsbuild';

const write = defineStep('write', { version: 1 }, ({ given }, { i }, io) => {
  const part = io.create('file');
  part.write(Buffer.from(given ? io.bytes(given) : String(i)));
  part.close({ number: i });
});
const split = defineRule({ name: 'split', version: 1, inputs: {}, output: 'files', options: { first: file() }, steps: [write],
  async plan(_inputs, { first }, build) {
    for (let i = 0; i < ${parts}; i++) {
      const step = build.step(write, i === 0 ? { given: first } : {}, { i });
      build.emit(step);
      if (i % 2048 === 2047) await step;
    }
  },
});
const copy = defineStep('copy', { version: 1 }, ({ part }, _params, io) => {
  const made = io.create('file');
  made.write(io.bytes(part));
  made.close();
});
const each = defineRule({ name: 'each', version: 1, inputs: { from: 'files' }, output: 'files', options: {}, steps: [copy],
  async plan({ from }, _options, build) {
    for await (const part of from) build.emit(build.step(copy, { part }, {}));
  },
});
const parts = split({ first: 'first.txt' });
export default defineConfig({ targets: { parts, copies: each(parts) } });
`;

const figuresOf = ({ wallSeconds, cpuSeconds, rssMb, ran }: Built): object => ({ wallSeconds, cpuSeconds, rssMb, ran });

async function* benchSteps(bench: Bench): AsyncGenerator<Row> {
  const steps = Math.ceil(64_000 * bench.scale);
  bench.say(`${count(steps)} steps`);
  const project = new BenchProject(join(bench.scratch, 'steps'), manyConfig(steps));
  const cold = await project.build();
  project.remove();
  const microseconds = (cold.wallSeconds / steps) * 1e6;
  yield {
    what: `${count(steps)} steps that do nothing`,
    dsbuild: `${microseconds.toFixed(0)} us a step, start of the program included; ${memory(cold.rssMb)}`,
    goals: [atMost(Math.round(microseconds), 100, 'us a step')],
    raw: figuresOf(cold),
  };
}

async function* benchOneChangedPart(bench: Bench): AsyncGenerator<Row> {
  const parts = Math.ceil(100_000 * bench.scale);
  bench.say(`${count(parts)} parts`);
  const project = new BenchProject(join(bench.scratch, 'parts'), partsConfig(parts));
  const write = (text: string): void => writeFileSync(join(project.folder, 'first.txt'), text);
  write('one');
  await project.build();
  await project.build();
  const nothing = await repeat(repeats, () => project.build());
  let edits = 0;
  const edit = await repeat(repeats, () => {
    write(`another ${edits++}`);
    return project.build();
  });
  project.remove();
  yield {
    what: `one changed part among ${count(parts)}, in two targets`,
    dsbuild: `${seconds(edit.wallSeconds)}, ${memory(edit.rssMb)}; nothing to do ${seconds(nothing.wallSeconds)}`,
    goals: [atMost(edit.wallSeconds, nothing.wallSeconds + 0.5, 's, half a second more than nothing to do')],
    raw: { parts, nothing, edit },
  };
}

export const steps: Case = {
  name: 'steps',
  about: "the engine's own time and memory: steps that do nothing, and one changed part among 100,000",
  takes: '3 minutes',
  diskBytes: 1e9,
  async *run(bench) {
    yield* benchSteps(bench);
    yield* benchOneChangedPart(bench);
  },
};
