import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { filter } from '../../rules/filter.ts';
import { checkOptions } from '../../src/rule/option-checks.ts';
import { integer, uses } from '../../src/rule/options.ts';
import type { Part } from '../../src/rule/part.ts';
import { defineAdapter, defineFilter, drop, keep, type UserFunction } from '../../src/rule/user-function.ts';
import { chunksOf, documentsPart, identitiesOf, linesIn, type Planned, planRule, selectedFrom } from './harness.ts';

const test = suite('filter');

const long = defineFilter({
  name: 'long',
  options: { charactersMin: integer() },
  decide: ({ text }, { charactersMin }) => (text.length >= charactersMin ? keep : drop('too-short')),
});
const noDigits = defineFilter({ name: 'no-digits', options: {}, decide: ({ text }) => (/\d/.test(text) ? drop('digits') : keep) });
const told = defineFilter({
  name: 'told',
  options: {},
  decide(document) {
    if (document['throw']) throw new Error('as told');
    return document['verdict'] as never;
  },
});

const line = (text: string): string => JSON.stringify({ text });
const filtered = (documents: readonly Part[], use: UserFunction | readonly UserFunction[]): Promise<Planned> =>
  planRule(filter, { documents }, { use });
const linesOf = ({ outputs }: Planned, output: string): string[][] => (outputs[output] ?? []).map(linesIn);

test('documents that a filter drops come out as rejected, counted by reason', async () => {
  const planned = await filtered([documentsPart(['abc', 'a', 'abcd', ''].map(line))], long({ charactersMin: 3 }));
  assert.equal(linesOf(planned, 'kept'), [['abc', 'abcd'].map(line)]);
  assert.equal(linesOf(planned, 'rejected'), [['a', ''].map(line)]);
  assert.equal(planned.counters, { 'dropped:too-short': 2 });
});

test('of several filters the first that drops decides', async () => {
  const planned = await filtered([documentsPart(['1', 'abc1', 'abc'].map(line))], [long({ charactersMin: 2 }), noDigits()]);
  assert.equal(planned.counters, { 'dropped:too-short': 1, 'dropped:digits': 1 });
  assert.equal(linesOf(planned, 'kept'), [[line('abc')]]);
});

test('a chunk of which everything stays is given as it is', async () => {
  const part = documentsPart(['a', 'b'].map(line));
  const planned = await filtered([part], noDigits());
  assert.equal(planned.outputs['kept'], [part]);
  assert.is(planned.outputs['rejected']?.[0]?.facts['records'], 0);
});

test('chunks of which nothing stays keep their places', async () => {
  const parts = ['a', '1', 'b', '2'].map((text, i) => documentsPart([line(text)], `g/${i}`));
  const planned = await filtered(parts, noDigits());
  assert.equal(linesOf(planned, 'kept'), [[line('a')], [], [line('b')], []]);
  assert.equal(linesOf(planned, 'rejected'), [[], [line('1')], [], [line('2')]]);
  for (const output of ['kept', 'rejected']) {
    assert.equal(
      planned.outputs[output]?.map(({ group }) => group),
      parts.map(({ group }) => group),
    );
    assert.ok(planned.outputs[output]?.every((part, i) => part.facts['u'] === parts[i]?.facts['u']));
  }
});

test('a view is filtered into views on the same base', async () => {
  const base = documentsPart(['a', '1', 'b', '2', 'c', '3', 'd', '4', 'e'].map(line));
  const planned = await filtered([selectedFrom(base, [1, 2, 3, 8])], noDigits());
  assert.equal(linesOf(planned, 'kept'), [['b', 'e'].map(line)]);
  assert.equal(linesOf(planned, 'rejected'), [['1', '2'].map(line)]);
  const again = await filtered(planned.outputs['kept'] as Part[], noDigits());
  assert.equal(again.outputs['kept'], planned.outputs['kept']);
});

test('a filter that throws, or gives no verdict, quarantines the record with its place', async () => {
  const documents = [
    { throw: 1 },
    { verdict: { keep: true } },
    { verdict: 5 },
    {},
    { verdict: { keep: false } },
    { verdict: { keep: false, reason: 'no' } },
  ];
  const planned = await filtered([documentsPart(documents.map((document) => ({ text: '', ...document })))], told());
  assert.equal(planned.counters, { 'quarantined:filter-threw': 4, 'dropped:no': 1 });
  assert.equal(
    planned.quarantined.map(({ record, detail }) => [record, detail]),
    [
      [0, 'told: as told'],
      [2, 'told: gave neither keep nor drop(reason)'],
      [3, 'told: gave neither keep nor drop(reason)'],
      [4, 'told: gave neither keep nor drop(reason)'],
    ],
  );
});

test('no filter sees what another one changed', async () => {
  const marks = defineFilter({
    name: 'marks',
    options: {},
    decide(document) {
      (document as { text: string }).text = 'changed';
      return keep;
    },
  });
  const planned = await filtered([documentsPart([line('a')])], [marks(), noDigits()]);
  assert.is(planned.counters['quarantined:filter-threw'], 1);
});

test('filters see an id even where the record has none', async () => {
  const seen: string[] = [];
  const looks = defineFilter({
    name: 'looks',
    options: {},
    decide({ id }) {
      seen.push(id);
      return keep;
    },
  });
  await filtered([documentsPart(['{"text":"a"}', '{"text":"b","id":7}'])], looks());
  assert.match(seen[0] as string, /^[0-9a-f]{64}$/);
  assert.is(seen[1], '7');
});

test('a raw chunk that begins with a byte order mark is filtered by lines', async () => {
  const planned = await filtered(chunksOf(`\ufeff${line('a')}\r\n${line('1')}`), noDigits());
  assert.equal([linesOf(planned, 'kept'), linesOf(planned, 'rejected')], [[[`${line('a')}\r`]], [[line('1')]]]);
});

test('one filter and a list of one have the same params, which hold its options', async () => {
  const parts = [documentsPart([line('a')])];
  const [one, list] = [await filtered(parts, long({ charactersMin: 3 })), await filtered(parts, [long({ charactersMin: 3 })])];
  assert.equal(one.params, list.params);
  assert.equal(JSON.parse(JSON.stringify(one.params['decide'])), [
    { use: [{ definition: 'long', does: 'filter', options: { charactersMin: 3 } }] },
  ]);
});

test('what is no filter is refused, with what was given', () => {
  const problemOf = (use: unknown): string | undefined => checkOptions({ use: uses() }, { use }).problems[0]?.message;
  assert.is(problemOf(noDigits()), undefined);
  assert.is(problemOf([noDigits(), long({ charactersMin: 1 })]), undefined);
  assert.match(problemOf([]) ?? '', /at least one/);
  assert.match(problemOf('gopher') ?? '', /defineFilter.*"gopher"/);
  assert.match(problemOf([noDigits()].concat(noDigits as never)) ?? '', /a function/);
  assert.match(problemOf(defineAdapter({ name: 'x', adapt: () => null })) ?? '', /defineFilter/);
});

test('both outputs are the same, whatever step ends first', async () => {
  const content = Array.from({ length: 300 }, (_, i) => `${line(i % 3 === 0 ? `n${i}` : 'word')}\n`).join('');
  const documents = chunksOf(content, { chunkBytes: 512 });
  assert.is(new Set(await identitiesOf(filter, { documents }, { use: noDigits() })).size, 1);
});

test.run();
