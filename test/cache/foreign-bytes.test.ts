/** Files that builds remember things in, and that git merges: their bytes may be anything. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { BuildError } from '../../src/base/errors.ts';
import { readLock } from '../../src/cache/lock.ts';
import { Log } from '../../src/cache/log.ts';
import { Listing } from '../../src/source/listing.ts';
import { ListingFiles } from '../../src/source/listing-files.ts';

const test = suite('foreign bytes');

const root = mkdtempSync(join(tmpdir(), 'dsbuild-foreign-'));
process.once('exit', () => rmSync(root, { recursive: true, force: true }));

type Edit = (bytes: Buffer) => Buffer;
const anyBytes = fc.uint8Array({ maxLength: 60 });
const flip = fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })).map(
  ([at, by]): Edit =>
    (bytes) => {
      const copy = Buffer.from(bytes);
      if (copy.length > 0) copy[at % copy.length] = (copy[at % copy.length] as number) ^ by;
      return copy;
    },
);
const cut = fc.nat().map(
  (at): Edit =>
    (bytes) =>
      bytes.subarray(0, at % (bytes.length + 1)),
);
const tail = anyBytes.map(
  (more): Edit =>
    (bytes) =>
      Buffer.concat([bytes, more]),
);
const insert = fc.tuple(fc.nat(), anyBytes).map(
  ([at, more]): Edit =>
    (bytes) =>
      Buffer.concat([bytes.subarray(0, at % (bytes.length + 1)), more, bytes.subarray(at % (bytes.length + 1))]),
);
const twice = fc.tuple(fc.nat(), fc.nat()).map(
  ([from, to]): Edit =>
    (bytes) =>
      Buffer.concat([bytes, bytes.subarray(from % (bytes.length + 1), to % (bytes.length + 1))]),
);
const edits = fc.array(fc.oneof(flip, cut, tail, insert, twice), { minLength: 1, maxLength: 3 });
const edited = (bytes: Buffer, some: readonly Edit[]): Buffer => some.reduce((now, edit) => edit(now), bytes);

const key = (n: number): string => n.toString(16).padStart(64, '0');

test('a log with bytes that are flipped, cut off, put in or appended gives what was written or less, never another value, and goes on', () => {
  const dir = join(root, 'log');
  const log = new Log(dir, 'test');
  const values = new Map(Array.from({ length: 12 }, (_, n) => [key(n), `value ${n} ${'x'.repeat(n * 5)}`]));
  for (const [name, value] of values) {
    log.put(name, Buffer.from(value));
    if (Number.parseInt(name, 16) % 3 === 0) log.flush();
  }
  log.seal();
  const path = join(dir, readdirSync(dir)[0] as string);
  const whole = readFileSync(path);
  fc.assert(
    fc.property(edits, (some) => {
      for (const name of readdirSync(dir)) rmSync(join(dir, name));
      writeFileSync(path, edited(whole, some));
      const read = new Log(dir, 'test');
      for (const [name, value] of read.entries()) assert.is(value.toString(), values.get(name));
      read.put(key(99), Buffer.from('new'));
      read.seal();
      assert.is(new Log(dir, 'test').get(key(99))?.toString(), 'new');
    }),
    { numRuns: 500 },
  );
});

const digest = 'ab'.repeat(32);
const listing = Listing.of([
  { name: 'a.jsonl', bytes: 10, etag: '"e1"', blake3: digest },
  { name: 'b/c.jsonl', bytes: 20, etag: '"e2"', version: 'v' },
]);

test('a dsbuild.lock that holds anything is read, or refused as bad-lock with its line; what was read is written and read again', () => {
  const file = join(root, 'dsbuild.lock');
  const sound = readLock(file);
  sound.add('source', 'https://example.org/a.jsonl', { blake3: digest, etag: '"x y"' });
  sound.add('tokenizer', 'gpt2', { blake3: digest, engine: 'native' });
  sound.add('source', 's3://bucket/b/*.jsonl', { listing: listing.digest });
  sound.save();
  const whole = readFileSync(file);
  const line = fc.tuple(
    fc.constantFrom('source', '__proto__', 'constructor'),
    fc.string(),
    fc.constantFrom('__proto__', 'toString', 'x'),
    fc.string(),
  );
  const lines = line.map(
    ([kind, address, name, value]): Edit =>
      (bytes) =>
        Buffer.concat([bytes, Buffer.from(`${kind} ${JSON.stringify(address)} ${name}=${JSON.stringify(value)}\n`)]),
  );
  fc.assert(
    fc.property(fc.oneof(edits, fc.array(lines, { minLength: 1, maxLength: 3 })), (some) => {
      writeFileSync(file, edited(whole, some));
      try {
        const lock = readLock(file, 'update');
        lock.add('source', 'https://example.org/new', { blake3: digest });
        lock.save();
        assert.equal(readLock(file).entries(), lock.entries());
      } catch (error) {
        assert.instance(error, BuildError, (error as Error).stack ?? '');
        assert.is((error as BuildError).code, 'bad-lock');
        assert.match((error as BuildError).where ?? '', /dsbuild\.lock:\d+$/);
      }
    }),
    { numRuns: 500 },
  );
});

test('a list of dsbuild.lock.d that holds anything else is none, or refused as bad-lock with its path', () => {
  const files = new ListingFiles(join(root, 'dsbuild.lock.d'));
  mkdirSync(files.folder);
  files.write(listing, 's3://bucket/*');
  const path = join(files.folder, readdirSync(files.folder)[0] as string);
  const whole = readFileSync(path);
  fc.assert(
    fc.property(edits, (some) => {
      writeFileSync(path, edited(whole, some));
      const found = files.read(listing.digest);
      if (found) {
        // What the bucket said is as it was; of what was fetched since, contents are proven by the lock.
        assert.is(found.digest, listing.digest);
        return;
      }
      assert.throws(
        () => files.readWhole(listing.digest),
        (error: unknown) => error instanceof BuildError && error.code === 'bad-lock' && error.where === path,
      );
    }),
    { numRuns: 500 },
  );
});

test.run();
