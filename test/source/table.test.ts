import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readColumns, writeColumns } from '../../src/source/columns.ts';
import { listDigestOf, packTexts, unpackTexts } from '../../src/source/table.ts';
import { temporaryFolder } from './files.ts';

const test = suite('source table');
const folder = temporaryFolder();
const path = join(folder, 'sources', 'table.bin');

const columns = {
  flags: Uint8Array.of(1, 2, 3),
  counts: Uint32Array.of(7, 0xffffffff),
  offsets: Float64Array.of(1.5, 2 ** 53),
  times: BigInt64Array.of(-1n, 1n << 62n),
  sums: BigUint64Array.of(0xffffffffffffffffn),
  none: new Uint32Array(0),
};

test('columns come back as they were written, in a folder that is made', () => {
  writeColumns('f 1', path, columns);
  assert.equal(readColumns('f 1', path), columns);
  assert.equal(readdirSync(join(folder, 'sources')), ['table.bin']);
});

test('a file of another format, and one that is not there, are as if absent', () => {
  writeColumns('f 1', path, columns);
  assert.is(readColumns('f 2', path), undefined);
  assert.is(readColumns('f 1', `${path}.gone`), undefined);
});

test('a file with any byte changed or cut off is as if absent', () => {
  writeColumns('f 1', path, columns);
  const whole = readFileSync(path);
  for (let at = 0; at < whole.length; at++) {
    writeFileSync(
      path,
      whole.map((byte, i) => (i === at ? byte ^ 1 : byte)),
    );
    assert.is(readColumns('f 1', path), undefined, `byte ${at}`);
    writeFileSync(path, whole.subarray(0, at));
    assert.is(readColumns('f 1', path), undefined, `cut at ${at}`);
  }
});

test('texts are unpacked as they were packed', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'é', '\n', '\u{1f600}', ' ') });
  fc.assert(fc.property(fc.array(text), (texts) => assert.equal(unpackTexts(packTexts(texts)), texts)));
  assert.equal(unpackTexts(packTexts([''])), ['']);
  assert.equal(unpackTexts(packTexts([])), []);
});

const facts = (groups: number[], change: Partial<Record<'bytes' | 'records' | 'u' | 'digest', number>> = {}) => ({
  chunkGroups: Uint32Array.from(groups),
  chunkBytes: Float64Array.from(groups, (_, i) => 100 + i + (change.bytes ?? 0)),
  chunkRecords: Float64Array.from(groups, (_, i) => 10 + i + (change.records ?? 0)),
  chunkUs: Uint32Array.from(groups, (_, i) => i + (change.u ?? 0)),
  chunkDigests: new Uint8Array(32 * groups.length).fill(change.digest ?? 0),
});

test('the list digest tells group, digest, bytes, records and u of each chunk, and no more', () => {
  const digest = (...args: Parameters<typeof listDigestOf>): string => listDigestOf(...args).toString('hex');
  const plain = digest(facts([0, 1]), ['a', 'b']);
  const others = [
    digest(facts([0, 0]), ['a', 'b']),
    digest(facts([0, 1]), ['a', 'c']),
    digest(facts([0, 1]), ['ab', '']),
    digest(facts([0, 1], { bytes: 1 }), ['a', 'b']),
    digest(facts([0, 1], { records: 1 }), ['a', 'b']),
    digest(facts([0, 1], { u: 1 }), ['a', 'b']),
    digest(facts([0, 1], { digest: 1 }), ['a', 'b']),
    digest(facts([0]), ['a', 'b']),
  ];
  assert.is(new Set([plain, ...others]).size, others.length + 1);
  assert.is(digest(facts([1, 2]), ['empty', 'a', 'b']), plain, 'a group without chunks');
  assert.is(digest(facts([1, 0]), ['b', 'a']), plain, 'groups in another order of the table');
});

test('the list digest of these chunks is the same for ever', () => {
  assert.is(listDigestOf(facts([0, 1, 0]), ['a', 'b']).toString('hex'), 'e89adab6344ecf953150c032522e3d301dbc56249db9d985453522f71e7a6ade');
  assert.is(listDigestOf(facts([]), []).toString('hex'), 'd1b119eac70f6df7623a2aa04873ad4780d9b6c28314ec091b5de7acc7f60a57');
});

test.run();
