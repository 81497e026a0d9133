import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { digestHex } from '../../src/base/digest.ts';
import { BuildError } from '../../src/base/errors.ts';
import { limits } from '../../src/base/limits.ts';
import { type Location, Store } from '../../src/cache/store.ts';
import { JobIo } from '../../src/execute/io.ts';
import { RecordMark } from '../../src/execute/record-mark.ts';
import type { Part } from '../../src/rule/part.ts';
import { decodeView, emptyBitmap, encodeView, select } from '../../src/rule/view.ts';
import { temporaryFolder } from '../cache/folders.ts';

const test = suite('io');

const dir = temporaryFolder();
const store = new Store(dir);
const tmpDir = join(dir, 'tmp');
mkdirSync(tmpDir);

const isCode = (code: string) => (error: unknown) => error instanceof BuildError && error.code === code;

function partOf(content: string | Uint8Array, change: Partial<Part> = {}): Part {
  const bytes = Buffer.from(content);
  return { digest: store.put(bytes), form: 'lines', bytes: bytes.length, facts: { records: 1, u: 1 }, group: 'a/b', ...change };
}

/** A step's hands on these parts. */
function ioOn(
  parts: readonly Part[],
  { mark, ...more }: { secrets?: Record<string, string>; chunkBytes?: number; mark?: RecordMark } = {},
): JobIo {
  const locations = Object.fromEntries(parts.map(({ digest }) => [digest, store.locate(digest) as Location]));
  const job = {
    id: 1,
    module: '',
    rule: '',
    step: '',
    inputs: {},
    params: {},
    earlier: [],
    locations,
    bundles: {},
    secrets: {},
    tmpDir,
    chunkBytes: 1024,
    recordMsMax: 60_000,
    ...more,
  };
  return new JobIo(job, { signal: new AbortController().signal, progress() {}, ...(mark && { mark }) });
}

const texts = (io: JobIo, part: Part): unknown[] => [...io.documents(part)].map(({ record, raw }) => [record, raw['text']]);
const lines = (...list: readonly string[]): string => list.map((text) => `${JSON.stringify({ text })}\n`).join('');

test('whoever looks at the mark sees which document a step is at, and none before, after or when it stops early', () => {
  const [a, b] = [partOf(lines('one', 'two', 'three')), partOf(`${lines('four')}\n${lines('five')}`)];
  const mark = new RecordMark();
  const io = ioOn([a, b], { mark });
  const seen = (): unknown => mark.read().at;
  const rows = io.documents(a);
  assert.is(seen(), undefined);
  for (const { record, line } of rows) assert.equal(seen(), { part: a.digest, record, bytes: line.length });
  assert.is(seen(), undefined);
  for (const { record } of io.documents(b)) {
    assert.equal(mark.read().at?.record, record);
    if (record === 2) break;
  }
  assert.is(seen(), undefined);
  io.recordBegins(b, 2, 7);
  assert.equal(seen(), { part: b.digest, record: 2, bytes: 7 });
  const { signs } = mark.read();
  io.progress(1);
  assert.is.not(mark.read().signs, signs);
  io.recordEnds();
  assert.is(seen(), undefined);
});

test('what a step writes is its parts: small ones as bytes, large ones in a file, with the digest of what was written', () => {
  const sizes = fc.array(fc.nat({ max: 100_000 }), { maxLength: 8 });
  fc.assert(
    fc.property(sizes, (pieces) => {
      const io = ioOn([]);
      const writer = io.create('file');
      const reused = Buffer.alloc(100_000);
      for (const [i, size] of pieces.entries()) {
        // Who writes may use its buffer again.
        reused.fill(i + 1);
        writer.write(reused.subarray(0, size));
      }
      writer.close({ rows: 3 }, { name: 'x' });
      const [part] = io.made().parts;
      const whole = Buffer.concat(pieces.map((size, i) => Buffer.alloc(size, i + 1)));
      const written = part?.data ? Buffer.from(part.data) : readFileSync(part?.file as string);
      assert.ok(written.equals(whole));
      assert.equal([part?.digest, part?.bytes, part?.facts, part?.name], [digestHex(whole), whole.length, { rows: 3 }, 'x']);
      assert.is(part?.data === undefined, whole.length >= limits.packedBytesMax);
      io.end();
    }),
    { numRuns: 40 },
  );
});

test('a step that fails leaves no file and no folder behind', () => {
  const before = readdirSync(tmpDir);
  const io = ioOn([]);
  io.create('file').write(Buffer.alloc(1_000_000));
  writeFileSync(join(io.scratch(), 'x'), 'x');
  assert.is(io.scratch(), io.scratch());
  const finished = io.create('file');
  finished.write(Buffer.alloc(1_000_000, 1));
  finished.close();
  assert.is(readdirSync(tmpDir).length, before.length + 3);
  io.discard();
  io.end();
  assert.equal(readdirSync(tmpDir), before);
});

