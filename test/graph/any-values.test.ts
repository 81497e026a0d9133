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
import { defineRule } from '../../src/rule/rule.ts';
import { files, s3, url } from '../../src/rule/source.ts';
import { defineStep } from '../../src/rule/step.ts';
import { defineAdapter, defineFilter, keep } from '../../src/rule/user-function.ts';
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
    assert.match(code, /^(bad-|no-targets$)/);
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
  ...['recordSecondsMax'],
  ...['packTokens', 'shardSize', 'extraColumns', 'patterns', 'chunking', '__proto__', 'constructor'],
];

/** Definitions that are right, as a module without types makes them; each field is replaced in turn. */
const about = { name: 'x', version: 1, plan: async () => {}, steps: [], inputs: {}, output: 'documents', options: {} };
const definitions: Readonly<Record<string, { call: unknown; right: Readonly<Record<string, unknown>> }>> = {
  defineFilter: { call: defineFilter, right: { name: 'x', options: {}, decide: () => keep } },
  defineAdapter: { call: defineAdapter, right: { name: 'x', adapt: () => null } },
  defineRule: { call: defineRule, right: about },
  defineStep: {
    call: ({ name, run, ...rest }: typeof about & { run: never }) => free(defineStep)(name, rest, run),
    right: { name: 'x', version: 1, run: () => {} },
  },
};
const fieldNames = [
  ...['name', 'version', 'options', 'decide', 'adapt', 'inputs', 'output', 'steps', 'plan', 'run', 'outputs', 'uses', 'rowPure'],
  ...['gathers', 'inherit', 'defaultsFor', 'preview', 'check', 'doc', 'nobody', 'descide', '__proto__'],
];

/** The values that definitions of the kinds that a config takes are called with, and used as. */
function targetsWith(kind: string, made: unknown, options: unknown): Parameters<typeof graphOf> {
  if (kind === 'defineFilter') return [{ other: free(filter)(raw(), { use: free(made)(options) }) }];
  if (kind === 'defineAdapter') return [{ other: free(download)({ sources: { 'a/b': free(files)('x', { adapt: made }) } }) }];
  return [
    kind === 'defineRule' && Object.keys((made as { rule: { inputs: object } }).rule.inputs).length === 0
      ? { other: free(made)(options) }
      : target,
  ];
}

for (const [kind, { call, right }] of Object.entries(definitions)) {
  test(`whatever ${kind} is given is taken, or refused in words that name it`, () => {
    fc.assert(
      fc.property(anyValue, fc.constantFrom(...fieldNames), fc.boolean(), (value, field, isCalledWith) => {
        try {
          const given = isCalledWith ? right : Object.fromEntries([...Object.entries(right), [field, value]]);
          const targets = targetsWith(kind, free(call)(given), isCalledWith ? value : undefined);
          judge(() => targets);
        } catch (error) {
          assert.instance(error, BuildError, (error as Error).stack ?? '');
          assert.is((error as BuildError).code, 'bad-config');
          assert.ok((error as BuildError).hint);
        }
      }),
      {
        numRuns: 250,
        examples: fieldNames.flatMap((field) => oddities.map((value) => [value, field, false] as [unknown, string, boolean])),
      },
    );
  });
}

for (const [what, given] of Object.entries(places)) {
  test(`whatever stands in place of ${what} is taken, or refused with the place where it stands`, () => {
    fc.assert(
      fc.property(anyValue, fc.constantFrom(...names), (value, name) => judge(() => given(value, name))),
      { numRuns: 250, examples: oddities.map((value) => [value, 'out']) as [unknown, string][] },
    );
  });
}

test.run();
