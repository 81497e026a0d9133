import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { BuildError } from '../../src/base/errors.ts';
import { buildGraph } from '../../src/graph/build-graph.ts';
import { boolean, integer, text } from '../../src/rule/options.ts';
import type { OutputSpec, Rule } from '../../src/rule/rule.ts';
import { defineRule, many, targetsIn } from '../../src/rule/rule.ts';
import { isTarget } from '../../src/rule/target.ts';

const test = suite('rule');

const about = { version: 1, steps: [], plan: () => Promise.resolve() };
const source = defineRule({
  ...about,
  name: 'test-source',
  inputs: {},
  output: 'documents',
  options: { seed: integer().default(1), note: text().optional() },
});
const giving = <const O extends OutputSpec>(output: O) =>
  defineRule({ ...about, name: 'test-giving', inputs: { documents: 'documents' }, output, options: {} });
const graphOf = (targets: object) =>
  buildGraph({
    config: { targets } as never,
    base: '/project',
    locate: () => undefined,
    moduleOf: () => undefined,
    publishers: { documents: undefined },
  });

test('a rule without inputs is called without arguments where no option is needed', () => {
  assert.ok(isTarget(source()));
  assert.equal(source({ seed: 2 }).node.options, { seed: 2 });
  const needing = defineRule({
    ...about,
    name: 'test-needing',
    inputs: {},
    output: 'documents',
    options: { from: text(), fast: boolean().default(false) },
  });
  // @ts-expect-error an option without a default must be given
  assert.throws(() => graphOf({ needing: needing() }), /from.*is missing/);
  assert.ok(isTarget(needing({ from: 'x' })));
});

test('engine options are told from those of the rule', () => {
  const { node } = source({
    seed: 3,
    out: 'data',
    tags: ['slow'],
    retries: 1,
    onBadRecord: 'fail',
    badRecordShareMax: 0.5,
    resources: { cpus: 2 },
  });
  assert.equal(node.options, { seed: 3 });
  assert.equal(Object.keys(node.common).sort(), ['badRecordShareMax', 'onBadRecord', 'out', 'resources', 'retries', 'tags']);
});

test('one output is a target', () => {
  const target = giving('tokens')(source());
  assert.equal([target.kind, target.output], ['tokens', 'main']);
});

test('from a main output called `kept` the others hang by name', () => {
  const target = giving({ kept: 'documents', rejected: 'tokens' })(source());
  assert.equal([target.kind, target.output], ['documents', 'kept']);
  assert.equal([target.rejected.kind, target.rejected.output], ['tokens', 'rejected']);
  assert.is(target.rejected.node, target.node);
});

test('outputs without a `kept` are an object of targets, which a config takes as it is', () => {
  const split = giving({ train: 'documents', validation: 'documents' })(source());
  assert.not.ok(isTarget(split));
  assert.equal(Object.keys(split), ['train', 'validation']);
  assert.equal([split.train.output, split.validation.output], ['train', 'validation']);
  const graph = graphOf({ split, tokens: giving('tokens')(split.validation) });
  assert.equal(
    graph.targets.map(({ name, inputs }) => [name, inputs.map(({ from, output }) => `${from.name}.${output}`)]),
    [
      ['split/train/test-source', []],
      ['split/train', ['split/train/test-source.main']],
      ['tokens', ['split/train.validation']],
    ],
  );
  assert.is(graph.get('split/validation'), graph.get('split/train'));
});

test('a rule whose `kept` is not its first output is refused', () => {
  assert.throws(
    () => giving({ rejected: 'documents', kept: 'documents' }),
    (error: unknown) => error instanceof BuildError && error.code === 'bad-rule',
  );
});

test('one input is given as such, several by name, many as a list or an object', () => {
  const inputsOf = (inputs: Rule['inputs'], argument: unknown) => {
    const call = defineRule({ ...about, name: 'test-inputs', inputs, output: 'documents', options: {} }) as unknown as (
      input: unknown,
    ) => ReturnType<typeof source>;
    return call(argument).node.inputs;
  };
  const [a, b] = [source(), source()];
  assert.equal(inputsOf({ documents: 'documents' }, a), { documents: a });
  assert.equal(inputsOf({ left: 'documents', right: 'documents' }, { left: a, right: b }), { left: a, right: b });
  const list = inputsOf({ documents: many('documents') }, [a, b])['documents'];
  assert.equal(
    targetsIn(list as never).map(([key, target]) => [key, target === a]),
    [
      ['0', true],
      ['1', false],
    ],
  );
  const named = inputsOf({ documents: many('documents') }, { x: b })['documents'];
  assert.equal(
    targetsIn(named as never).map(([key, target]) => [key, target === b]),
    [['x', true]],
  );
  assert.equal(targetsIn(a)[0]?.[0], '');
});

test.run();
