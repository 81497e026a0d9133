import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { compress, compressUses } from '../../../rules/lib/compress.ts';
import { decompress } from '../../../rules/lib/decompress.ts';
import { digestHex } from '../../../src/base/digest.ts';
import { BuildError } from '../../../src/base/errors.ts';
import type { SourceFormat } from '../../../src/rule/source.ts';
import { python } from '../../python.ts';

const test = suite('compress');

type Turn = (format: SourceFormat, pieces: Iterable<Uint8Array>) => AsyncIterable<Uint8Array>;

async function run(turn: Turn, format: SourceFormat, pieces: Iterable<Uint8Array>): Promise<Buffer> {
  const out: Uint8Array[] = [];
  for await (const piece of turn(format, pieces)) out.push(piece);
  return Buffer.concat(out);
}

function* cut(bytes: Uint8Array, length: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
}

/** The error of unpacking `bytes`, which must be a `bad-input`. */
async function refusal(format: SourceFormat, bytes: Uint8Array, length = 1000): Promise<BuildError> {
  try {
    await run(decompress, format, cut(bytes, length));
  } catch (error) {
    assert.instance(error, BuildError);
    assert.is((error as BuildError).code, 'bad-input');
    return error as BuildError;
  }
  throw new Error(`${format}: nothing was refused`);
}

/** Lines that compress about as text does; the same on every machine. */
function text(bytes: number): Buffer {
  const lines: string[] = [];
  for (let length = 0, state = 7; length < bytes; length += lines.at(-1)?.length ?? 0) {
    const words: number[] = [];
    for (let i = 0; i < 12; i++) {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      words.push(state >>> 19);
    }
    lines.push(`{"text":"${words.map((word) => (word % 997).toString(36)).join(' ')}"}\n`);
  }
  return Buffer.from(lines.join('')).subarray(0, bytes);
}

const flipped = (bytes: Uint8Array, at: number): Buffer => {
  const copy = Buffer.from(bytes);
  copy.writeUInt8(copy.readUInt8(at) ^ 0x55, at);
  return copy;
};

/** Made by zstd 1.5.4 from `short`. */
const short = '{"text":"one"}\n{"text":"two"}';
const frames = {
  'with a checksum': 'KLUv/SQd1QAAoHsidGV4dCI6Im9uZSJ9CnR3byJ9AQBSzDpOwK0f',
  'without a checksum': 'KLUv/SAd1QAAoHsidGV4dCI6Im9uZSJ9CnR3byJ9AQBSzDo=',
  'of unknown size': 'KLUv/QRY1QAAoHsidGV4dCI6Im9uZSJ9CnR3byJ9AQBSzDpOwK0f',
} as const;
const emptyFrame = Buffer.from('KLUv/SQAAQAAmenYUQ==', 'base64');
const frame = (name: keyof typeof frames): Buffer => Buffer.from(frames[name], 'base64');

const packed: readonly SourceFormat[] = ['jsonl.gz', 'jsonl.zst'];
const big = text(9 * 1024 * 1024);

for (const format of ['jsonl', ...packed] as const) {
  test(`${format}: what is compressed comes out again, wherever either side is cut`, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 5000 }),
        fc.integer({ min: 1, max: 6000 }),
        fc.integer({ min: 1, max: 300 }),
        async (bytes, a, b) => {
          const there = await run(compress, format, cut(bytes, a));
          assert.ok((await run(decompress, format, cut(there, b))).equals(bytes));
        },
      ),
      { numRuns: 60 },
    );
  });
}

test('several blocks and frames come out again', async () => {
  for (const format of packed) {
    const there = await run(compress, format, cut(big, 1_000_003));
    assert.ok(there.length < big.length / 2);
    assert.ok((await run(decompress, format, cut(there, 65_537))).equals(big));
  }
});

test('the compressed bytes depend neither on how the input is cut nor on the version of Node', async () => {
  const digests: Partial<Record<SourceFormat, string>> = {};
  for (const format of packed) {
    const whole = await run(compress, format, [big]);
    assert.ok((await run(compress, format, cut(big, 77_777))).equals(whole), format);
    digests[format] = digestHex(whole).slice(0, 16);
  }
  assert.equal(digests, { 'jsonl.gz': '267cd04a87f33e99', 'jsonl.zst': '2aa65095db9349de' });
});

test('the libraries that shape the bytes are named with the versions that are installed', () => {
  const { dependencies } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'));
  for (const use of compressUses) {
    const at = use.lastIndexOf('@');
    assert.is(dependencies[use.slice(0, at)], use.slice(at + 1));
  }
});

test('a gzip header carries no name, no time and a fixed system', async () => {
  const there = await run(compress, 'jsonl.gz', [Buffer.from(short)]);
  assert.equal([...there.subarray(0, 10)], [31, 139, 8, 0, 0, 0, 0, 0, 0, 3]);
  assert.is(gunzipSync(there).toString(), short);
});

test('other programs read both formats', async () => {
  const interpreter = python('pyarrow');
  if (!interpreter) return;
  const script = `import sys, pyarrow
data = pyarrow.CompressedInputStream(pyarrow.BufferReader(sys.stdin.buffer.read()), sys.argv[1]).read()
sys.stdout.buffer.write(data)`;
  for (const [format, name] of [
    ['jsonl.gz', 'gzip'],
    ['jsonl.zst', 'zstd'],
  ] as const) {
    const input = await run(compress, format, [big]);
    assert.ok(execFileSync(interpreter, ['-c', script, name], { input, maxBuffer: 1 << 28 }).equals(big), name);
  }
});

test('nothing is compressed to a file that holds nothing', async () => {
  for (const format of packed) {
    const there = await run(compress, format, []);
    assert.ok(there.length > 0);
    assert.is((await run(decompress, format, [there])).length, 0);
  }
});

