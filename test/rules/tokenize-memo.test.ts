import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { encodeTokens } from '../../rules/lib/tokens.ts';
import { tokenize } from '../../rules/tokenize.ts';
import type { Part } from '../../src/rule/part.ts';
import type { EarlierRun } from '../../src/rule/step.ts';
import { documentsPart, filePart, selectedFrom } from './harness.ts';
import { asEarlier, assertSame, runStep, type StepUse } from './rerun.ts';

const test = suite('tokenize with what it knows from earlier');
const read = (name: string): Buffer => readFileSync(new URL(`../../fixtures/tokenizers/tiny/${name}`, import.meta.url));
const tiny = { model: filePart(read('tokenizer.json')), config: filePart(read('tokenizer_config.json')) };

const encodeWith = (options: object): StepUse => ({
  rule: tokenize,
  step: 'encode',
  params: { text: 'text', specialTokens: true, addBos: false, ...options },
});
const plain = encodeWith({});
/** Each in its own way makes several samples of a document, leaves tokens out, or counts what is added. */
const uses: readonly StepUse[] = [
  plain,
  encodeWith({ window: { length: 6, stride: 2 } }),
  encodeWith({ dropTokens: { charactersMin: 3, stopWords: true } }),
  encodeWith({ specialTokens: false, addBos: true, window: { length: 5, stride: 1 }, dropTokens: { special: true } }),
];

type Document = object | string;
const documentOf = (text: unknown): Document => ({ id: 'd', text });
const chunkOf = (texts: readonly unknown[]): Part => documentsPart(texts.map(documentOf));
const many = (count: number): string[] =>
  Array.from({ length: count }, (_, i) => `The builder reads line ${i} of a text${' and more'.repeat(i % 5)}`);

const run = (use: StepUse, chunk: Part, earlier: readonly EarlierRun[] = []) => runStep(use, { chunk, ...tiny }, earlier);

test('of an edited chunk only the edited document is tokenized, but for a few that are checked', async () => {
  for (const use of uses) {
    const texts = many(400);
    const earlier = asEarlier(await run(use, chunkOf(texts)));
    const made = await assertSame(use, { chunk: chunkOf(texts.with(200, 'edited').toSpliced(20, 2, 'a', 'b', 'c')), ...tiny }, [earlier]);
    assert.is(made.recalled?.records, 401);
    assert.ok((made.recalled?.reused as number) > 380, JSON.stringify(made.recalled));
    assert.is(made.recalled?.differs, undefined);
  }
});

const words = ['the', 'builder', 'reads', 'a', 'line', '<|begin|>', '<|end|>', '  ', '12345', 'of', 'ünïcode'];
const text = fc.oneof(
  fc.constantFrom<unknown>('', 'Third', null, 17, undefined, '<|begin|> twice'),
  fc.array(fc.constantFrom(...words), { maxLength: 20 }).map((picked) => picked.join(' ')),
);
const texts = fc.array(text, { minLength: 1, maxLength: 10 });

test('whatever the earlier versions were, a chunk gives what a clean run gives: ids, windows, counts, bad records, side parts', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...uses),
      fc.array(texts, { minLength: 1, maxLength: 3 }),
      texts,
      fc.boolean(),
      async (use, old, now, isView) => {
        const partOf = (given: readonly unknown[]): Part => {
          const part = chunkOf(given);
          return isView
            ? selectedFrom(
                part,
                given.map((_, i) => i).filter((i) => i % 3 !== 1),
              )
            : part;
        };
        const earlier: EarlierRun[] = [];
        for (const version of old) earlier.push(asEarlier(await run(use, partOf([...version, ...now.slice(1)]))));
        await assertSame(use, { chunk: partOf(now), ...tiny }, earlier);
      },
    ),
    { numRuns: 120 },
  );
});

test('what a run that knew rows gave is known to the next one as if it had done all of them', async () => {
  for (const use of uses) {
    let content = many(60);
    let earlier = asEarlier(await run(use, chunkOf(content)));
    for (let i = 0; i < 5; i++) {
      content = content.with(i * 10, `edited ${i}`).toSpliced(i * 7, 1);
      const made = await assertSame(use, { chunk: chunkOf(content), ...tiny }, [earlier]);
      assert.ok((made.recalled?.reused as number) > 50);
      earlier = asEarlier(made);
    }
  }
});

const first = (run: EarlierRun, output: string): Part => (run[output] as readonly Part[])[0] as Part;

test('an earlier run of which something is missing or damaged is no earlier run', async () => {
  const chunk = chunkOf(many(40));
  const whole = asEarlier(await run(plain, chunk));
  const broken: EarlierRun[] = [
    {},
    { ...whole, main: [] },
    { ...whole, memo: [] },
    { ...whole, main: [filePart('no tokens')] },
    { ...whole, main: [{ ...first(whole, 'main'), digest: '0'.repeat(64) }] },
    { ...whole, memo: [{ ...first(whole, 'memo'), digest: '0'.repeat(64) }] },
  ];
  for (const earlier of broken) assert.is((await assertSame(plain, { chunk, ...tiny }, [earlier])).recalled, undefined);
});

test('tokens that are not what comes of the documents now are found out, and none of them is taken over', async () => {
  const content = many(600);
  const chunk = chunkOf(content);
  const whole = asEarlier(await run(plain, chunk));
  const wrong = encodeTokens({ lengths: new Uint32Array(600).fill(2), ids: new Int32Array(1200) });
  for (const main of [filePart(wrong), first(asEarlier(await run(uses[1] as StepUse, chunk)), 'main')]) {
    const made = await assertSame(plain, { chunk: chunkOf(content.with(3, 'edited')), ...tiny }, [{ ...whole, main: [main] }]);
    assert.is(made.recalled?.reused, 0);
    assert.type(made.recalled?.differs, 'number');
  }
});

test.run();
