import { BuildError } from '../../src/base/errors.ts';
import { type Config, defineConfig, type Targets } from '../../src/config/define.ts';
import { buildGraph, type GraphRequest } from '../../src/graph/build-graph.ts';
import type { Graph } from '../../src/graph/graph.ts';
import { choice, integer, secrets, size, text, uses } from '../../src/rule/options.ts';
import { type Ancestor, defineRule, many } from '../../src/rule/rule.ts';

const nothing = async (): Promise<void> => {};
const about = { version: 1, steps: [], plan: nothing };

/** Rules that do nothing, one for each form of inputs and outputs. */
const readRule = defineRule({
  ...about,
  name: 'read',
  inputs: {},
  output: 'documents',
  options: { from: text().default('x'), secrets: secrets().optional() },
});
export const read = (options: Parameters<typeof readRule>[0] = {}): ReturnType<typeof readRule> => readRule(options);
export const filter = defineRule({
  ...about,
  name: 'filter',
  inputs: { documents: 'documents' },
  output: { kept: 'documents', rejected: 'documents' },
  options: { charsMin: integer({ min: 0 }).default(5), use: uses().optional() },
});
export const union = defineRule({ ...about, name: 'union', inputs: { documents: many('documents') }, output: 'documents', options: {} });
export const minus = defineRule({
  ...about,
  name: 'minus',
  inputs: { documents: 'documents', against: many('documents') },
  output: 'documents',
  options: {},
});
export const tokenize = defineRule({
  ...about,
  name: 'tokenize',
  inputs: { documents: 'documents' },
  output: 'tokens',
  options: { tokenizer: text() },
});
export const shard = defineRule({
  ...about,
  name: 'shard',
  inputs: { tokens: 'tokens' },
  output: 'shards',
  options: { length: integer({ min: 1 }).default(8), shardSize: size().default('2GB'), labels: choice('shifted', 'hf').default('shifted') },
});
/** What the last `index` was asked to inherit from. */
export const inherited: { ancestors: readonly Ancestor[]; out: string | undefined }[] = [];
export const index = defineRule({
  ...about,
  name: 'index',
  inputs: { shards: 'shards' },
  output: 'index',
  options: { length: integer().optional(), tokenizer: text() },
  inherit(ancestors, out) {
    inherited.push({ ancestors, out });
    const option = (rule: string, name: string): unknown => ancestors.find((one) => one.rule === rule)?.options[name];
    return { tokenizer: option('tokenize', 'tokenizer'), length: option('shard', 'length'), output: out, nothing: undefined };
  },
});
export const write = defineRule({ ...about, name: 'write', inputs: { documents: 'documents' }, output: 'files', options: {} });

export const project = '/project';

/** The graph of targets whose places are not of interest. */
export function graphOf(targets: Targets, more: Partial<Omit<Config, 'targets'>> & Partial<Pick<GraphRequest, 'outRoot'>> = {}): Graph {
  const { outRoot, ...config } = more;
  return buildGraph({
    config: defineConfig({ targets, ...config }).resolve({ catalog: [] }),
    base: project,
    where: 'datasets.config.ts:9:16',
    locate: () => 'datasets.config.ts:3:14',
    moduleOf: () => `${project}/datasets.config.ts`,
    publishers: { documents: write.rule },
    ...(outRoot !== undefined && { outRoot }),
  });
}

/** Message of the BuildError with which something fails, and its code and place. */
export function refusalOf(work: () => unknown): { code: string; where: string | undefined; message: string; hint: string | undefined } {
  try {
    work();
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    const { code, where, message, hint } = error;
    return { code, where, message, hint };
  }
  throw new Error('it did not fail');
}
