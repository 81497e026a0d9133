import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { digestHex } from '../../src/base/digest.ts';
import { BuildError } from '../../src/base/errors.ts';
import { changesInWords, type ListedObject, Listing, listingChanges } from '../../src/source/listing.ts';
import { ListingFiles } from '../../src/source/listing-files.ts';
import { assertSafeNames } from '../../src/source/object-names.ts';
import { isObjectPattern, parseObjectPattern } from '../../src/source/object-pattern.ts';
import { temporaryFolder } from './files.ts';

const test = suite('listings of objects');

const name = fc.stringMatching(/^[a-z]{1,3}(\/[a-z]{1,3}){0,2}\.jsonl$/);
/** A bucket as a model: content by name. */
const bucket = fc.dictionary(name, fc.integer({ min: 0, max: 3 }).map(String), { maxKeys: 12 });
type Model = Readonly<Record<string, string>>;

const objectsOf = (model: Model): ListedObject[] =>
  Object.entries(model).map(([key, content]) => ({ name: key, bytes: content.length, etag: `"${digestHex(content).slice(0, 8)}"` }));
const listingOf = (model: Model): Listing => Listing.of(objectsOf(model));

test('its digest is that of the set of objects, in whatever order they come, and changes with each name, length, ETag and version', () => {
  const shuffled = bucket.chain((model) =>
    fc.tuple(fc.constant(model), fc.shuffledSubarray(objectsOf(model), { minLength: Object.keys(model).length })),
  );
  fc.assert(fc.property(shuffled, ([model, objects]) => assert.is(Listing.of(objects).digest, listingOf(model).digest)));
  fc.assert(
    fc.property(bucket, bucket, (one, other) => {
      const equal = JSON.stringify(Object.entries(one).sort()) === JSON.stringify(Object.entries(other).sort());
      assert.is(listingOf(one).digest === listingOf(other).digest, equal);
    }),
  );
  const object = { name: 'a', bytes: 1, etag: '"x"' };
  const others = [{ name: 'b' }, { bytes: 2 }, { etag: '"y"' }, { version: 'v' }].map(
    (change) => Listing.of([{ ...object, ...change }]).digest,
  );
  assert.is(new Set([Listing.of([object]).digest, ...others]).size, 5);
});

test('what its file says is what it was; contents are no part of its digest', () => {
  const known = fc.dictionary(name, fc.boolean(), { maxKeys: 12 });
  fc.assert(
    fc.property(bucket, known, (model, fetched) => {
      const listing = listingOf(model).with((key) => (Object.hasOwn(fetched, key) ? digestHex(model[key] ?? '') : undefined));
      const text = listing.encode('s3://bucket/**');
      const read = Listing.decode(text);
      assert.equal(read?.objects, listing.objects);
      assert.is(read?.digest, listingOf(model).digest);
      assert.is(
        read?.contents === undefined,
        Object.keys(model).some((key) => !Object.hasOwn(fetched, key)),
      );
    }),
  );
});

test('text that is cut or changed anywhere never reads as the same listing, and never throws', () => {
  const text = listingOf({ 'a.jsonl': '1', 'b/c.jsonl': '2', 'd.jsonl': '3' }).encode('s3://bucket/**');
  const { digest } = Listing.decode(text) as Listing;
  const begin = text.indexOf('\n') + 1;
  fc.assert(
    fc.property(fc.integer({ min: 0, max: text.length - 1 }), (at) => assert.is.not(Listing.decode(text.slice(0, at))?.digest, digest)),
  );
  fc.assert(
    fc.property(fc.integer({ min: begin, max: text.length - 1 }), fc.constantFrom('0', '\t', '\n', '"', 'é'), (at, character) => {
      if (text[at] === character || text[at] === '\n') return;
      const read = Listing.decode(text.slice(0, at) + character + text.slice(at + 1));
      assert.ok(read === undefined || read.digest !== digest);
    }),
  );
  fc.assert(fc.property(fc.string(), (any) => void Listing.decode(any)));
});

test('what changed between two listings is what changed in the bucket', () => {
  fc.assert(
    fc.property(bucket, bucket, (before, after) => {
      const { added, changed, gone } = listingChanges(listingOf(before), listingOf(after));
      const names = Object.keys(after).sort();
      assert.equal(
        added,
        names.filter((key) => !Object.hasOwn(before, key)),
      );
      assert.equal(
        changed,
        names.filter((key) => Object.hasOwn(before, key) && before[key] !== after[key]),
      );
      assert.equal(
        gone,
        Object.keys(before)
          .sort()
          .filter((key) => !Object.hasOwn(after, key)),
      );
    }),
  );
  const words = changesInWords({ added: ['a', 'b', 'c', 'd'], changed: ['e'], gone: [] });
  assert.is(words, '4 objects are new (a, b, c, ...), 1 was replaced (e)');
});

