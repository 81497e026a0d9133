import { execFileSync } from 'node:child_process';
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { digestHex } from '../../src/base/digest.ts';
import { BuildError } from '../../src/base/errors.ts';
import { isWhole, readPart, readPieces } from '../../src/cache/part-reader.ts';
import type { Location, Segment } from '../../src/cache/store.ts';
import { temporaryFolder } from './folders.ts';

const test = suite('part reader');

const dir = temporaryFolder();
let files = 0;
const isMismatch = (path: string) => (error: unknown) =>
  error instanceof BuildError && error.code === 'part-mismatch' && error.where === path;

interface Piece {
  readonly before: string;
  readonly content: string;
  readonly after: string;
  readonly addNewline: boolean;
}

function laidOut({ before, content, after, addNewline }: Piece): Segment {
  const path = join(dir, String(files++));
  writeFileSync(path, before + content + after);
  return { path, offset: Buffer.byteLength(before), length: Buffer.byteLength(content), ...(addNewline && { addNewline }) };
}

const piece: fc.Arbitrary<Piece> = fc.record({
  before: fc.string(),
  content: fc.string({ unit: 'grapheme' }),
  after: fc.string(),
  addNewline: fc.boolean(),
});
const wholeOf = (pieces: readonly Piece[]): Buffer =>
  Buffer.from(pieces.map(({ content, addNewline }) => content + (addNewline ? '\n' : '')).join(''));
const pieced = (digest: string, location: Location): Buffer => Buffer.concat([...readPieces(digest, location)]);

test('a part is its segments in order, each with the newline that it lacks', () => {
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 4 }), (pieces) => {
      const [location, bytes] = [pieces.map(laidOut), wholeOf(pieces)];
      assert.ok(readPart(digestHex(bytes), location).equals(bytes));
      assert.ok(pieced(digestHex(bytes), location).equals(bytes));
    }),
    { numRuns: 60 },
  );
});

test('a pipe in the place of a file is a mismatch, and is not waited for', () => {
  const path = join(dir, String(files++));
  execFileSync('mkfifo', [path]);
  assert.throws(() => readPart(digestHex('ab'), [{ path, offset: 0, length: 2 }]), isMismatch(path));
  assert.is(isWhole(digestHex('ab'), [{ path, offset: 0, length: 2 }]), false);
});

test('any other bytes than those planned with are a mismatch that names the file', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 50 }), fc.nat(), (bytes, at) => {
      const path = join(dir, String(files++));
      const changed = Buffer.from(bytes);
      changed[at % bytes.length] = (changed[at % bytes.length] as number) ^ 1;
      writeFileSync(path, changed);
      const location = [{ path, offset: 0, length: bytes.length }];
      assert.throws(() => readPart(digestHex(bytes), location), isMismatch(path));
      assert.throws(() => pieced(digestHex(bytes), location), isMismatch(path));
    }),
    { numRuns: 60 },
  );
});

test('a file that became shorter is a mismatch, one that grew behind the part is not', () => {
  const path = join(dir, 'grows');
  writeFileSync(path, 'part');
  appendFileSync(path, ' and more');
  const location = [{ path, offset: 0, length: 4 }];
  assert.is(readPart(digestHex('part'), location).toString(), 'part');
  writeFileSync(path, 'par');
  assert.throws(() => readPart(digestHex('part'), location), isMismatch(path));
  assert.throws(() => pieced(digestHex('part'), location), isMismatch(path));
});

test('a newline too many or too few is a mismatch', () => {
  const path = join(dir, 'line');
  writeFileSync(path, 'line');
  assert.throws(() => readPart(digestHex('line'), [{ path, offset: 0, length: 4, addNewline: true }]), isMismatch(path));
  assert.throws(() => readPart(digestHex('line\n'), [{ path, offset: 0, length: 4 }]), isMismatch(path));
});

test('a part of nothing has the digest of nothing', () => {
  assert.is(readPart(digestHex(''), []).length, 0);
  assert.throws(
    () => readPart(digestHex('x'), []),
    (error: unknown) => error instanceof BuildError && error.code === 'part-mismatch',
  );
});

test('parts larger than a piece come in several', () => {
  const path = join(dir, 'large');
  const bytes = Buffer.alloc(9 * 1024 * 1024, 'some text');
  writeFileSync(path, bytes);
  const pieces = [...readPieces(digestHex(bytes), [{ path, offset: 0, length: bytes.length }])];
  assert.ok(pieces.length > 1);
  assert.ok(Buffer.concat(pieces).equals(bytes));
});

test.run();
