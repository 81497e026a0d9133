import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { BuildError, messageOf, systemCodeOf } from '../../src/base/errors.ts';

const test = suite('errors');

test('an error says what, where and what to do, with a code for machines', () => {
  const cause = new Error('inner');
  const error = new BuildError('bad-record', { message: 'not JSON', where: 'a.jsonl:7', hint: 'Repair it.', cause });
  assert.equal(
    [error.code, error.message, error.where, error.hint, error.cause, error.name],
    ['bad-record', 'not JSON', 'a.jsonl:7', 'Repair it.', cause, 'BuildError'],
  );
  assert.ok(error instanceof Error);
  assert.not.ok('cause' in new BuildError('x', { message: 'y' }));
});

test('a place is put in front of the one that is known', () => {
  const error = new BuildError('x', { message: 'y', hint: 'z' });
  assert.is(error.at('config.ts:3').where, 'config.ts:3');
  assert.is(error.at('inner').at('outer').where, 'outer › inner');
  assert.equal([error.at('a').code, error.at('a').message, error.at('a').hint], ['x', 'y', 'z']);
});

test('whatever was thrown has a message, and system errors their code', () => {
  assert.equal([new Error('a'), 'b', undefined, 5].map(messageOf), ['a', 'b', 'undefined', '5']);
  assert.equal([Object.assign(new Error(), { code: 'ENOENT' }), { code: 5 }, null, 'ENOENT'].map(systemCodeOf), [
    'ENOENT',
    undefined,
    undefined,
    undefined,
  ]);
});

test.run();
