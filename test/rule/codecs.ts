import fc from 'fast-check';
import { forms, type Part } from '../../src/rule/part.ts';

export const digest = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString('hex'));
const figure = fc.oneof(
  fc.nat(),
  fc.double({ noNaN: true, noDefaultInfinity: true }).filter((value) => !Object.is(value, -0)),
);
const facts = fc.dictionary(fc.constantFrom('records', 'u', 'tokens', 'eos', 'x.y'), figure, { noNullPrototype: true });

/** Any part that a target may hold. */
export const part: fc.Arbitrary<Part> = fc
  .record({
    digest,
    form: fc.constantFrom(...forms),
    bytes: fc.nat(),
    facts,
    group: fc.oneof(fc.constantFrom('', 'code/apps', '__proto__'), fc.string({ unit: 'grapheme' })),
    name: fc.option(fc.string({ minLength: 1 }), { nil: undefined }),
  })
  .map(({ name, ...rest }) => ({ ...rest, ...(name !== undefined && { name }) }));
