import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { showError } from '../../src/report/show-error.ts';
import { wrapped } from '../../src/report/wrap.ts';

const test = suite('lines of a width');

const word = fc.stringMatching(/^[a-c,.]{1,12}$/);

test('lines are broken between words only, none is wider than asked for unless one word is, and no word is lost', () => {
  fc.assert(
    fc.property(fc.array(word, { minLength: 1 }), fc.integer({ min: 12, max: 60 }), fc.nat({ max: 12 }), (words, width, first) => {
      const lines = wrapped(words.join(' '), width, { first });
      assert.equal(
        lines
          .join(' ')
          .split(' ')
          .filter((one) => one !== ''),
        words,
      );
      assert.ok(
        lines.every((line, i) => line.length <= (i === 0 && first >= 12 ? first : width)),
        lines.join('|'),
      );
    }),
  );
});

test('a command is kept whole, so that it can be copied', () => {
  const lines = wrapped(
    'Usage: dsbuild run <rule> --json; for example: --input distillation --output out, or `dsbuild init --yes` there.',
    30,
  );
  for (const whole of ['dsbuild run <rule> --json;', '--input distillation --output out,', '`dsbuild init --yes`'])
    assert.ok(
      lines.some((line) => line.includes(whole)),
      whole,
    );
});

test('line ends and indentation of a text stay', () => {
  assert.equal(wrapped('two problems:\n  a.ts:1  the first of them\n  b.ts', 16), [
    'two problems:',
    '  a.ts:1 the',
    '  first of them',
    '  b.ts',
  ]);
});

test('an error is broken into the lines of a terminal, and its code stands where there is room', () => {
  const error = {
    code: 'no-input',
    message: 'there is no file of that name here',
    where: 'datasets.config.ts:3',
    hint: 'Check the path and write it again.',
  };
  assert.is(
    showError(error),
    'datasets.config.ts:3  there is no file of that name here\nCheck the path and write it again.        [no-input]\n',
  );
  assert.is(
    showError(error, { columns: 40 }),
    'datasets.config.ts:3  there is no file\nof that name here\nCheck the path and write it again.\n[no-input]\n',
  );
});

test.run();
