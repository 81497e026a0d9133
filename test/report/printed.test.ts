import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { BuildEvent } from '../../src/base/events.ts';
import { jsonLines } from '../../src/report/json.ts';
import { plainReporter } from '../../src/report/plain.ts';
import { forPeople, printedName } from '../../src/report/printed.ts';
import { showError } from '../../src/report/show-error.ts';
import { HandClock } from './events.ts';

const test = suite('what is printed for people');

const acting = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u202a-\u202e\u2066-\u2069]/u;

test('whatever a name holds, nothing in it acts on a terminal, and names that differ stay apart where they have no backslash', () => {
  const text = fc.string({
    unit: fc.oneof(
      fc.constantFrom('\u001b', '\n', '\r', '\u009b', '\u202e', '\u2028', 'a', 'é', '山'),
      fc.string({ unit: 'binary', maxLength: 1 }),
    ),
  });
  fc.assert(
    fc.property(text, text, (a, b) => {
      assert.not.match(printedName(a), acting);
      assert.is(printedName(printedName(a)), printedName(a));
      if (a !== b && !a.includes('\\') && !b.includes('\\')) assert.is.not(printedName(a), printedName(b));
    }),
  );
});

test('all texts of what is told are as they can be printed; messages keep their lines, documents are left alone', () => {
  const told = {
    where: 'e\u001b[31m\n.jsonl',
    message: 'one\ntwo\u001b[2J',
    counts: { 'a\nb': 1 },
    list: ['\r'],
    row: { text: 'x\ny' },
    left: 1,
  };
  assert.equal(forPeople(told), {
    where: 'e\\x1b[31m\\n.jsonl',
    message: 'one\ntwo\\x1b[2J',
    counts: { 'a\\nb': 1 },
    list: ['\\r'],
    row: { text: 'x\ny' },
    left: 1,
  });
  const plain = { a: ['b', 1], c: undefined };
  assert.is(forPeople(plain), plain);
});

test('names reach people printed, in lines of a build and in errors, and programs as they are', () => {
  const where = 'data/e\u001b[31msc\n.jsonl:3';
  const event: BuildEvent = { type: 'warning', code: 'bad-records', message: '1 bad record was left out', target: 'raw', where };
  const said = { plain: '', json: '' };
  plainReporter({ write: (text) => (said.plain += text) }, { clock: new HandClock() }).emit(event);
  jsonLines({ write: (text) => (said.json += text) }).emit(event);
  assert.is(said.plain, 'warning  raw › data/e\\x1b[31msc\\n.jsonl:3  1 bad record was left out  [bad-records]\n');
  assert.is((JSON.parse(said.json) as { where: string }).where, where);
  assert.is(showError({ code: 'gone', message: 'it is gone', where }), 'data/e\\x1b[31msc\\n.jsonl:3  it is gone\n[gone]\n');
});

test.run();
