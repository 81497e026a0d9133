/** Every form of part, and every file of `.dsbuild`, read from bytes that nobody wrote: it is told what is wrong, and nothing else happens. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { decodeRowGroupPart, encodeRowGroupPart } from '../../../rules/lib/parquet/part.ts';
import { whyNotOwn } from '../../../rules/lib/tokenizer.ts';
import { decodeTokens, encodeTokens } from '../../../rules/lib/tokens.ts';
import { BuildError } from '../../../src/base/errors.ts';
import { decodeLineageTable, encodeLineageTable } from '../../../src/engine/lineage-table.ts';
import { Published } from '../../../src/publish/published.ts';
import { decodeCollection, encodeCollection } from '../../../src/rule/collection.ts';
import { decodeLineage, LineageBuilder } from '../../../src/rule/lineage.ts';
import { decodeMemo } from '../../../src/rule/row-memo.ts';
import { decodeVerdicts, VerdictsBuilder } from '../../../src/rule/verdicts.ts';
import { decodeView, encodeView } from '../../../src/rule/view.ts';
import { checkout } from '../../engine/rig.ts';

const test = suite('decoders');

const digest = 'ab'.repeat(32);
const part = { form: 'lines', digest, bytes: 10, facts: { records: 2, u: 7 }, group: 'a/b', name: 'x.jsonl' } as const;

function lineage(): Uint8Array {
  const builder = new LineageBuilder();
  builder.span(0, 0, 5);
  builder.endRow();
  return builder.finish();
}

function verdicts(): Uint8Array {
  const builder = new VerdictsBuilder();
  builder.drop(3, 'short');
  return builder.finish();
}

const published = Published.of('/out', digest, [{ name: 'a', digest, identity: { dev: 1n, ino: 2n, size: 3n, mtimeNs: 4n, ctimeNs: 5n } }]);

type Read = (bytes: Buffer) => unknown;
const decoders: Readonly<Record<string, readonly [bytes: Uint8Array, read: Read]>> = {
  view: [encodeView({ base: digest, records: 9, bitmap: new Uint8Array(2) }), decodeView],
  collection: [encodeCollection([part, { ...part, name: 'y.jsonl' }]), decodeCollection],
  lineage: [lineage(), decodeLineage],
  verdicts: [verdicts(), decodeVerdicts],
  tokens: [encodeTokens({ lengths: Uint32Array.of(2, 1), ids: Int32Array.of(1, 2, 3) }), decodeTokens],
  memo: [new Uint8Array(40), (bytes) => decodeMemo(Buffer.from(new Uint8Array(bytes).buffer))],
  'row group': [
    encodeRowGroupPart({ bytes: new Uint8Array(0), meta: { rows: 0, bytes: 0, columns: [], keyValues: {} } as never }),
    decodeRowGroupPart,
  ],
  'list of published files': [published.encode(), (bytes) => Published.decode(bytes, '/out')],
  'table of lineage': [
    encodeLineageTable({
      about: { inputs: [], chunks: 0, list: digest, outputs: ['main'], stepNames: [], sideNames: [] },
      steps: new Uint8Array(0),
      inputEnds: new Uint32Array(0),
      partEnds: new Uint32Array(0),
      inputs: new Uint32Array(0),
      partDigests: new Uint8Array(0),
      partForms: new Uint8Array(0),
      partRows: new Uint32Array(0),
      sideSteps: new Uint32Array(0),
      sides: new Uint8Array(0),
      sideDigests: new Uint8Array(0),
      fileDigests: new Uint8Array(0),
      otherDigests: new Uint8Array(0),
      outputs: [new Uint32Array(0)],
    }),
    (bytes) => decodeLineageTable(new Uint8Array(bytes)),
  ],
  'tokenizer.json': [readFileSync(checkout('fixtures/tokenizers/tiny/tokenizer.json')), whyNotOwn],
};

const odd = ['null', '[]', '{}', '-1', '1e999', '"x"', '4294967296', '"__proto__"', 'true'];

type Edit = (bytes: Buffer) => Buffer;
const edits: fc.Arbitrary<Edit> = fc.oneof(
  fc.tuple(fc.nat(), fc.nat({ max: 255 })).map(
    ([at, value]): Edit =>
      (bytes) =>
        Buffer.from(bytes).fill(value, at % bytes.length, (at % bytes.length) + 1),
  ),
  fc.nat().map(
    (at): Edit =>
      (bytes) =>
        bytes.subarray(0, at % (bytes.length + 1)),
  ),
  fc.tuple(fc.nat(), fc.uint8Array({ maxLength: 9 })).map(
    ([at, more]): Edit =>
      (bytes) => {
        const place = at % (bytes.length + 1);
        return Buffer.concat([bytes.subarray(0, place), more, bytes.subarray(place)]);
      },
  ),
  // Values of its JSON, where it has some, become others.
  fc.tuple(fc.nat(), fc.constantFrom(...odd)).map(
    ([at, value]): Edit =>
      (bytes) => {
        const text = bytes.toString('latin1');
        const values = [...text.matchAll(/(?<=":\s?)("[^"]*"|-?\d+|\[[^\]]*\]|\{[^}]*\}|true|false|null)/g)];
        const chosen = values[at % Math.max(1, values.length)];
        if (!chosen) return bytes;
        return Buffer.from(text.slice(0, chosen.index) + value + text.slice(chosen.index + chosen[0].length), 'latin1');
      },
  ),
);

for (const [what, [bytes, read]] of Object.entries(decoders)) {
  test(`a ${what} of any bytes is read, or refused with an error that says so`, () => {
    fc.assert(
      fc.property(fc.array(edits, { minLength: 1, maxLength: 3 }), (some) => {
        let given: Buffer = Buffer.from(bytes);
        for (const edit of some) if (given.length > 0) given = edit(given);
        try {
          read(Buffer.from(given));
        } catch (error) {
          assert.instance(error, BuildError, `${(error as Error).stack}\n${given.toString('latin1').slice(0, 300)}`);
        }
      }),
      { numRuns: what === 'tokenizer.json' ? 60 : 300 },
    );
  });
}

test.run();