const refusal = (names: readonly string[]): string | undefined => {
  try {
    assertSafeNames(names, 's3://bucket/**');
    return undefined;
  } catch (error) {
    assert.instance(error, BuildError);
    assert.is((error as BuildError).code, 'bad-object-name');
    return (error as BuildError).message;
  }
};

test('names that lead elsewhere, or that two disks read in two ways, are refused by name', () => {
  const bad = ['../a', 'a/../b', './a', 'a//b', '/a', 'a/', 'a\\b', '..\\a', 'C:/a', 'a\u0000b', 'a\nb', 'a\u0085', 'a\ufffd', '..'];
  for (const each of bad) assert.match(refusal(['fine.jsonl', each]) ?? 'nothing', JSON.stringify(each));
  assert.match(refusal(['caf\u00e9.jsonl', 'cafe\u0301.jsonl']) ?? '', /"caf\\u00e9\.jsonl" and "cafe\\u0301\.jsonl"/);
  assert.is(refusal(['a b.jsonl', "it's.jsonl", 'caf\u00e9.jsonl', 'x/..y/z...', '日本/語', '#?&=+%20', '-rf', '~']), undefined);
});

test('a name that is not refused stays below any folder', () => {
  const parts = fc.constantFrom('..', '.', '', 'a', 'b', '\\', '\u0000', ' ', 'é', '/', 'C:', '~', '...');
  fc.assert(
    fc.property(
      fc.array(parts, { maxLength: 6 }).map((all) => all.join('')),
      (each) => {
        if (each === '' || refusal([each]) !== undefined) return;
        assert.ok(join('/out', each).startsWith('/out/'));
        assert.is(join('/out', each), `/out/${each}`);
      },
    ),
  );
});

test('a pattern is asked for by what all its names begin with, and matches as it does for local files', () => {
  const { folder, beginning, matches } = parseObjectPattern('s3://bucket/raw/2024/part-*.jsonl');
  assert.equal([folder, beginning], ['s3://bucket/raw/2024/', 'part-']);
  assert.equal(['part-1.jsonl', 'part-1.json', 'x/part-1.jsonl', 'part-1/x.jsonl'].map(matches), [true, false, false, false]);
  const deep = parseObjectPattern('s3://bucket/raw/**');
  assert.equal([deep.folder, deep.beginning], ['s3://bucket/raw/', '']);
  assert.equal(['a.jsonl', 'a/b/c.jsonl', '.dsbuild.json', 'a/.hidden'].map(deep.matches), [true, true, false, false]);
  const whole = parseObjectPattern('s3://bucket/{a,b}/*.jsonl');
  assert.equal([whole.folder, whole.beginning], ['s3://bucket/', '']);
  assert.equal(['a/x.jsonl', 'b/x.jsonl', 'c/x.jsonl'].map(whole.matches), [true, true, false]);
});

test('an address without a glob is one object; a glob in the bucket, or a segment that leads elsewhere, is refused', () => {
  assert.equal(['s3://bucket/a b.jsonl', 's3://bucket/*', 'https://host/*'].map(isObjectPattern), [false, true, false]);
  for (const bad of ['s3://buck*/a', 's3://bucket/../*', 's3://bucket//*', 's3://bucket/a/**/'])
    assert.throws(
      () => parseObjectPattern(bad),
      (error: BuildError) => error.code === 'bad-address',
    );
});

test('a listing lies beside the lock under its digest; one that was edited is refused, one that nothing names is removed', () => {
  const root = temporaryFolder();
  const files = ListingFiles.beside(join(root, 'dsbuild.lock'));
  const [one, other] = [listingOf({ 'a.jsonl': '1' }), listingOf({ 'a.jsonl': '2' })];
  for (const listing of [one, other]) files.write(listing, 's3://bucket/*');
  assert.equal(files.readWhole(one.digest).objects, one.objects);
  writeFileSync(join(files.folder, 'README.md'), 'mine');
  files.keepOnly([other.digest]);
  assert.is(files.read(one.digest), undefined);
  const [file = ''] = readdirSync(files.folder);
  writeFileSync(join(files.folder, file), one.encode('s3://bucket/*'));
  assert.throws(
    () => files.readWhole(other.digest),
    (error: BuildError) => error.code === 'bad-lock' && error.where === join(files.folder, file),
  );
  files.keepOnly([]);
  assert.equal(readdirSync(files.folder), ['README.md']);
  rmSync(join(files.folder, 'README.md'));
  files.write(one, 's3://bucket/*');
  files.keepOnly([]);
  assert.equal(readdirSync(root), []);
});

test.run();
