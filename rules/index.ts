import { isRemote } from '../src/base/address.ts';
import { didYouMean } from '../src/base/names.ts';
import { integer, list, text } from '../src/rule/options.ts';
import { factOf, type Part, sumOf } from '../src/rule/part.ts';
import { type Ancestor, type Build, defineRule } from '../src/rule/rule.ts';
import { isSourceValue } from '../src/rule/source.ts';
import { defineStep } from '../src/rule/step.ts';
import { indexCheck } from './lib/index-check.ts';
import { folderOfPatterns, jsonFile, manifestName, posixPath, splitOf } from './lib/names.ts';

interface SplitEntry {
  readonly path: string;
  readonly shards: number;
  readonly sequences: number;
  readonly samples: number;
  readonly tokens: number;
}

/** What `manifest.json` holds, field by field. */
interface Manifest {
  readonly tokenizer: string;
  readonly max_seq_length: number;
  readonly shard_size_gb: number;
  readonly input_path: string;
  readonly output_path: string;
  readonly files_processed: number;
  readonly splits: Readonly<Record<string, SplitEntry>>;
}

/** Splits travel as a list, because an object's order of names is not kept where they look like numbers. */
interface ManifestParams extends Omit<Manifest, 'splits'> {
  readonly splits: readonly (readonly [string, SplitEntry])[];
}

const manifest = defineStep('manifest', { version: 1 }, (_: Record<never, never>, { splits, ...rest }: ManifestParams, io) => {
  const written: Manifest = { ...rest, splits: Object.fromEntries(splits) };
  const output = io.create('file');
  output.write(jsonFile(written));
  output.close({ splits: splits.length });
});

/** The table of contents of a training folder. */
export const index = defineRule({
  name: 'index',
  version: 1,
  doc: 'Writes manifest.json beside the shards: what each split holds, and what it was made with.',
  inputs: { shards: 'shards' },
  output: 'index',
  options: {
    splits: list(text()).optional().doc('The splits to list; all by default.'),
    tokenizer: text().optional().doc('Taken from `tokenize` upstream, as written there.'),
    maxSeqLength: integer({ min: 1 }).optional().doc('Taken from `shard` upstream.'),
    shardSizeBytes: integer({ min: 1 }).optional().doc('Taken from `shard` upstream.'),
    inputPath: text().optional().doc('Taken from the folder of the documents that were tokenized, else from that of the local sources.'),
    outputPath: text().optional().doc('Taken from the folder of the shards.'),
  },
  steps: [manifest],
  gathers: () => true,
  inherit,
  check: indexCheck,
  async plan({ shards }, options, build) {
    const splits = new Map<string, readonly Part[]>();
    for await (const { group, parts } of shards.byGroup()) splits.set(splitOf(group), parts);
    const { tokenizer, maxSeqLength, shardSizeBytes, inputPath = '', outputPath = '' } = options;
    if (tokenizer === undefined || maxSeqLength === undefined || shardSizeBytes === undefined) return missing(build);
    const entries = selected(splits, { names: options.splits, build }).map(
      ([name, parts]) => [name, entryOf(parts, outputPath === '.' || outputPath === '' ? name : `${outputPath}/${name}`)] as const,
    );
    const params: ManifestParams = {
      tokenizer,
      max_seq_length: maxSeqLength,
      shard_size_gb: shardSizeBytes / 1e9,
      input_path: inputPath,
      output_path: outputPath,
      files_processed: splits.size,
      splits: entries,
    };
    build.emit(build.step(manifest, {}, params), { group: '', name: manifestName });
  },
});

/** What only targets upstream know. Paths stay as the config wrote them, relative to it. */
function inherit(ancestors: readonly Ancestor[], out: string | undefined): Readonly<Record<string, unknown>> {
  const sharding = ancestors.find(({ rule }) => rule === 'shard');
  const tokenizing = ancestors.findIndex(({ rule }) => rule === 'tokenize');
  const upstream = tokenizing < 0 ? [] : ancestors.slice(tokenizing + 1);
  const inherited = {
    tokenizer: ancestors[tokenizing]?.options['tokenizer'],
    maxSeqLength: sharding?.options['maxSeqLength'],
    shardSizeBytes: sharding?.options['shardSize'],
    inputPath: pathOr(upstream.find((ancestor) => ancestor.out !== undefined)?.out, folderOfSources(upstream)),
    outputPath: pathOr(out, sharding?.out),
  };
  return Object.fromEntries(Object.entries(inherited).filter(([, value]) => value !== undefined));
}

function pathOr(path: string | undefined, other: string | undefined): string | undefined {
  const found = path ?? other;
  return found === undefined || isRemote(found) ? found : posixPath(found);
}

function folderOfSources(ancestors: readonly Ancestor[]): string | undefined {
  const sources = ancestors.flatMap(({ options }) => Object.values((options['sources'] ?? {}) as Record<string, unknown>));
  return folderOfPatterns(sources.flatMap((source) => (isSourceValue(source) ? source.patterns : [String(source)])));
}

function missing(build: Build): never {
  return build.fail('nothing-to-inherit', {
    message: 'the manifest names tokenizer, sequence length and shard size, but no `tokenize` and `shard` lie upstream to tell them',
    hint: 'Give `tokenizer`, `maxSeqLength` and `shardSizeBytes` as options.',
  });
}

/** By name, so that the order of sources changes no byte. */
function selected(
  splits: ReadonlyMap<string, readonly Part[]>,
  { names, build }: { names: readonly string[] | undefined; build: Build },
): (readonly [string, readonly Part[]])[] {
  const wanted = [...new Set(names ?? splits.keys())].sort();
  return wanted.map((name) => {
    const parts = splits.get(name);
    if (parts) return [name, parts] as const;
    return build.fail('unknown-split', {
      message: `there is no split "${name}".${didYouMean(name, splits.keys())}`,
      hint: `The splits are ${[...splits.keys()].sort().join(', ') || 'none'}.`,
    });
  });
}

/** A split's statistics are the part that counts its shards; all others are shards. */
function entryOf(parts: readonly Part[], path: string): SplitEntry {
  const shards = parts.filter(({ facts }) => !Object.hasOwn(facts, 'shards'));
  return {
    path,
    shards: parts.length === shards.length ? shards.length : parts.reduce((sum, part) => sum + factOf(part, 'shards'), 0),
    sequences: sumOf(shards, 'sequences'),
    samples: sumOf(shards, 'samples'),
    tokens: sumOf(shards, 'tokens'),
  };
}
