import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadTokenizer } from '../../rules/lib/tokenizer.ts';
import { bpeEngine, huggingfaceEngine } from '../../rules/lib/tokenizer-contract.ts';
import { decodeTokens } from '../../rules/lib/tokens.ts';
import { tokenize } from '../../rules/tokenize.ts';
import { decodeLineage } from '../../src/rule/lineage.ts';
import { checkOptions } from '../../src/rule/option-checks.ts';
import type { Part } from '../../src/rule/part.ts';
import { encodeView } from '../../src/rule/view.ts';
import { refusal } from '../refusal.ts';
import { bytesOf, documentsPart, filePart, identitiesOf, type Planned, planRule } from './harness.ts';
import { StepMemory } from './step-keys.ts';

const test = suite('tokenize');
const read = (name: string): Buffer => readFileSync(new URL(`../../fixtures/tokenizers/tiny/${name}`, import.meta.url));
const definition = JSON.parse(read('tokenizer.json').toString()) as Record<string, unknown>;
const engine = loadTokenizer({ model: read('tokenizer.json') });
const idOf = (token: string): number => engine.idOf(token) as number;
const model = filePart(read('tokenizer.json'));
const tiny = { model, config: filePart(read('tokenizer_config.json')) };

/** Puts no BOS before each text, unlike the tiny one as it is. */
const plain = filePart(JSON.stringify({ ...definition, post_processor: null }));

const texts = ['The builder reads a line of text.', 'A second document, with numbers: 12345', 'Third'];
const documents = documentsPart(texts.map((text, i) => ({ id: `d${i}`, text })));
const run = (parts: readonly Part[], options: object = {}): Promise<Planned> =>
  planRule(tokenize, { documents: parts }, { tokenizer: tiny, ...options });

function idsOf(part: Part | undefined): number[][] {
  const { lengths, ids } = decodeTokens(bytesOf(part as Part));
  let start = 0;
  return Array.from(lengths, (length) => {
    start += length;
    return Array.from(ids.subarray(start - length, start));
  });
}

const encodedPlainly = (text: string): number[] => Array.from(engine.encode(text, { addSpecialTokens: false }));
const encoded = (text: string): number[] => [idOf('<|begin|>'), ...encodedPlainly(text)];

function onlyPart({ outputs }: Planned): Part {
  const [part, ...others] = outputs['main'] ?? [];
  assert.is(others.length, 0);
  return part as Part;
}

test('each chunk becomes one tokens part with the ids of its documents, in order', async () => {
  const other = documentsPart([{ id: 'x', text: 'Other' }], 'c/d');
  const { outputs, steps } = await run([documents, other]);
  const [first, second] = outputs['main'] ?? [];
  assert.equal(idsOf(first), texts.map(encoded));
  assert.equal(idsOf(second), [encoded('Other')]);
  assert.equal([first?.form, first?.group, second?.group], ['tokens', 'a/b', 'c/d']);
  assert.equal(steps, ['encode', 'encode']);
});

test('a part tells its documents, its tokens, and the ids of EOS and padding', async () => {
  const planned = await run([documents]);
  const tokens = texts.flatMap(encoded).length;
  const { u, ...facts } = onlyPart(planned).facts;
  assert.equal(facts, { records: 3, samples: 3, tokens, eos: idOf('<|endoftext|>'), pad: idOf('<|pad|>') });
  assert.ok(Number.isInteger(u) && (u as number) >= 0 && (u as number) < 2 ** 32);
  assert.equal(planned.counters, { documents: 3, tokens, tokensText: tokens - 3, 'tokensAdded:special': 3 });
});

test('a part names its tokenizer by the digest of tokenizer.json', async () => {
  assert.is(decodeTokens(bytesOf(onlyPart(await run([documents])))).tokenizer, model.digest);
});

test('only the documents that a view selects are tokenized', async () => {
  const bytes = encodeView({ base: documents.digest, records: 3, bitmap: Uint8Array.of(0b101) });
  const view: Part = { ...filePart(bytes), form: 'view', facts: { records: 2, u: 1 } };
  const { outputs } = await run([view]);
  assert.equal(
    idsOf(outputs['main']?.[0]),
    [texts[0], texts[2]].map((text) => encoded(text as string)),
  );
});

