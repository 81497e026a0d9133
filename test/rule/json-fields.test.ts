import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { fieldsOf, spansOf, withField } from '../../src/rule/json-fields.ts';

const test = suite('fields of JSON as written');

const objects = fc.dictionary(fc.string(), fc.jsonValue(), { noNullPrototype: false });
const written = fc.tuple(objects, fc.constantFrom(0, 2, '\t')).map(([value, space]) => JSON.stringify(value, null, space));

test('each value stands where its span says', () => {
  fc.assert(
    fc.property(written, (text) => {
      const found = [...spansOf(text)].map(([name, { start, end }]) => [name, JSON.parse(text.slice(start, end))] as const);
      assert.equal(new Map(found), new Map(Object.entries(JSON.parse(text) as object)));
    }),
  );
});

test('a field that is set takes the place of the old one, or stands last, and nothing else is touched', () => {
  fc.assert(
    fc.property(written, fc.string(), fc.jsonValue(), (text, name, value) => {
      const json = JSON.stringify(value);
      const set = withField(text, name, json);
      const before = fieldsOf(text);
      assert.equal([...fieldsOf(set)], [...new Map([...before, [name, json]])]);
      const span = spansOf(text).get(name) ?? { start: text.lastIndexOf('}'), end: text.lastIndexOf('}') };
      assert.is(set.slice(0, span.start), text.slice(0, span.start));
      assert.ok(set.endsWith(text.slice(span.end)));
    }),
  );
});

test('numbers that JavaScript can not hold, spaces and odd spellings stay', () => {
  const text = ' {"n" : 12345678901234567890, "e":1.50E+3 ,"\\u0061":"\\u00e9" } ';
  assert.is(withField(text, 'x', '1'), ' {"n" : 12345678901234567890, "e":1.50E+3 ,"\\u0061":"\\u00e9" ,"x":1} ');
  assert.is(withField(text, 'a', '1'), ' {"n" : 12345678901234567890, "e":1.50E+3 ,"\\u0061":1 } ');
  assert.is(withField('{ }', '__proto__', '1'), '{ "__proto__":1}');
});

test('of a name that comes twice the last one is set', () => {
  assert.is(withField('{"a":1,"a":2}', 'a', '3'), '{"a":1,"a":3}');
});

test.run();
