/** tokenizer.json files that were damaged or written by hand: refused, or run without a word of another error. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadTokenizer } from '../../../rules/lib/tokenizer.ts';
import { BuildError } from '../../../src/base/errors.ts';
import { checkout } from '../../engine/rig.ts';

const test = suite('any tokenizer.json');

const sound = readFileSync(checkout('fixtures/tokenizers/tiny/tokenizer.json'));
const texts = ['The river, the stone: 12 letters.', '', 'äöü 🦊\n\n  x', '<|endoftext|>'];

type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/** Every place of a definition but single entries of the long lists, of which one in fifty. */
function* placesOf(value: Json, path: readonly string[] = []): Generator<readonly string[]> {
  if (path.length > 0) yield path;
  if (typeof value !== 'object' || value === null) return;
  const entries = Object.entries(value);
  for (const [i, [name, inner]] of entries.entries()) if (entries.length < 40 || i % 50 === 0) yield* placesOf(inner, [...path, name]);
}
const places = [...placesOf(JSON.parse(sound.toString()) as Json)];

/** The definition with another value at one place, or with none. */
function replaced(path: readonly string[], value: Json | undefined): Buffer {
  const whole = JSON.parse(sound.toString()) as Json;
  const last = path.at(-1) as string;
  const holder = path.slice(0, -1).reduce((at, name) => (at as { [name: string]: Json })[name] as Json, whole) as { [name: string]: Json };
  if (value === undefined) delete holder[last];
  else holder[last] = value;
  return Buffer.from(JSON.stringify(whole));
}

const flips = fc
  .array(fc.tuple(fc.nat({ max: sound.length - 1 }), fc.integer({ min: 1, max: 255 })), { minLength: 1, maxLength: 3 })
  .map((some) => {
    const copy = Buffer.from(sound);
    for (const [at, by] of some) copy[at] = (copy[at] as number) ^ by;
    return copy;
  });
const odd = fc.constantFrom<Json | undefined>(
  undefined,
  null,
  [],
  {},
  -1,
  1e300,
  0.5,
  4294967296,
  '',
  'x',
  '__proto__',
  '(',
  true,
  [null],
  [[]],
  { type: 'x' },
);
const changed = fc.tuple(fc.constantFrom(...places), odd).map(([path, value]) => replaced(path, value));

test('a tokenizer.json with flipped bytes, or other values in any place, gives ids that it names, or is refused as bad-tokenizer', () => {
  fc.assert(
    fc.property(fc.oneof(flips, { arbitrary: changed, weight: 3 }), (model) => {
      try {
        const tokenizer = loadTokenizer({ model });
        for (const text of texts) {
          const ids = tokenizer.encode(text, { addSpecialTokens: true });
          const { before, after } = tokenizer.around;
          assert.ok(ids.every((id) => (id >= 0 && id < tokenizer.vocabularySize) || [...before, ...after].includes(id)));
          assert.type(tokenizer.decode(ids, { skipSpecialTokens: false }), 'string');
        }
      } catch (error) {
        assert.instance(error, BuildError, (error as Error).stack ?? '');
        assert.match((error as BuildError).code, /^bad-tokenizer$|^no-engine$|^text-too-long$/);
      }
    }),
    { numRuns: 300 },
  );
});

test.run();