test('an empty text is a document without tokens', async () => {
  const planned = await run([documentsPart([{ text: '' }, { text: 'a' }, { text: '' }])], { specialTokens: false });
  assert.equal(idsOf(onlyPart(planned)), [[], encodedPlainly('a'), []]);
});

test('a chunk of which nothing is left gives a part without documents', async () => {
  const bytes = encodeView({ base: documents.digest, records: 3, bitmap: Uint8Array.of(0) });
  const { outputs } = await run([{ ...filePart(bytes), form: 'view', facts: { records: 0, u: 7 } }]);
  const [part] = outputs['main'] ?? [];
  assert.equal(idsOf(part), []);
  assert.equal([part?.facts['records'], part?.facts['tokens']], [0, 0]);
});

test('another field than text can be tokenized; documents without it are quarantined and the others go on', async () => {
  const part = documentsPart([
    { text: 'a', body: 'The' },
    { text: 'b' },
    { text: 'c', body: null },
    { text: 'd', body: 'line' },
    { text: 'e', body: 5 },
  ]);
  const { outputs, counters, quarantined } = await run([part], { text: 'body' });
  assert.equal(idsOf(outputs['main']?.[0]), [encoded('The'), encoded('line')]);
  assert.equal(counters['quarantined:no-text'], 3);
  assert.equal(
    quarantined.map(({ record, detail }) => [record, detail]),
    [
      [1, 'has no "body"'],
      [2, '"body" is null'],
      [4, '"body" is not a text but of type number'],
    ],
  );
});

test("the post-processor's tokens are put around each text unless specialTokens is off", async () => {
  assert.equal(idsOf(onlyPart(await run([documents]))), texts.map(encoded));
  assert.equal(idsOf(onlyPart(await run([documents], { specialTokens: false }))), texts.map(encodedPlainly));
});

test('addBos puts a BOS before each text, but never a second one', async () => {
  assert.equal(idsOf(onlyPart(await run([documents], { tokenizer: { ...tiny, model: plain } }))), texts.map(encodedPlainly));
  for (const file of [model, plain]) {
    assert.equal(idsOf(onlyPart(await run([documents], { tokenizer: { ...tiny, model: file }, addBos: true }))), texts.map(encoded));
  }
});

test('addBos without a known BOS is an error that says what to do, and option bos mends it', async () => {
  const options = { tokenizer: { model }, eos: '<|endoftext|>', addBos: true };
  const error = await refusal(run([documents], options));
  assert.is(error.code, 'no-bos');
  assert.match(error.hint ?? '', /option `bos`/);
  const mended = await run([documents], { ...options, bos: '<|begin|>' });
  assert.equal(idsOf(onlyPart(mended)), texts.map(encoded));
});

test('without a known EOS the step fails and names the option', async () => {
  const error = await refusal(run([documents], { tokenizer: { model } }));
  assert.is(error.code, 'no-eos');
  assert.match(error.hint ?? '', /option `eos`/);
});

test('padding falls back to EOS; options win over the configuration', async () => {
  const alone = await run([documents], { tokenizer: { model }, eos: '<|endoftext|>' });
  assert.is(onlyPart(alone).facts['pad'], idOf('<|endoftext|>'));
  const swapped = await run([documents], { eos: '<|pad|>', pad: '<|endoftext|>' });
  const { eos, pad } = onlyPart(swapped).facts;
  assert.equal([eos, pad], [idOf('<|pad|>'), idOf('<|endoftext|>')]);
});

const long = 'The builder reads three numbers of a line of text.';
const windowed = (text: string, { length, stride }: { length: number; stride: number }): number[][] => {
  const ids = encodedPlainly(text);
  const room = length - 1;
  const count = Math.max(1, Math.ceil((ids.length - stride) / (room - stride)));
  return Array.from({ length: count }, (_, i) => [idOf('<|begin|>'), ...ids.slice(i * (room - stride), i * (room - stride) + room)]);
};

