/** A config is code, and not always checked by a compiler: anything may stand anywhere in it. */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { download } from '../../rules/download.ts';
import { filter } from '../../rules/filter.ts';
import { shard } from '../../rules/shard.ts';
import { tokenize } from '../../rules/tokenize.ts';
import { BuildError } from '../../src/base/errors.ts';
import { local } from '../../src/config/define.ts';
import { declaredSources } from '../../src/engine/declared-sources.ts';
import { files, s3, url } from '../../src/rule/source.ts';
import { graphOf } from './toy.ts';

const test = suite('any values in a config');

const circle: Record<string, unknown> = {};
circle['self'] = circle;
const oddities = [
  10n,
  Symbol('x'),
  circle,
  [circle],
  Object.create(null),
  () => 1,
  Number.NaN,
  new Date(Number.NaN),
  Promise.resolve(1),
  new Map(),
  { toJSON: () => assert.unreachable() },
  { toString: 1 },
  '__proto__',
  'a\0b',
  '\ud800',
];
const anyValue = fc.oneof(fc.constantFrom<unknown>(...oddities), fc.anything({ withBigInt: true, withNullPrototype: true, maxDepth: 2 }));

/** Builds the graph and reads off it what a build reads first; only a refusal that says where is let pass. */
function judge(given: () => Parameters<typeof graphOf>): void {
  try {
    const graph = graphOf(...given());
    for (const target of graph.targets) declaredSources(target);
  } catch (error) {
    assert.instance(error, BuildError, (error as Error).stack ?? '');
    const { code, where, message } = error as BuildError;
    assert.match(code, /^bad-/);
    assert.ok(where !== undefined || /datasets\.config\.ts:\d+/.test(message), `no place: ${message}`);
  }
}

const raw = (): ReturnType<typeof download> => download({ sources: { 'a/b': 'in.jsonl' } });
const target = { read: raw() };
/** Calls as a config without types makes them. */
const free = (call: unknown): ((...given: unknown[]) => never) => call as (...given: unknown[]) => never;

const places: Readonly<Record<string, (value: unknown, name: string) => Parameters<typeof graphOf>>> = {
  'all targets': (value) => [value as never],
  'a target': (value) => [{ ...target, other: value as never }],
  'the input of a target': (value) => [{ ...target, other: free(tokenize)(value, { tokenizer: 't' }) }],
  'the options of a target': (value) => [{ ...target, other: free(tokenize)(target.read, value) }],
  'an option of a filter': (value, name) => [{ other: free(filter)(target.read, { [name]: value }) }],
  'an option of shards': (value, name) => [{ other: free(shard)(tokenize(raw(), { tokenizer: 't' }), { [name]: value }) }],
  'all sources': (value) => [{ other: free(download)({ sources: value }) }],
  'a source': (value) => [{ other: free(download)({ sources: { 'a/b': value } }) }],
  'a pattern of files()': (value) => [{ other: free(download)({ sources: { 'a/b': free(files)(value) } }) }],
  'the options of files()': (value, name) => [{ other: free(download)({ sources: { 'a/b': free(files)('x', { [name]: value }) } }) }],
  'the address of url()': (value) => [{ other: free(download)({ sources: { 'a/b': free(url)(value, { sha256: value }) } }) }],
  'the options of s3()': (value, name) => [{ other: free(download)({ sources: { 'a/b': free(s3)('s3://b/k', { [name]: value }) } }) }],
  'the cache': (value) => [target, { cache: value as never }],
  'an option of the cache': (value, name) => [target, { cache: { [name]: value } as never }],
  'the executor': (value) => [target, { executor: value as never }],
  'an option of local()': (value, name) => [target, { executor: free(local)({ [name]: value }) }],
  'an option of chunking': (value, name) => [target, { chunking: { [name]: value } as never }],
  'an option of the config': (value, name) => [target, { [name]: value } as never],
};
const names = [
  ...['use', 'charsMin', 'language', 'maxSeqLength', 'packing', 'splits', 'splitBy', 'out', 'tags', 'resources', 'retries', 'onBadRecord'],
  ...['adapt', 'endpoint', 'region', 'versions', 'remote', 'scope', 'signing', 'sizeMax', 'timeoutSeconds', 'jobs', 'memory', 'chunkSize'],
  ...['packTokens', 'shardSize', 'extraColumns', 'patterns', 'chunking', '__proto__', 'constructor'],
];

for (const [what, given] of Object.entries(places)) {
  test(`whatever stands in place of ${what} is taken, or refused with the place where it stands`, () => {
    fc.assert(
      fc.property(anyValue, fc.constantFrom(...names), (value, name) => judge(() => given(value, name))),
      { numRuns: 250, examples: oddities.map((value) => [value, 'out']) as [unknown, string][] },
    );
  });
}

test.run();
