import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { BuildError } from '../../src/base/errors.ts';
import { secret } from '../../src/config/secret.ts';
import { checkOptions } from '../../src/rule/option-checks.ts';
import {
  boolean,
  choice,
  fields,
  file,
  files,
  integer,
  list,
  number,
  type Option,
  record,
  secrets,
  size,
  sources,
  text,
  tokenizer,
  uses,
  words,
} from '../../src/rule/options.ts';
import { defineAdapter, defineFilter, keep } from '../../src/rule/user-function.ts';

const test = suite('options');

const filter = defineFilter({ name: 'kept', options: {}, decide: () => keep });
const adapter = defineAdapter({ name: 'none', adapt: () => null });
type AnyOption = Option<unknown, unknown>;
const asAny = <S, G>(option: Option<S, G>): AnyOption => option as unknown as AnyOption;

const problemOf = (option: AnyOption, value: unknown): string | undefined =>
  checkOptions({ it: option }, { it: value }).problems[0]?.message;

interface Sample {
  readonly option: AnyOption;
  readonly good: readonly unknown[];
  /** Value and what the message must say. */
  readonly bad: readonly (readonly [unknown, RegExp])[];
}

const samples: Readonly<Record<string, Sample>> = {
  integer: {
    option: asAny(integer({ min: 1, max: 9 })),
    good: [1, 9],
    bad: [
      [0, /at least 1, but is 0/],
      [10, /at most 9, but is 10/],
      [1.5, /whole number, but is 1.5/],
      ['5', /whole number, but is "5"/],
      [2 ** 60, /whole number/],
      [Number.NaN, /whole number, but is null/],
    ],
  },
  number: {
    option: asAny(number({ min: 0, max: 1 })),
    good: [0, 0.5, 1],
    bad: [
      [-0.1, /at least 0/],
      [1.1, /at most 1/],
      [Number.POSITIVE_INFINITY, /must be a number/],
      ['x', /must be a number, but is "x"/],
    ],
  },
  boolean: {
    option: asAny(boolean()),
    good: [true, false],
    bad: [
      [0, /true or false, but is 0/],
      ['true', /true or false, but is "true"/],
    ],
  },
  text: { option: asAny(text()), good: ['', 'x'], bad: [[5, /must be a text, but is 5/]] },
  choice: {
    option: asAny(choice('shifted', 'hf')),
    good: ['hf'],
    bad: [
      ['shiftd', /one of shifted, hf, but is "shiftd".*"shifted"/],
      [1, /one of shifted, hf/],
    ],
  },
  size: {
    option: asAny(size()),
    good: ['2GB', '1.5 MB'],
    bad: [
      ['2', /such as '500MB'/],
      [2e9, /but is 2000000000/],
      ['0KB', /but is "0KB"/],
      ['2GiB', /but is "2GiB"/],
    ],
  },
  list: {
    option: asAny(list(integer({ min: 0 }))),
    good: [[], [1, 2]],
    bad: [
      ['x', /must be a list, but is "x"/],
      [[1, -1], /\[1\]: must be at least 0/],
    ],
  },
  record: {
    option: asAny(record(text())),
    good: [{}, { a: 'b' }],
    bad: [
      [[], /must be an object/],
      [null, /must be an object, but is null/],
      [{ a: 1 }, /a: must be a text, but is 1/],
    ],
  },
  fields: {
    option: asAny(fields({ length: integer({ min: 1 }), stride: integer({ min: 0 }).default(0) })),
    good: [{ length: 4 }, { length: 4, stride: 2 }, { length: 4, stride: undefined }],
    bad: [
      [4, /an object with length, stride, but is 4/],
      [null, /must be an object/],
      [[4], /must be an object/],
      [{ length: 0 }, /at least 1, but is 0/],
      [{}, /is missing/],
      [{ length: 4, strid: 1 }, /is not an option.*Did you mean "stride"/],
    ],
  },
  words: {
    option: asAny(words()),
    good: [true, false, [], ['the', 'of']],
    bad: [
      ['the', /true or a list of words, but is "the"/],
      [['the', ' '], /list of words/],
      [[1], /list of words/],
    ],
  },
  file: {
    option: asAny(file()),
    good: ['a.txt'],
    bad: [
      ['', /path of a file/],
      [1, /path of a file, but is 1/],
    ],
  },
  files: {
    option: asAny(files()),
    good: [[], ['a']],
    bad: [
      ['a', /list of paths/],
      [['a', ''], /list of paths/],
      [[1], /list of paths/],
    ],
  },
  tokenizer: {
    option: asAny(tokenizer()),
    good: ['gpt2'],
    bad: [
      ['', /must name a tokenizer/],
      [{}, /must name a tokenizer/],
    ],
  },
  sources: {
    option: asAny(sources()),
    good: [{ 'a/b': 'x.jsonl' }],
    bad: [
      [{}, /<category>\/<name>/],
      ['x', /but is "x"/],
      [['x'], /object/],
    ],
  },
  secrets: {
    option: asAny(secrets()),
    good: [{}, { TOKEN: secret('TOKEN') }],
    bad: [
      ['TOKEN', /secret\('VARIABLE'\)/],
      [[], /object/],
    ],
  },
  uses: {
    option: asAny(uses()),
    good: [filter(), [filter(), filter()]],
    bad: [
      [[], /at least one/],
      [filter, /made by defineFilter.*a function/],
      [adapter, /made by defineFilter/],
      ['kept', /"kept"/],
    ],
  },
};