test('a window cuts long documents into samples that overlap, each with its special tokens; short ones stay whole', async () => {
  const window = { length: 6, stride: 2 };
  const planned = await run([documentsPart([{ text: 'a' }, { text: long }, { text: '' }, { text: 5 }, { text: long }])], { window });
  const part = onlyPart(planned);
  const samples = windowed(long, window);
  assert.ok(samples.length > 2);
  assert.equal(idsOf(part), [encoded('a'), ...samples, encoded(''), ...samples]);
  assert.equal([part.facts['records'], part.facts['samples']], [4, 2 * samples.length + 2]);
  const overlap = 2 * (samples.length - 1) * window.stride;
  assert.is(planned.counters['tokensAdded:overlap'], overlap);
  assert.is(planned.counters['tokensAdded:special'], 2 * samples.length + 2);
  assert.is(planned.counters['quarantined:no-text'], 1);
});

test('addBos puts a BOS before each window, and a text that begins with its own is cut no differently', async () => {
  const options = { tokenizer: { ...tiny, model: plain }, addBos: true, window: { length: 6, stride: 2 } };
  const [without, own] = (await Promise.all([long, `<|begin|>${long}`].map((text) => run([documentsPart([{ text }])], options)))) as [
    Planned,
    Planned,
  ];
  assert.equal(idsOf(onlyPart(without)), windowed(long, options.window));
  const begun = idsOf(onlyPart(own));
  assert.ok(begun.every((ids) => ids[0] === idOf('<|begin|>') && ids[1] !== ids[0] && ids.length <= 6));
  assert.equal([without.counters['tokensAdded:bos'], own.counters['tokensAdded:bos']], [begun.length, begun.length - 1]);
});

test('what is dropped is dropped before windows are cut', async () => {
  const dropTokens = { charactersMin: 3 };
  const planned = await run([documentsPart([{ text: long }])], { dropTokens, window: { length: 5, stride: 1 } });
  const kept = encodedPlainly(long).filter((id) => engine.decode([id], { skipSpecialTokens: false }).trim().length >= 3);
  const bos = idOf('<|begin|>');
  assert.ok(kept.length > 4);
  assert.equal(idsOf(onlyPart(planned)).slice(0, 2), [
    [bos, ...kept.slice(0, 4)],
    [bos, ...kept.slice(3, 7)],
  ]);
  assert.is(planned.counters['tokensDropped:short'], encodedPlainly(long).length - kept.length);
});

test('with `special` dropped, neither the text nor the post-processor brings a special token; addBos still does', async () => {
  const part = documentsPart([{ text: 'a<|endoftext|>b' }]);
  const dropTokens = { special: true };
  const planned = await run([part], { dropTokens });
  const plainIds = encodedPlainly('a<|endoftext|>b').filter((id) => id > 2);
  assert.equal(idsOf(onlyPart(planned)), [plainIds]);
  assert.equal([planned.counters['tokensDropped:special'], planned.counters['tokensAdded:special']], [1, undefined]);
  assert.equal(idsOf(onlyPart(await run([part], { dropTokens, addBos: true }))), [[idOf('<|begin|>'), ...plainIds]]);
});

test('a stride that leaves no room to move on is an error that says what the special tokens take', async () => {
  const error = await refusal(run([documents], { window: { length: 6, stride: 5 } }));
  assert.is(error.code, 'bad-window');
  assert.match(error.message, /window.stride is 5.*only 5 are left.*1 are special/);
  const sure = checkOptions({ window: tokenize.rule.options['window'] as never }, { window: { length: 6, stride: 6 } });
  assert.equal(sure.problems, [{ option: 'window.stride', message: 'must be less than length, but is 6' }]);
});

test('lineage tells the record of each sample, and of windows the place in the tokens of their document', async () => {
  const base = documentsPart([{ text: 'a' }, { text: 'b' }, { text: long }, { text: 5 }, { text: 'c' }]);
  const bytes = encodeView({ base: base.digest, records: 5, bitmap: Uint8Array.of(0b11101) });
  const view: Part = { ...filePart(bytes), form: 'view', facts: { records: 4, u: 1 } };
  const window = { length: 6, stride: 2 };
  const { sides } = await run([view], { window });
  const lengths = windowed(long, window).map((ids) => ids.length);
  assert.equal(decodeLineage(bytesOf(sides[0] as Part)), {
    spanEnds: Uint32Array.from({ length: lengths.length + 2 }, (_, i) => i + 1),
    inputRows: Uint32Array.of(0, ...lengths.map(() => 2), 4),
    starts: Uint32Array.of(0, ...lengths.map((_, i) => i * 3), 0),
    lengths: Uint32Array.of(0, ...lengths, 0),
  });
});

