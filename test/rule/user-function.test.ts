import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { BuildError } from '../../src/base/errors.ts';
import type { DocumentRecord } from '../../src/rule/documents.ts';
import { file, files, secrets, tokenizer } from '../../src/rule/options.ts';
import {
  callOf,
  defineAdapter,
  defineFilter,
  drop,
  importBundle,
  isUserFunction,
  keep,
  userDefinition,
  type Verdict,
} from '../../src/rule/user-function.ts';

const test = suite('user functions');

const digestOf = (letter: string): string => letter.repeat(64);
const document: DocumentRecord = { id: '1', text: 'x' };
const named = (reason: string) => defineFilter({ name: 'same-name', options: {}, decide: () => drop(reason) });
const reasonOf = (bundle: string, use = named('config')()): unknown => callOf<DocumentRecord, Verdict>({ ...use, bundle })(document);

/** A module that is being imported: it ends when the test says so. */
function module(reason: string): { load: () => Promise<void>; end: () => void } {
  let end = (): void => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const load = async (): Promise<void> => {
    await ended;
    named(reason);
  };
  return { load, end };
}

test('bundles that define the same name are kept apart, although they are imported at once', async () => {
  const use = named('config')();
  const [a, b] = [module('a'), module('b')];
  const imports = [importBundle(digestOf('a'), a.load), importBundle(digestOf('b'), b.load)];
  assert.is(callOf<DocumentRecord, Verdict>(use)(document).keep, false);
  b.end();
  a.end();
  await Promise.all(imports);
  assert.equal(reasonOf(digestOf('a'), use), drop('a'));
  assert.equal(reasonOf(digestOf('b'), use), drop('b'));
});

test('what the config defined is there while bundles are imported, and after', async () => {
  const use = named('config')();
  const bundle = module('bundle');
  const twice = [importBundle(digestOf('c'), bundle.load), importBundle(digestOf('c'), bundle.load)];
  assert.equal(callOf<DocumentRecord, Verdict>(use)(document), drop('config'));
  bundle.end();
  await Promise.all(twice);
  assert.equal(callOf<DocumentRecord, Verdict>(use)(document), drop('config'));
  assert.equal(reasonOf(digestOf('c'), use), drop('bundle'));
  assert.ok(userDefinition(use));
});

test('a bundle is imported once, and again when its import failed', async () => {
  let imports = 0;
  const load = (): Promise<void> => (++imports === 1 ? Promise.reject(new Error('gone')) : Promise.resolve());
  const first = await importBundle(digestOf('d'), load).catch((error: Error) => error.message);
  assert.is(first, 'gone');
  await importBundle(digestOf('d'), load);
  await importBundle(digestOf('d'), load);
  assert.is(imports, 2);
});

test('a filter is called with the options that its value holds', () => {
  const atLeast = defineFilter({
    name: 'at-least',
    options: {},
    decide: ({ text }, options) => (text.length >= (options as { min: number }).min ? keep : drop('short')),
  });
  const use = { ...atLeast(), options: { min: 2 } };
  assert.ok(isUserFunction(use));
  assert.equal(callOf<DocumentRecord, Verdict>(use)(document), drop('short'));
  assert.equal(callOf<DocumentRecord, Verdict>({ ...use, options: { min: 1 } })(document), keep);
});

for (const [type, option] of Object.entries({ file: file(), files: files(), tokenizer: tokenizer(), secrets: secrets() })) {
  test(`a filter with an option of type ${type} is refused: what lies behind it would be in no key`, () => {
    const define = () => defineFilter({ name: 'listed', options: { words: option as never }, decide: () => keep });
    assert.throws(
      define,
      (error: unknown) => error instanceof BuildError && error.message.includes(`options.words is of type ${type}, which only rules`),
    );
  });
}

test('an adapter gives documents or nothing', () => {
  const adapter = defineAdapter({ name: 'joined', adapt: ({ q }) => (typeof q === 'string' ? { text: q } : null) });
  const adapt = callOf<object, unknown>(adapter);
  assert.equal([adapt({ q: 'a' }), adapt({})], [{ text: 'a' }, null]);
});

test('a function that its module does not define is an error that names it', async () => {
  await importBundle(digestOf('e'), async () => void named('bundle'));
  const unknown = { ...named('x')(), definition: 'nobody', bundle: digestOf('e') };
  assert.throws(
    () => callOf(unknown),
    (error: unknown) => error instanceof BuildError && error.code === 'no-definition' && /nobody/.test(error.message),
  );
});

test.run();