for (const [type, { option, good, bad }] of Object.entries(samples)) {
  test(`an option of type ${type} takes what it should, and says of the rest what it saw`, () => {
    assert.is(option.shape.type, type);
    for (const value of good) assert.is(problemOf(option, value), undefined);
    for (const [value, says] of bad) assert.match(problemOf(option, value) ?? '', says);
  });
}

test('no value of any kind makes a check throw', () => {
  fc.assert(
    fc.property(fc.constantFrom(...Object.values(samples)), fc.anything({ withBigInt: false }), ({ option }, value) => {
      const found = problemOf(option, value);
      assert.ok(found === undefined || found.length > 0);
    }),
  );
});

test('a mistyped name is answered with the nearest right one', () => {
  const { problems } = checkOptions({ maxSeqLength: integer(), labels: text().optional() } as never, { maxSeqLenght: 5, x: undefined });
  assert.equal(problems, [
    { option: 'maxSeqLenght', message: 'is not an option of this rule. Did you mean "maxSeqLength"?' },
    { option: 'maxSeqLength', message: 'is missing' },
  ]);
});

test('names that every object has are no options', () => {
  const { problems } = checkOptions({}, JSON.parse('{"constructor":1,"__proto__":2,"toString":3}') as object as Record<string, unknown>);
  assert.equal(
    problems.map(({ option }) => option),
    ['constructor', '__proto__', 'toString'],
  );
});

test('defaults are filled in, optional ones left out, and what is undefined counts as not given', () => {
  const options = { a: asAny(integer().default(3)), b: asAny(text().optional()), c: asAny(boolean().default(false)) };
  assert.equal(checkOptions(options, { a: undefined, c: true }), { values: { a: 3, c: true }, problems: [] });
});

test('what means the same has one value: sizes in bytes, one filter as a list of one', () => {
  const values = (given: object): unknown => checkOptions({ s: asAny(size()), u: asAny(uses()) }, given as Record<string, unknown>).values;
  assert.equal(values({ s: '2GB', u: filter() }), values({ s: '2000MB', u: [filter()] }));
  assert.equal((values({ s: '1.5KB', u: filter() }) as { s: number }).s, 1500);
});

const windowOption = asAny(
  fields({ length: integer({ min: 1 }), stride: integer({ min: 0 }).default(0) }, ({ length, stride }) =>
    stride < length ? undefined : { field: 'stride', message: `must be less than length, but is ${stride}` },
  ).optional(),
);
const windowProblems = (window: unknown) => checkOptions({ window: windowOption }, { window }).problems;

test('problems of a field name the path to it, all of them at once', () => {
  assert.equal(windowProblems({ length: 0, stride: -1 }), [
    { option: 'window.length', message: 'must be at least 1, but is 0' },
    { option: 'window.stride', message: 'must be at least 0, but is -1' },
  ]);
  assert.equal(windowProblems({ stride: 1 }), [{ option: 'window.length', message: 'is missing' }]);
  assert.equal(windowProblems(5), [{ option: 'window', message: 'must be an object with length, stride, but is 5' }]);
});

test('fields are judged together once each of them is right', () => {
  assert.equal(windowProblems({ length: 2, stride: 2 }), [{ option: 'window.stride', message: 'must be less than length, but is 2' }]);
  assert.equal(windowProblems({ length: 0, stride: 2 }).length, 1);
  assert.equal(windowProblems({ length: 3, stride: 2 }), []);
});

test('defaults of fields are filled in, and fields that mean the same have one value', () => {
  const values = (given: unknown) =>
    checkOptions({ window: windowOption, size: asAny(fields({ bytes: size() }).optional()) }, given as object as never).values;
  assert.equal(values({ window: { length: 4 } }), { window: { length: 4, stride: 0 } });
  assert.equal(values({ window: { stride: undefined, length: 4 } }), values({ window: { length: 4, stride: 0 } }));
  assert.equal(values({ size: { bytes: '2GB' } }), { size: { bytes: 2e9 } });
  assert.equal(values({}), {});
});

test('words have one order and come once', () => {
  assert.equal(checkOptions({ it: asAny(words()) }, { it: ['b', 'a', 'b'] }).values, { it: ['a', 'b'] });
});

test('a field can not be what the engine resolves', () => {
  assert.throws(
    () => fields({ list: file() }),
    (error: BuildError) => error.code === 'bad-rule' && /"list"/.test(error.message),
  );
});

test('what the engine resolves can not stand in a list or a record: its bytes would be in no key', () => {
  for (const within of [() => list(file()), () => record(file()), () => list(list(asAny(file())))]) {
    assert.throws(
      within,
      (error: BuildError) => error.code === 'bad-rule' && /option of type file can not stand in a (list|record)/.test(error.message),
    );
  }
});

test('building on an option changes no other', () => {
  const base = integer({ min: 1 });
  const [withDefault, withDoc] = [base.default(4), base.doc('Told.')];
  assert.equal(base.shape, { type: 'integer', min: 1 });
  assert.equal([withDefault.shape.default, withDoc.shape.doc, withDoc.shape.default], [4, 'Told.', undefined]);
});

test('an unknown option that is near to none is answered with all that there are', () => {
  const { problems } = checkOptions({ a: integer().optional(), b: integer().optional() }, { something: 1 });
  assert.equal(problems, [{ option: 'something', message: 'is not an option of this rule. Its options: a, b.' }]);
  const none = checkOptions({}, { something: 1 });
  assert.equal(none.problems, [{ option: 'something', message: 'is not an option of this rule. Its options: none.' }]);
});

test.run();