test('documents of lines and of views name the record of the part that holds the bytes', () => {
  const base = partOf(lines('a', 'b', 'c'), { facts: { records: 3, u: 1 } });
  const bitmap = emptyBitmap(3);
  for (const record of [0, 2]) select(bitmap, record);
  const view = partOf(encodeView({ base: base.digest, records: 3, bitmap }), { form: 'view', facts: { records: 2, u: 1 } });
  const io = ioOn([base, view]);
  assert.equal(texts(io, base), [
    [0, 'a'],
    [1, 'b'],
    [2, 'c'],
  ]);
  assert.equal(texts(io, view), [
    [0, 'a'],
    [2, 'c'],
  ]);
  assert.throws(() => [...io.documents({ ...base, form: 'tokens' })], isCode('bad-part'));
});

test('a selection of a view is a view on its base, and all of a part is that part', () => {
  const base = partOf(lines('a', 'b'), { facts: { records: 2, u: 1 } });
  const view = partOf(encodeView({ base: base.digest, records: 2, bitmap: Uint8Array.of(3) }), { form: 'view' });
  const io = ioOn([base, view]);
  const facts = { records: 1, u: 1 };
  io.select(view, { bitmap: Uint8Array.of(2), records: 2, facts });
  io.select(base, { all: true, facts: { records: 2, u: 1 } });
  const [selected, whole] = io.made().parts;
  assert.is(decodeView(Buffer.from(selected?.data as Uint8Array)).base, base.digest);
  assert.equal([selected?.form, selected?.facts], ['view', facts]);
  assert.equal([whole?.digest, whole?.form, whole?.data, whole?.file], [base.digest, 'lines', undefined, undefined]);
});

test('a step reads its inputs only, and no other bytes than those planned with', () => {
  const part = partOf('content');
  const io = ioOn([part]);
  assert.throws(() => io.bytes(partOf('another part')), isCode('bad-part'));
  assert.throws(() => io.path(partOf('another part')), isCode('bad-part'));
  const wrong = { ...part, digest: digestHex('other') };
  const lying = new JobIo(
    { ...io.job, locations: { [wrong.digest]: store.locate(part.digest) as Location } },
    { signal: io.signal, progress() {} },
  );
  assert.throws(() => lying.bytes(wrong), isCode('part-mismatch'));
  assert.throws(() => [...lying.pieces(wrong)], isCode('part-mismatch'));
});

test('a path is given of a part that is a file by itself, and no other', () => {
  const large = partOf(Buffer.alloc(limits.packedBytesMax + 1, 'x'));
  assert.is(readFileSync(ioOn([large]).path(large)).length, large.bytes);
  const packs = new Store(temporaryFolder());
  for (const content of ['first in its pack', 'behind it']) {
    const digest = packs.put(Buffer.from(content));
    const part = { ...large, digest, bytes: content.length };
    const job = { ...ioOn([]).job, locations: { [digest]: packs.locate(digest) as Location } };
    packs.put(Buffer.from('behind the first'));
    assert.throws(() => new JobIo(job, { signal: new AbortController().signal, progress() {} }).path(part), isCode('bad-part'));
  }
});

test('records are cut into chunks that hold all of them in order, each with its count', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.string({ unit: 'binary-ascii', maxLength: 200 }).map((text) => text.replaceAll('\n', ' ')),
        { maxLength: 80 },
      ),
      (written) => {
        const io = ioOn([], { chunkBytes: 1024 });
        const records = io.records();
        for (const line of written) records.write(Buffer.from(line));
        records.close();
        const { parts } = io.made();
        const whole = Buffer.concat(parts.map(({ data }) => Buffer.from(data as Uint8Array))).toString('utf8');
        assert.is(whole, written.map((line) => `${line}\n`).join(''));
        assert.is(
          parts.reduce((sum, { facts }) => sum + (facts['records'] ?? 0), 0),
          written.length,
        );
        assert.ok(parts.every(({ form, facts }) => form === 'lines' && Object.hasOwn(facts, 'u')));
      },
    ),
    { numRuns: 60 },
  );
});

test('counters add up, also under names that every object has', () => {
  const io = ioOn([]);
  io.count('constructor');
  io.count('constructor', 2);
  io.drop('short');
  io.drop('short', 3);
  const { counters } = io.made();
  assert.equal(counters, { constructor: 3, 'dropped:short': 4 } as never);
});

test('of very many bad records all are counted and some are listed', () => {
  const part = partOf('x');
  const io = ioOn([part]);
  for (let record = 0; record < limits.quarantineListedMax + 5; record++) io.quarantine(part, record, 'not-json', 'detail');
  const { counters, quarantined } = io.made();
  assert.equal([counters['quarantined:not-json'], quarantined.length], [limits.quarantineListedMax + 5, limits.quarantineListedMax]);
  assert.equal(quarantined[0], { part: part.digest, record: 0, reason: 'not-json', detail: 'detail' });
});

test('a secret is given by its name, and one that was not declared is refused', () => {
  const io = ioOn([], { secrets: { TOKEN: 'hidden' } });
  assert.is(io.secret('TOKEN'), 'hidden');
  assert.throws(() => io.secret('OTHER'), isCode('no-secret'));
  assert.ok(existsSync(tmpDir));
});

test.run();
