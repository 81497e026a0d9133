/** What a bucket does when the network or the server fails: toxiproxy for connections, a proxy of our own for single requests. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, ListMultipartUploadsCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { digestHex } from '../../src/base/digest.ts';
import { Bucket, type BucketOptions, type S3Error } from '../../src/s3/bucket.ts';
import { type Fault, type FaultProxy, startFaults } from './faults.ts';
import { kindOf } from './kind-of.ts';
import { noise } from './noise.ts';
import { clientOf, credentialsOf, type S3Service, startS3 } from './s3.ts';
import { startToxiproxy, type ToxicProxy, type Toxiproxy } from './toxiproxy.ts';

const service = await startS3();
const toxiproxy = await startToxiproxy();
const MiB = 1024 * 1024;
const large = noise(11 * MiB);
const small = Buffer.from('{"text":"small"}\n'.repeat(1000));

const inPieces = (bytes: Buffer) =>
  async function* (): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += MiB) yield bytes.subarray(at, at + MiB);
  };

function define(toxi: Toxiproxy, service: S3Service): void {
  const { endpoint, stop } = service;
  const test = suite('s3 faults');
  const client = clientOf(service);
  let faults: FaultProxy;
  let toxics: ToxicProxy;
  let opened: Bucket[] = [];
  let dir = '';
  let count = 0;
  let key = '';

  /** `waitMs` only matters where nothing ever comes; what is sent leaves at once. */
  const bucketAt = (at: string, { waitMs = 60_000, ...more }: Partial<BucketOptions> & { waitMs?: number } = {}): Bucket => {
    const bucket = new Bucket({
      address: 's3://cache',
      endpoint: at,
      env: credentialsOf(service),
      times: {
        connectMs: waitMs,
        answerMs: waitMs,
        stallMs: waitMs,
        drainedBytesPerSecondMin: Number.POSITIVE_INFINITY,
        giveUpMs: 60_000,
        pauseMs: 1,
        pauseMsMax: 2,
        ...more.times,
      },
      sizes: { wholeBytesMax: MiB, partBytes: 5 * MiB, rangeBytes: 5 * MiB, ...more.sizes },
      signal: more.signal,
    });
    opened.push(bucket);
    return bucket;
  };
  const download = (bucket: Bucket, bytes: Buffer) =>
    bucket.download(key, { path: join(dir, 'file'), digest: digestHex(bytes), bytes: bytes.length });
  const upload = (bucket: Bucket, bytes: Buffer, source = inPieces(bytes)) =>
    bucket.upload(key, source, { bytes: bytes.length, digest: digestHex(bytes), condition: 'absent' });
  const incomplete = async (): Promise<number> =>
    (await client.send(new ListMultipartUploadsCommand({ Bucket: 'cache' }))).Uploads?.length ?? 0;
  const arrived = (bytes: Buffer): void => assert.ok(readFileSync(join(dir, 'file')).equals(bytes));
  /** Where a fault makes everybody wait, not for long: a busy machine may then miss that time without any fault, and tries once more. */
  const isWaitedFor = ({ do: what }: Fault): boolean => what === 'black-hole' || what === 'stall';
  const waitMsOf = (fault: Fault): number => (isWaitedFor(fault) ? 1000 : 60_000);

  test.before(async () => {
    await client.send(new CreateBucketCommand({ Bucket: 'cache' }));
    faults = await startFaults(endpoint);
    toxics = await toxi.proxy(endpoint);
  });
  test.after(async () => {
    client.destroy();
    await faults.close();
    await toxi.stop();
    await stop();
  });
  test.before.each(() => {
    dir = mkdtempSync(join(tmpdir(), 's3-faults-'));
    key = `key-${count++}`;
    faults.seen.length = 0;
  });
  test.after.each(async () => {
    for (const bucket of opened) bucket.close();
    opened = [];
    faults.faults.length = 0;
    faults.decide = () => undefined;
    await toxics.clear();
    rmSync(dir, { recursive: true, force: true });
  });

  const passing: readonly [what: string, fault: Fault][] = [
    ['is refused', { do: 'refuse' }],
    ['is never answered', { do: 'black-hole' }],
    ['is answered 500', { do: 'answer', status: 500, code: 'InternalError' }],
    ['is answered 503', { do: 'answer', status: 503, code: 'SlowDown' }],
    ['is answered 429', { do: 'answer', status: 429, code: 'TooManyRequests' }],
    ['loses its answer', { do: 'lose-answer' }],
  ];
  for (const [what, fault] of passing) {
    test(`a request that ${what} once is sent again`, async () => {
      const bucket = bucketAt(faults.endpoint, { waitMs: waitMsOf(fault) });
      faults.faults.push(fault);
      assert.is(await bucket.put(key, small, 'absent'), 'written');
      faults.faults.push(fault);
      assert.ok((await bucket.get(key))?.bytes.equals(small));
      const { retries, failures } = bucket.counters;
      assert.ok(isWaitedFor(fault) ? retries >= 2 : retries === 2, String(retries));
      assert.is(failures, retries);
    });

    test(`a request that ${what} each time fails after a few`, async () => {
      const bucket = bucketAt(faults.endpoint, { waitMs: waitMsOf(fault), times: { triesMax: 3 } });
      faults.decide = () => fault;
      assert.ok(['network', 'timeout', 'other', 'throttled'].includes(await kindOf(bucket.get(key))));
      assert.is(bucket.counters.requests, 3);
    });

    test(`an upload in parts is written whichever of its requests ${what}`, async () => {
      // One to see whether it is there, one to begin, three parts, one to complete.
      for (let at = 0; at < 6; at++) {
        const bucket = bucketAt(faults.endpoint, { waitMs: waitMsOf(fault) });
        key = `${key}-${at}`;
        faults.faults.push(...Array.from({ length: at }, () => undefined), fault);
        assert.is(await upload(bucket, large), 'written', `request ${at}`);
        assert.is(await download(bucket, large), true);
        arrived(large);
        assert.is(faults.faults.length, 0);
      }
      // Of an upload whose beginning was not answered, or not in time, nobody has the name: it is left to the gc.
      const left = await incomplete();
      assert.ok(isWaitedFor(fault) || left === (fault.do === 'lose-answer' ? 1 : 0), String(left));
      assert.is(await bucketAt(endpoint).removeUnfinished({ before: Date.now() + 3_600_000 }), left);
      assert.is(await incomplete(), 0);
    });

    test(`a download in parts arrives whichever of its requests ${what}`, async () => {
      await upload(bucketAt(endpoint), large);
      for (let at = 0; at < 3; at++) {
        faults.faults.push(...Array.from({ length: at }, () => undefined), fault);
        assert.is(await download(bucketAt(faults.endpoint, { waitMs: waitMsOf(fault) }), large), true);
        arrived(large);
      }
    });
  }

  for (const fault of [
    { do: 'cut', bytes: 100_000 },
    { do: 'stall', bytes: 100_000 },
    { do: 'shorten', bytes: 100_000 },
  ] as const) {
    test(`a body that is lost in its middle (${fault.do}) is gone on with where it stopped, of the same object only`, async () => {
      await upload(bucketAt(endpoint), large);
      const bucket = bucketAt(faults.endpoint, { waitMs: waitMsOf(fault) });
      faults.faults.push(undefined, fault);
      assert.is(await download(bucket, large), true);
      arrived(large);
      assert.ok(isWaitedFor(fault) ? faults.seen.length >= 4 : faults.seen.length === 4);
      const rests = faults.seen.filter(({ headers: { range = '' } }) => {
        const [from = 0, to = 0] = range.slice('bytes='.length).split('-').map(Number);
        return from > 5 * MiB && from < to && to === 10 * MiB - 1;
      });
      assert.ok(
        isWaitedFor(fault) ? rests.length >= 1 : rests.length === 1,
        JSON.stringify(faults.seen.map(({ headers }) => headers.range)),
      );
      assert.is(rests[0]?.headers['if-match'], (await bucket.head(key))?.etag);
    });
  }

  for (const fault of [
    { do: 'cut', bytes: 100_000 },
    { do: 'stall', bytes: 100_000 },
  ] as const) {
    test(`the digest of an object is that of all its bytes, also when its body is lost in the middle (${fault.do})`, async () => {
      await upload(bucketAt(endpoint), large);
      const bucket = bucketAt(faults.endpoint, { waitMs: waitMsOf(fault) });
      const etag = (await bucketAt(endpoint).head(key))?.etag as string;
      let bytes = 0;
      faults.faults.push(fault);
      const came = (more: number): void => {
        bytes += more;
      };
      assert.is(await bucket.digestOf(key, { etag, came }), digestHex(large));
      assert.is(bytes, large.length);
      assert.match(faults.seen[1]?.headers.range ?? '', /^bytes=[1-9]\d*-$/);
      assert.is(faults.seen[1]?.headers['if-match'], etag);
    });
  }

  test('the digest of an object tells a flipped byte, one that was replaced and one that is gone', async () => {
    await upload(bucketAt(endpoint), large);
    const bucket = bucketAt(faults.endpoint);
    const etag = (await bucket.head(key))?.etag as string;
    const read = { etag, came: () => {} };
    faults.faults.push({ do: 'flip', at: 6_000_000 });
    assert.is.not(await bucket.digestOf(key, read).catch((error: S3Error) => error.kind), digestHex(large));
    assert.is(await kindOf(bucket.digestOf(key, { ...read, etag: '"another"' })), 'conflict');
    await bucket.remove([key]);
    assert.is(await kindOf(bucket.digestOf(key, read)), 'missing');
  });

  test('a byte that was flipped on the way is found, and nothing of the object stays', async () => {
    await upload(bucketAt(endpoint), large);
    await bucketAt(endpoint).put(`${key}-small`, small, 'any');
    const bucket = bucketAt(faults.endpoint);
    for (let at = 0; at < 3; at++) {
      faults.faults.push(...Array.from({ length: at }, () => undefined), { do: 'flip', at: 1_000_000 * at });
      assert.is(await kindOf(download(bucket, large)), 'wrong-bytes');
      faults.faults.length = 0;
    }
    key = `${key}-small`;
    faults.faults.push({ do: 'flip', at: 12 });
    assert.is(await kindOf(download(bucket, small)), 'wrong-bytes');
    faults.faults.push({ do: 'shorten', bytes: 1 });
    assert.is(await kindOf(download(bucket, small)), 'wrong-bytes');
    assert.equal(readdirSync(dir), []);
  });

  test('a byte that was flipped on the way to the server is found there, and sent again', async () => {
    const bucket = bucketAt(faults.endpoint);
    faults.faults.push({ do: 'spoil', at: 7 });
    assert.is(await bucket.put(`${key}-small`, small, 'absent'), 'written');
    assert.ok((await bucket.get(`${key}-small`))?.bytes.equals(small));
    faults.faults.push(undefined, undefined, undefined, { do: 'spoil', at: 1_000_000 });
    assert.is(await upload(bucket, large), 'written');
    assert.is(await download(bucket, large), true);
    assert.is(bucket.counters.retries, 2);
  });

  test('an object that seems to be another with each answer is fetched once more, then given up', async () => {
    await upload(bucketAt(endpoint), large);
    const bucket = bucketAt(faults.endpoint);
    faults.faults.push(undefined, { do: 'lie', headers: { etag: '"another"' } });
    assert.is(await download(bucket, large), true);
    arrived(large);
    let count = 0;
    faults.decide = () => ({ do: 'lie', headers: { etag: `"${count++}"` } });
    assert.is(await kindOf(download(bucket, large)), 'conflict');
    assert.equal(readdirSync(dir), []);
  });

  test('rights that end in the middle end a transfer at once, and take an upload back', async () => {
    await upload(bucketAt(endpoint), large);
    const bucket = bucketAt(faults.endpoint);
    const denied: Fault = { do: 'answer', status: 403, code: 'AccessDenied' };
    faults.faults.push(undefined, denied);
    assert.is(await kindOf(download(bucket, large)), 'denied');
    assert.equal(readdirSync(dir), []);
    faults.faults.length = 0;
    key = `${key}-other`;
    faults.faults.push(undefined, undefined, undefined, denied);
    assert.is(await kindOf(upload(bucket, large)), 'denied');
    assert.is(await incomplete(), 0);
  });

  test('a full server is said to be full', async () => {
    const bucket = bucketAt(faults.endpoint);
    faults.faults.push({ do: 'answer', status: 507, code: 'XMinioStorageFull' });
    faults.decide = () => ({ do: 'answer', status: 403, code: 'QuotaExceeded' });
    assert.is(await kindOf(bucket.put(key, small, 'any')), 'full');
  });

  test('a server that asks for a longer rest than there is time is not asked again', async () => {
    const bucket = bucketAt(faults.endpoint, { times: { giveUpMs: 1000 } });
    faults.decide = () => ({ do: 'answer', status: 503, code: 'SlowDown', headers: { 'retry-after': '30' } });
    assert.is(await kindOf(bucket.get(key)), 'throttled');
    assert.is(faults.seen.length, 1);
  });

  test('an abort ends what waits for an answer, with its reason, and takes an upload back', async () => {
    await upload(bucketAt(endpoint), large);
    const reason = new Error('enough');
    const thrownBy = (work: Promise<unknown>) => work.catch((error: unknown) => error);
    for (const fault of [{ do: 'black-hole' }, { do: 'stall', bytes: 10 }] as const) {
      const stop = new AbortController();
      const bucket = bucketAt(faults.endpoint, { signal: stop.signal });
      faults.decide = () => {
        setImmediate(() => stop.abort(reason));
        return fault;
      };
      assert.is(await thrownBy(bucket.get(key)), reason);
      assert.is(await thrownBy(download(bucket, large)), reason);
    }
    key = `${key}-other`;
    const stop = new AbortController();
    faults.decide = ({ path }) => {
      if (!path.includes('partNumber=2')) return undefined;
      stop.abort(reason);
      return { do: 'black-hole' };
    };
    assert.is(await thrownBy(upload(bucketAt(faults.endpoint, { signal: stop.signal }), large)), reason);
    assert.is(await incomplete(), 0);
    assert.equal(readdirSync(dir), []);
  });

  test('an upload whose source fails is taken back, with the error of the source', async () => {
    const error = new Error('the disk is gone');
    const source = async function* (): AsyncGenerator<Uint8Array> {
      yield large.subarray(0, 6 * MiB);
      throw error;
    };
    assert.is(await upload(bucketAt(endpoint), large, source).catch((thrown: unknown) => thrown), error);
    assert.is(await incomplete(), 0);
  });

  test('a large body that is there already is not sent, in one piece either', async () => {
    const body = large.subarray(0, 3 * MiB);
    const bucket = bucketAt(faults.endpoint, { sizes: { wholeBytesMax: 16 * MiB } });
    assert.is(await upload(bucket, body), 'written');
    faults.seen.length = 0;
    assert.is(await upload(bucket, body), 'exists');
    assert.equal(
      faults.seen.map(({ method }) => method),
      ['HEAD'],
    );
    assert.is(bucket.counters.bytesOut, body.length);
  });

  test('a large body that broke off is not sent again when it is there: somebody else, or a lost answer, may have written it', async () => {
    const body = large.subarray(0, 3 * MiB);
    for (const [fault, digest] of [
      [{ do: 'lose-answer' }, undefined],
      [{ do: 'refuse' }, digestHex(body)],
      [{ do: 'refuse' }, digestHex(small)],
    ] as const) {
      key = `${key}-again`;
      if (digest !== undefined)
        await client.send(new PutObjectCommand({ Bucket: 'cache', Key: key, Body: 'there', Metadata: { blake3: digest } }));
      faults.seen.length = 0;
      const bucket = bucketAt(faults.endpoint, { sizes: { wholeBytesMax: 16 * MiB } });
      // That it was not there yet when it was asked for.
      faults.faults.push({ do: 'answer', status: 404 }, fault);
      assert.is(await upload(bucket, body), digest === digestHex(small) ? 'exists' : 'written');
      assert.equal(
        faults.seen.map(({ method }) => method),
        ['HEAD', 'PUT', 'HEAD'],
      );
    }
  });

  test('that a condition did not hold is believed, though the connection is cut behind the status', async () => {
    const bucket = bucketAt(faults.endpoint);
    assert.is(await bucket.put(key, small, 'absent'), 'written');
    faults.faults.push({ do: 'cut', bytes: 10 });
    assert.is(await bucket.put(key, small, 'absent'), 'exists');
    assert.equal([bucket.counters.requests, bucket.counters.retries, bucket.counters.failures], [2, 0, 0]);
  });

  test('a slow line is no fault as long as it moves', async () => {
    // A part takes longer than is waited for the next of its bytes; and what the system has taken of it, some MB, is still on its way for a few
    // seconds, in which nothing is seen to move.
    const times = { answerMs: 1500, drainedBytesPerSecondMin: 256 * 1024 };
    const bucket = bucketAt(toxics.endpoint, { waitMs: 8000, times, sizes: { partBytes: 10 * MiB, rangeBytes: 10 * MiB } });
    await toxics.add({ type: 'bandwidth', bytesPerSecond: 1_000_000, stream: 'upstream' });
    await toxics.add({ type: 'bandwidth', bytesPerSecond: 1_000_000 });
    await toxics.add({ type: 'latency', ms: 400, jitterMs: 100 });
    assert.is(await upload(bucket, large), 'written');
    assert.is(await download(bucket, large), true);
    arrived(large);
    assert.equal([bucket.counters.retries, bucket.counters.failures], [0, 0]);
  });

  test('connections that end after so many bytes, in both directions, cost tries and no bytes', async () => {
    const bucket = bucketAt(toxics.endpoint, { times: { triesMax: 20 } });
    await toxics.add({ type: 'limit', bytes: 6_000_000, stream: 'upstream' });
    await toxics.add({ type: 'limit', bytes: 2_000_000 });
    assert.is(await upload(bucket, large), 'written');
    assert.is(await download(bucket, large), true);
    arrived(large);
    assert.ok(bucket.counters.retries > 0);
  });

  test('a connection that is down, black or reset fails in time', async () => {
    const bucket = bucketAt(toxics.endpoint, { times: { triesMax: 2 } });
    await bucket.put(key, small, 'any');
    await toxics.add({ type: 'black-hole' });
    assert.is(await kindOf(bucketAt(toxics.endpoint, { waitMs: 300, times: { triesMax: 2 } }).get(key)), 'timeout');
    await toxics.clear();
    await toxics.add({ type: 'reset', afterMs: 0 });
    assert.is(await kindOf(bucket.get(key)), 'network');
    await toxics.clear();
    await toxics.down();
    assert.is(await kindOf(bucket.get(key)), 'network');
    await toxics.clear();
    assert.ok(await bucket.get(key));
  });

  test.run();
}

if (service && toxiproxy) define(toxiproxy, service);
else {
  await service?.stop();
  await toxiproxy?.stop();
  const test = suite('s3 faults');
  test('needs versitygw and toxiproxy', () => assert.not.ok(service && toxiproxy));
  test.run();
}
