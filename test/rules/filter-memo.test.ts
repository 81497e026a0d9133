import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { filter } from '../../rules/filter.ts';
import type { Made } from '../../src/execute/job.ts';
import type { Part } from '../../src/rule/part.ts';
import type { EarlierRun } from '../../src/rule/step.ts';
import { defineFilter, drop, keep } from '../../src/rule/user-function.ts';
import { documentsPart, filePart, selectedFrom } from './harness.ts';
import { asEarlier, assertSame, runStep } from './rerun.ts';

const test = suite('filter with what it knows from earlier');

let seen: string[] = [];
/** Turned by the test: a filter that depends on more than its document. */
let isMoody = false;
const judged = defineFilter({
  name: 'judged',
  options: {},
  decide({ text }) {
    seen.push(text);
    if (text.startsWith('!')) throw new Error(`no ${text}`);
    if (isMoody && text.length > 6) return drop('mood');
    return text.length < 3 ? drop('too-short') : text.includes('x') ? drop('x') : keep;
  },
});
const use = { rule: filter, step: 'decide', params: { use: [judged()] } };

/** Asserts that the records are decided as in a clean run; returns what was made and the texts that the filter saw. */
async function decided(chunk: Part, earlier: readonly EarlierRun[]): Promise<{ made: Made; texts: string[] }> {
  await assertSame(use, { chunk }, earlier);
  seen = [];
  const made = await runStep(use, { chunk }, earlier);
  return { made, texts: seen };
}

const documentsOf = (texts: readonly string[]): Part => documentsPart(texts.map((text) => ({ text })));
const many = (count: number): string[] => Array.from({ length: count }, (_, i) => (i % 7 === 0 ? 'x' : '') + 'word '.repeat(i % 3) + i);

test('only an edited record is seen by the filter, but for a few that are checked', async () => {
  const texts = many(500);
  const earlier = asEarlier(await runStep(use, { chunk: documentsOf(texts) }));
  const edited = texts.with(200, 'edited').toSpliced(300, 2);
  const { made, texts: asked } = await decided(documentsOf(edited), [earlier]);
  assert.ok(asked.includes('edited'));
  assert.ok(asked.length < 25, `${asked.length} of 498`);
  assert.equal(made.recalled, { records: 498, reused: 498 - asked.length });
});

const text = fc.oneof(fc.constantFrom('', 'a', 'xx', 'word', '!bad', 'long enough', 'with x'), fc.string());
const versions = fc.array(fc.array(text, { maxLength: 12 }), { minLength: 1, maxLength: 4 });

test('whatever the earlier versions were, a chunk gives what a clean run gives: views, drops, bad records, side parts', async () => {
  await fc.assert(
    fc.asyncProperty(versions, fc.array(text, { minLength: 1, maxLength: 12 }), fc.boolean(), async (old, texts, isView) => {
      const chunkOf = (given: readonly string[]): Part => {
        const part = documentsOf(given);
        const some = given.map((_, i) => i).filter((i) => i % 3 !== 1);
        return isView ? selectedFrom(part, some) : part;
      };
      const earlier: EarlierRun[] = [];
      for (const version of old) earlier.push(asEarlier(await runStep(use, { chunk: chunkOf([...version, ...texts.slice(1)]) })));
      await assertSame(use, { chunk: chunkOf(texts) }, earlier);
    }),
    { numRuns: 150 },
  );
});

test('a record that was quarantined is looked at again, and listed at its new place', async () => {
  const earlier = asEarlier(await runStep(use, { chunk: documentsOf(['word', '!bad', 'other']) }));
  const { made, texts } = await decided(documentsOf(['new', 'word', '!bad', 'other']), [earlier]);
  assert.ok(texts.includes('!bad'));
  assert.equal(
    made.quarantined.map(({ record, detail }) => [record, detail]),
    [[2, 'judged: no !bad']],
  );
});

test('an earlier run of which something is missing or damaged is no earlier run', async () => {
  const texts = many(40);
  const chunk = documentsOf(texts);
  const whole = asEarlier(await runStep(use, { chunk }));
  const memo = (whole['memo'] as Part[])[0] as Part;
  const broken: EarlierRun[] = [
    {},
    { ...whole, memo: [] },
    { ...whole, memo: [memo, memo] },
    { ...whole, verdicts: [] },
    { ...whole, memo: [filePart('no memo')] },
    { ...whole, verdicts: [filePart('{"verdicts":1')] },
    { ...whole, memo: [{ ...memo, digest: '0'.repeat(64) }] },
  ];
  for (const earlier of broken) {
    const { made, texts: asked } = await decided(chunk, [earlier]);
    assert.is(asked.length, 40);
    assert.is(made.recalled, undefined);
  }
});

test('a filter that is not pure is found out by the records that are checked, and then nothing is taken over', async () => {
  const texts = many(600);
  const earlier = asEarlier(await runStep(use, { chunk: documentsOf(texts) }));
  isMoody = true;
  const { made } = await decided(documentsOf(texts.with(3, 'edited')), [earlier]);
  isMoody = false;
  assert.is(made.recalled?.reused, 0);
  assert.ok((texts[made.recalled?.differs ?? -1] ?? '').length > 6);
  assert.ok((made.counters['dropped:mood'] as number) > 100);
});

test.run();