test('a compressed file without any bytes is truncated', async () => {
  for (const format of packed) assert.match((await refusal(format, new Uint8Array())).message, /truncated: it ends at compressed byte 0/);
});

test('a gzip file may have many members, cut anywhere, and zeros behind them', async () => {
  const members = Buffer.concat(['a', 'b', ''].map((word) => gzipSync(word.repeat(300))));
  for (let length = 1; length <= members.length; length++) {
    assert.is((await run(decompress, 'jsonl.gz', cut(members, length))).length, 600, `pieces of ${length}`);
  }
  const padded = Buffer.concat([members, Buffer.alloc(100_000)]);
  for (const length of [1000, members.length, 65_536, padded.length]) {
    assert.is((await run(decompress, 'jsonl.gz', cut(padded, length))).length, 600, `pieces of ${length}`);
  }
});

test('a gzip member behind zeros is never lost without a word', async () => {
  const member = gzipSync(short);
  for (const zeros of [1, 300, 100_000]) {
    const bytes = Buffer.concat([member, Buffer.alloc(zeros), member]);
    const at = new RegExp(`corrupt near compressed byte ${member.length + zeros}:`);
    for (const length of [7, member.length, 1000, bytes.length]) assert.match((await refusal('jsonl.gz', bytes, length)).message, at);
  }
});

test('every truncation of a gzip file is refused at its end', async () => {
  const member = gzipSync(short);
  for (let length = 1; length < member.length; length++) {
    assert.match((await refusal('jsonl.gz', member.subarray(0, length))).message, new RegExp(`ends at compressed byte ${length},`));
  }
  const second = Buffer.concat([member, member.subarray(0, 5)]);
  assert.match((await refusal('jsonl.gz', second, member.length)).message, /truncated/);
});

test('a changed byte in gzip data is refused', async () => {
  const member = gzipSync(big.subarray(0, 300_000));
  for (const at of [0, 2, 500, member.length - 7])
    assert.match((await refusal('jsonl.gz', flipped(member, at))).message, /^the gzip data is corrupt near/);
  assert.match((await refusal('jsonl.gz', Buffer.concat([member, Buffer.from('more')]))).message, /corrupt/);
});

for (const name of Object.keys(frames) as (keyof typeof frames)[]) {
  test(`a zstd frame ${name} is read, cut anywhere, and no truncation of it`, async () => {
    const bytes = frame(name);
    for (let length = 1; length <= bytes.length; length++) {
      assert.is((await run(decompress, 'jsonl.zst', cut(bytes, length))).toString(), short);
      const cutOff = bytes.subarray(0, length);
      if (length < bytes.length)
        assert.match((await refusal('jsonl.zst', cutOff)).message, new RegExp(`ends at compressed byte ${length},`));
    }
  });
}

test('zstd frames follow each other, empty and skippable ones among them', async () => {
  const skippable = Buffer.concat([Buffer.from([0x5a, 0x2a, 0x4d, 0x18, 5, 0, 0, 0]), Buffer.from('notes')]);
  const all = Buffer.concat([skippable, frame('of unknown size'), emptyFrame, skippable, frame('without a checksum')]);
  for (const length of [1, 10, 1000]) assert.is((await run(decompress, 'jsonl.zst', cut(all, length))).toString(), short + short);
});

test('a changed byte in zstd data with a checksum is refused, whichever it is', async () => {
  const bytes = frame('with a checksum');
  // The bits of byte 4 that say whether a checksum follows can not be held by that checksum.
  for (let at = 0; at < bytes.length; at++) if (at !== 4) await refusal('jsonl.zst', flipped(bytes, at));
});

test('a zstd frame whose size is not what its header says is refused', async () => {
  const bytes = frame('without a checksum');
  bytes.writeUInt8(short.length + 1, 5);
  assert.match((await refusal('jsonl.zst', bytes)).message, /holds 29 bytes, its header says 30/);
});

test('bytes behind a zstd frame that are no frame are refused where they begin', async () => {
  const bytes = frame('with a checksum');
  const error = await refusal('jsonl.zst', Buffer.concat([bytes, Buffer.from('more of it')]));
  assert.match(error.message, new RegExp(`near compressed byte ${bytes.length}: no frame begins here`));
});

test('a zstd frame that wants more than 128 MiB of window, or a dictionary, is refused with a hint', async () => {
  const wide = frame('of unknown size');
  wide.writeUInt8((31 - 10) << 3, 5);
  const error = await refusal('jsonl.zst', wide);
  assert.match(error.message, /window of 2147483648 bytes/);
  assert.match(error.hint ?? '', /--long/);
  assert.match(
    (await refusal('jsonl.zst', Buffer.from('KLUv/Sc42pJwHb0AAHB7IiJvbmUifQp0d28ifQL8ctCy61h9TsCtHw==', 'base64'))).message,
    /dictionary/,
  );
});

test('an error of the source comes through as it is, and stopping early closes the source', async () => {
  for (const format of packed) {
    const there = await run(compress, format, [big]);
    let closed = false;
    const failing = function* (): Generator<Uint8Array> {
      yield there.subarray(0, 100);
      throw new Error('the disk is gone');
    };
    const endless = function* (): Generator<Uint8Array> {
      try {
        yield* cut(there, 1000);
      } finally {
        closed = true;
      }
    };
    let seen = '';
    await run(decompress, format, failing()).catch((error: Error) => (seen = error.message));
    assert.is(seen, 'the disk is gone');
    for await (const piece of decompress(format, endless())) if (piece.length > 0) break;
    assert.ok(closed, format);
  }
});

test.run();