test('lineage of whole documents in order takes some bytes, however many they are', async () => {
  const { sides } = await run([documentsPart(Array.from({ length: 5000 }, (_, i) => ({ text: `t${i}` })))]);
  const [side] = sides;
  assert.equal(
    sides.map(({ output, form }) => [output, form]),
    [
      ['lineage', 'side'],
      ['memo', 'side'],
    ],
  );
  assert.ok((side?.bytes ?? 0) < 40, `${side?.bytes} bytes`);
});

test('a preview shows windows with their places', async () => {
  const preview = tokenize.rule.preview as NonNullable<typeof tokenize.rule.preview>;
  const rows = async (options: object): Promise<unknown[]> => {
    const part = onlyPart(await run([documentsPart([{ text: long }])], options));
    const found: unknown[] = [];
    for await (const { ids: _, ...row } of preview({ part, bytes: () => bytesOf(part), path: '' })) found.push(row);
    return found;
  };
  assert.equal((await rows({ window: { length: 6, stride: 2 } })).slice(0, 2), [
    { tokens: 6, start: 0 },
    { tokens: 6, start: 3 },
  ]);
  assert.equal(await rows({}), [{ tokens: encoded(long).length }]);
});

test('the engine that runs the tokenizer, and no other, is a parameter of each step, and so in its key', async () => {
  for (const engine of [bpeEngine, huggingfaceEngine]) {
    const planned = await run([documents], { tokenizer: { ...tiny, engine } });
    assert.equal(planned.params['encode'], [{ text: 'text', specialTokens: true, addBos: false, engine }]);
    assert.equal(idsOf(onlyPart(planned)), texts.map(encoded));
  }
  assert.equal(
    tokenize.rule.steps.flatMap(({ uses }) => uses),
    [],
  );
});

test('an engine that is not here is an error, never replaced by another', async () => {
  for (const engine of ['dsbuild-bpe@1', 'tokenizers@0.23.2']) {
    const error = await refusal(run([documents], { tokenizer: { ...tiny, engine } }));
    assert.is(error.code, 'no-engine');
    assert.match(error.message, engine);
  }
});

test('a config that leaves out what a window needs does not compile', () => {
  type Given = Parameters<typeof tokenize>[1];
  const given: Given[] = [
    { tokenizer: 'x', window: { length: 8 }, dropTokens: { stopWords: ['the'] } },
    { tokenizer: 'x', window: { length: 8, stride: undefined }, dropTokens: {} },
    // @ts-expect-error without a length
    { tokenizer: 'x', window: { stride: 4 } },
    // @ts-expect-error one word
    { tokenizer: 'x', dropTokens: { stopWords: 'the' } },
  ];
  assert.is(given.length, 4);
});

test('what changes no token changes no fact: an edit of other fields ends here', async () => {
  const edited = documentsPart(texts.map((text, i) => ({ id: `other${i}`, text, note: i })));
  const parts = (planned: Planned) => planned.outputs['main'];
  assert.equal(parts(await run([edited])), parts(await run([documents])));
  const changed = documentsPart(texts.map((text, i) => ({ id: `d${i}`, text: i === 2 ? `${text}!` : text })));
  assert.is.not(parts(await run([changed]))?.[0]?.facts['u'], parts(await run([documents]))?.[0]?.facts['u']);
});

test('facts of an input are in the key of the step that reads it, and do not reach the tokens', async () => {
  const memory = new StepMemory();
  const plan = (facts: Part['facts']) => memory.plan(tokenize, { documents: [{ ...documents, facts }] }, { tokenizer: tiny });
  const first = await plan(documents.facts);
  const other = await plan({ records: 3, u: 99 });
  const again = await plan(documents.facts);
  assert.equal([first.ran, other.ran, again.ran], [['encode'], ['encode'], []]);
  assert.equal(other.outputs['main'], first.outputs['main']);
});

test('the same collection comes out in whatever order the steps end', async () => {
  const parts = Array.from({ length: 6 }, (_, i) => documentsPart([{ text: `Document ${i} of some` }], i < 3 ? 'a/b' : 'a/c'));
  const identities = await identitiesOf(tokenize, { documents: parts }, { tokenizer: tiny });
  assert.is(new Set(identities).size, 1);
});

test.run();
