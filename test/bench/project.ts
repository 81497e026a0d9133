import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BuildEvent, BuildSummary, Counters } from '../../src/base/events.ts';
import { type Measured, measure } from './measure.ts';

export const program = fileURLToPath(new URL('../../bin/dsbuild.js', import.meta.url));

/** Workers in all comparisons; whoever is compared gets as many cores. */
export const workers = 2;

export interface Built extends Measured {
  readonly summary: BuildSummary;
  /** How often each step ran: `tokens encode` -> 3. Hits are not in it. */
  readonly ran: Readonly<Record<string, number>>;
  /** How long all runs of each step took together. */
  readonly stepsMs: Readonly<Record<string, number>>;
  /** How long sources were read until their chunks were known. */
  readonly scanMs: number;
  /** Sums of the counters of all steps. */
  readonly counters: Counters;
}

/** A folder with a `datasets.config.ts`, built by the real program. */
export class BenchProject {
  readonly folder: string;
  /** What its builds see in their environment besides. */
  env: Readonly<Record<string, string>> = {};

  constructor(folder: string, config: string) {
    this.folder = folder;
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'datasets.config.ts'), config);
  }

  async build(...args: readonly string[]): Promise<Built> {
    const command = [process.execPath, program, 'build', '--json', '-j', String(workers), ...args];
    const measured = await measure({ command, cwd: this.folder, env: this.env, cores: workers });
    const events = measured.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as BuildEvent);
    const summary = events.at(-1);
    if (summary?.type !== 'summary' || !summary.ok) throw new Error(`the build in ${this.folder} has no good end`);
    return { ...measured, summary, ...stepsOf(events), counters: countersOf(events) };
  }

  /** SHA-256 of each published file by its name. */
  digests(out = 'out'): Record<string, string> {
    const names = readdirSync(join(this.folder, out), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const paths = names.map((entry) => join(entry.parentPath, entry.name)).sort();
    const digest = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');
    return Object.fromEntries(paths.map((path) => [path.slice(this.folder.length), digest(path)]));
  }

  /** As if it had never been built. */
  forget(): void {
    for (const name of ['.dsbuild', 'out', 'dsbuild.lock']) rmSync(join(this.folder, name), { recursive: true, force: true });
  }

  remove(): void {
    if (existsSync(this.folder)) rmSync(this.folder, { recursive: true, force: true });
  }
}

/** What is needed to see where the time of a build went. */
function stepsOf(events: readonly BuildEvent[]): Pick<Built, 'ran' | 'stepsMs' | 'scanMs'> {
  const ran: Record<string, number> = {};
  const stepsMs: Record<string, number> = {};
  let scanMs = 0;
  for (const event of events) {
    if (event.type === 'scanned') scanMs += event.tookMs;
    if (event.type !== 'step-finished' || event.how !== 'ran') continue;
    const name = `${event.target} ${event.step}`;
    ran[name] = (ran[name] ?? 0) + 1;
    stepsMs[name] = (stepsMs[name] ?? 0) + event.tookMs;
  }
  return { ran, stepsMs, scanMs };
}

/** The figures of a build alone, for `--json`. */
export function figuresOf({ wallSeconds, cpuSeconds, rssMb, ran, stepsMs, scanMs }: Built): object {
  return { wallSeconds, cpuSeconds, rssMb, scanMs, ran, stepsMs };
}

function countersOf(events: readonly BuildEvent[]): Counters {
  const sums: Record<string, number> = {};
  for (const event of events) {
    if (event.type !== 'step-finished') continue;
    for (const [name, amount] of Object.entries(event.counters)) sums[name] = (sums[name] ?? 0) + amount;
  }
  return sums;
}

interface Training {
  readonly source: string;
  readonly tokenizer: string;
  readonly shardSize?: string;
}

/** JSONL to packed 2,048-token sequences in Snappy Parquet: the product's main road, and what the peers are given to do. */
export const trainingConfig = ({ source, tokenizer, shardSize = '2GB' }: Training): string => `
import { defineConfig, download, index, shard, tokenize } from 'dsbuild';

const raw = download({ sources: { 'bench/docs': ${JSON.stringify(source)} } });
const tokens = tokenize(raw, { tokenizer: ${JSON.stringify(tokenizer)}, specialTokens: false });
const shards = shard(tokens, { maxSeqLength: 2048, shardSize: ${JSON.stringify(shardSize)}, out: 'out' });
export default defineConfig({ targets: { raw, tokens, shards, train: index(shards) } });
`;
