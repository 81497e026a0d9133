import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cutAll, mix } from '../src/base/cut.ts';
import { limits } from '../src/base/limits.ts';
import { integer } from '../src/rule/options.ts';
import { factOf, type Part } from '../src/rule/part.ts';
import { type Build, defineRule, many, type Running } from '../src/rule/rule.ts';
import { Statistics } from '../src/rule/statistics.ts';
import { defineStep, type StepIo } from '../src/rule/step.ts';
import { decodeTokens } from './lib/tokens.ts';

function write(io: StepIo, statistics: Statistics): void {
  const output = io.create('file');
  output.write(statistics.encode());
  output.close();
}

type Params = Record<string, never>;

const measureDocuments = defineStep('measure-documents', { version: 1 }, async ({ chunk }: { chunk: Part }, _params: Params, io) => {
  const lib = await import('./lib/measure.ts');
  write(io, lib.measureDocuments(io.documents(chunk)));
});

const measureTokens = defineStep('measure-tokens', { version: 1 }, async ({ tokens }: { tokens: Part }, _params: Params, io) => {
  const lib = await import('./lib/measure.ts');
  write(io, lib.measureTokens(decodeTokens(io.bytes(tokens))));
});

interface ShardParams {
  /** The token that ends each document; null where that is not known. */
  readonly eosId: number | null;
}

const measureShard = defineStep('measure-shard', { version: 1 }, async ({ shard }: { shard: Part }, { eosId }: ShardParams, io) => {
  const [lib, { ShardReader }] = await Promise.all([import('./lib/measure.ts'), import('./lib/parquet/read-shard.ts')]);
  const reader = new ShardReader(fileOf(shard, io));
  try {
    write(io, await lib.measureShard(reader, eosId ?? undefined));
  } finally {
    reader.close();
  }
});

/** Small parts lie together in packs, and columns are read from a file. */
function fileOf(part: Part, io: StepIo): string {
  if (part.bytes >= limits.packedBytesMax) return io.path(part);
  const path = join(io.scratch(), 'shard.parquet');
  writeFileSync(path, io.bytes(part));
  return path;
}

const merge = defineStep('merge', { version: 1 }, ({ parts }: { parts: readonly Part[] }, _params: Params, io) => {
  const merged = new Statistics();
  for (const [i, part] of parts.entries()) {
    merged.merge(io.bytes(part));
    io.progress(i + 1, parts.length);
  }
  write(io, merged);
});

interface Measured {
  readonly running: Running;
  /** Decides which of its neighbours it is merged with. */
  readonly u: number;
}

/** Statistics that are merged at once; each level of the tree has so many times fewer. */
const mergedAtOnce = 32;
/** Ends of one level are to be independent of those of the level below. */
const levelSalt = 0x7f4a7c15;

/**
 * Adds up in a tree whose branches are chosen by content: when one part of a hundred thousand changes, only the merges above it are made
 * again, and none of them reads more than a few dozen.
 */
function mergedInTree(measured: readonly Measured[], build: Build): Running {
  let level = measured;
  while (level.length > 2 * mergedAtOnce) {
    const us = level.map(({ u }) => mix(u, levelSalt));
    let from = 0;
    level = cutAll(new Float64Array(level.length).fill(1), us, mergedAtOnce).map((end) => {
      const run = level.slice(from, end);
      from = end;
      return { running: mergedAtOnceOf(run, build), u: us[end - 1] as number };
    });
  }
  return mergedAtOnceOf(level, build);
}

const mergedAtOnceOf = (run: readonly Measured[], build: Build): Running =>
  build.step(merge, { parts: run.map(({ running }) => running.part['main'] as Part) }, {});

/** What the last plans of a target came to: the implicit target behind `dsbuild stats`, which gives it one collection of one kind. */
export const statistics = defineRule({
  name: 'statistics',
  version: 1,
  doc: 'Counts lengths and token ids of what a target holds; `dsbuild stats` shows them.',
  inputs: { documents: many('documents'), tokens: many('tokens'), shards: many('shards') },
  output: 'table',
  options: { eosId: integer({ min: 0 }).optional().doc('The token that ends each document of shards.') },
  steps: [measureDocuments, measureTokens, measureShard, merge],
  gathers: () => true,
  async plan({ documents, tokens, shards }, { eosId = null }, build) {
    const measured: Measured[] = [];
    const add = (part: Part, running: Running): void => void measured.push({ running, u: factOf(part, 'u') });
    for (const collection of Object.values(documents))
      for await (const chunk of collection) add(chunk, build.step(measureDocuments, { chunk }, {}));
    for (const collection of Object.values(tokens))
      for await (const part of collection) add(part, build.step(measureTokens, { tokens: part }, {}));
    for (const collection of Object.values(shards)) {
      for await (const file of collection)
        if (file.name?.endsWith('.parquet')) add(file, build.step(measureShard, { shard: file }, { eosId }));
    }
    build.emit(mergedInTree(measured, build), { group: '' });
  },
});
