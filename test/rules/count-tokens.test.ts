import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { countTokens } from '../../rules/count-tokens.ts';
import { loadTokenizer } from '../../rules/lib/tokenizer.ts';
import { tokenize } from '../../rules/tokenize.ts';
import { digestHex } from '../../src/base/digest.ts';
import { decodeLineage } from '../../src/rule/lineage.ts';
import type { Part } from '../../src/rule/part.ts';
import { refusal } from '../refusal.ts';
import { bytesOf, documentsPart, filePart, identitiesOf, linesIn, type Planned, planRule, selectedFrom } from './harness.ts';

const test = suite('count-tokens');
const read = (name: string): Buffer => readFileSync(new URL(`../../fixtures/tokenizers/tiny/${name}`, import.meta.url));
const engine = loadTokenizer({ model: read('tokenizer.json') });
const tokenizer = { model: filePart(read('tokenizer.json')), config: filePart(read('tokenizer_config.json')) };
const tokensOf = (text: string): number => engine.encode(text, { addSpecialTokens: true }).length;

async function counted(documents: readonly Part[], options: Readonly<Record<string, unknown>> = {}, field?: string): Promise<Planned> {
  const tokens = (await planRule(tokenize, { documents }, { tokenizer, ...options })).outputs['main'] ?? [];
  return planRule(countTokens, { documents, tokens }, { ...(field !== undefined && { field }) });
}

const linesOf = ({ outputs }: Planned): string[] => (outputs['main'] ?? []).flatMap(linesIn);
const text = 'The builder reads three numbers of a line of text.';
const n = tokensOf(text);

test('each document gets the number of its tokens, and no byte beside it changes', async () => {
  const lines = [
    `{"id":"a","text":"${text}"}`,
    `{ "id" : "b", "metadata": {"n": 12345678901234567890, "e":1.50E+3 }, "text":"${text}", "later":[1.0,  2] }`,
    `{"metadata":null,"id":"c","text":"${text}"}`,
    `{"id":7,"text":"${text}","metadata":{}}`,
    `{"id":"e","metadata":{"token_count":"old","x":1},"text":"${text}"}`,
    `{"id":"f","text":"","metadata":{"\\u0061":"\\u00e9"}}`,
  ];
  assert.equal(linesOf(await counted([documentsPart(lines)])), [
    `{"id":"a","text":"${text}","metadata":{"token_count":${n}}}`,
    `{ "id" : "b", "metadata": {"n": 12345678901234567890, "e":1.50E+3 ,"token_count":${n}}, "text":"${text}", "later":[1.0,  2] }`,
    `{"metadata":{"token_count":${n}},"id":"c","text":"${text}"}`,
    `{"id":7,"text":"${text}","metadata":{"token_count":${n}}}`,
    `{"id":"e","metadata":{"token_count":${n},"x":1},"text":"${text}"}`,
    `{"id":"f","text":"","metadata":{"\\u0061":"\\u00e9","token_count":1}}`,
  ]);
});

test('the field can have another name', async () => {
  const [line] = linesOf(await counted([documentsPart([{ id: 'a', text }])], {}, 'gpt "tokens"'));
  assert.equal(JSON.parse(line as string), { id: 'a', text, metadata: { 'gpt "tokens"': n } });
});

test('what windows share is counted once, and so is what they repeat at their ends', async () => {
  const documents = [
    documentsPart([
      { id: 'a', text: 'a' },
      { id: 'b', text },
      { id: 'c', text: '' },
      { id: 'd', text },
    ]),
  ];
  const whole = linesOf(await counted(documents));
  for (const stride of [0, 2, 4]) assert.equal(linesOf(await counted(documents, { window: { length: 6, stride } })), whole);
});

test('dropped tokens are not counted', async () => {
  const [line] = linesOf(await counted([documentsPart([{ id: 'a', text }])], { dropTokens: { charactersMin: 3, special: true } }));
  const left = Array.from(engine.encode(text, { addSpecialTokens: false })).filter(
    (id) => engine.decode([id], { skipSpecialTokens: false }).trim().length >= 3,
  );
  assert.is(JSON.parse(line as string).metadata.token_count, left.length);
});

test('documents that could not be tokenized get no number, and those behind them get their own', async () => {
  const documents = documentsPart([
    { id: 'a', text: 't', body: text },
    { id: 'b', text: 't' },
    { id: 'c', text: 't', body: 'a' },
    { id: 'd', text: 't', metadata: { kept: 1 } },
  ]);
  const lines = linesOf(await counted([documents], { text: 'body' })).map((line) => JSON.parse(line).metadata);
  assert.equal(lines, [{ token_count: n }, undefined, { token_count: tokensOf('a') }, { kept: 1 }]);
});

test('a view gives the documents that it selects, with their own numbers', async () => {
  const base = documentsPart(['a', 'a b', text, 'a b c'].map((one, i) => ({ id: `d${i}`, text: one })));
  const planned = await counted([selectedFrom(base, [1, 2])]);
  assert.equal(
    linesOf(planned).map((line) => [JSON.parse(line).id, JSON.parse(line).metadata.token_count]),
    [
      ['d1', tokensOf('a b')],
      ['d2', n],
    ],
  );
  assert.equal(Array.from(decodeLineage(bytesOf(planned.sides[0] as Part)).inputRows), [1, 2]);
});

test('a document without an id keeps the one that it had by its bytes', async () => {
  const documents = documentsPart([{ text: 'a' }, { text: 'b', id: null }]);
  const idsBefore = linesOf(await planRule(countTokens, { documents: [documents], tokens: await tokensFor(documents) }, {}));
  const [first, second] = idsBefore.map((line) => JSON.parse(line).id as string);
  assert.equal(
    [first, second],
    ['{"text":"a"}', '{"text":"b","id":null}'].map((line) => digestHex(line)),
  );
});

const tokensFor = async (documents: Part): Promise<readonly Part[]> =>
  (await planRule(tokenize, { documents: [documents] }, { tokenizer })).outputs['main'] ?? [];

test('a document whose metadata is no object is quarantined: there is no place for the number', async () => {
  const planned = await counted([
    documentsPart([
      { id: 'a', text },
      { id: 'b', text, metadata: 'x' },
      { id: 'c', text, metadata: [1] },
    ]),
  ]);
  assert.is(linesOf(planned).length, 1);
  assert.equal(
    planned.quarantined.map(({ record, reason }) => [record, reason]),
    [
      [1, 'metadata-not-an-object'],
      [2, 'metadata-not-an-object'],
    ],
  );
});

test('tokens of other documents are refused, and the error says which to give', async () => {
  const [two, three] = [documentsPart([{ text: 'a' }, { text: 'b' }]), documentsPart([{ text: 'a' }, { text: 'b' }, { text: 'c' }])];
  const tokens = await tokensFor(three);
  for (const [documents, message] of [
    [[two], /2 documents, but its tokens were made of 3/],
    [[two, two], /2 and 1 parts/],
  ] as const) {
    assert.match((await refusal(planRule(countTokens, { documents, tokens }, {}))).message, message);
  }
});

test('the same collection comes out in whatever order the steps end', async () => {
  const documents = Array.from({ length: 5 }, (_, i) =>
    documentsPart([{ id: `${i}`, text: `Document ${i} of some` }], i < 2 ? 'a/b' : 'a/c'),
  );
  const tokens = (await planRule(tokenize, { documents }, { tokenizer })).outputs['main'] ?? [];
  assert.is(new Set(await identitiesOf(countTokens, { documents, tokens }, {})).size, 1);
});

test.run();
