/** What a bucket does when the network or the server fails: toxiproxy for connections, a proxy of our own for single requests. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Bucket, type BucketOptions, S3Error, type S3Kind } from '../../src/s3/bucket.ts';
import { type Fault, type FaultProxy, startFaults } from './faults.ts';
import { type S3Service, startS3 } from './s3.ts';
import { startToxiproxy, type ToxicProxy, type Toxiproxy } from './toxiproxy.ts';

const service = await startS3();
const toxiproxy = await startToxiproxy();
const MiB = 1024 * 1024;
const small = Buffer.from('{"text":"small"}\n'.repeat(1000));

async function kindOf(work: Promise<unknown>): Promise<S3Kind> {
  try {
    await work;
  } catch (error) {
    assert.instance(error, S3Error, String(error));
    return (error as S3Error).kind;
  }
  throw new Error('nothing failed');
}

function define(toxi: Toxiproxy, { endpoint, accessKey, secretKey, stop }: S3Service): void {
  const test = suite('s3 faults');
  const client = new S3Client({
    endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId: accessKey, secretAccessKey: secretKey },
  });
  let faults: FaultProxy;
  let toxics: ToxicProxy;
  let opened: Bucket[] = [];
  let dir = '';
  let count = 0;
  let key = '';

  /** Everything is quick, so that no test waits. */
  const bucketAt = (at: string, more: Partial<BucketOptions> = {}): Bucket => {
    const bucket = new Bucket({
      address: 's3://cache',
      endpoint: at,
      env: { AWS_ACCESS_KEY_ID: accessKey, AWS_SECRET_ACCESS_KEY: secretKey },
      times: { connectMs: 300, stallMs: 300, pauseMs: 1, pauseMsMax: 2, ...more.times },
      sizes: { wholeBytesMax: MiB, partBytes: 5 * MiB, ...more.sizes },
    });
    opened.push(bucket);
    return bucket;
  };
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
      const bucket = bucketAt(faults.endpoint);
      faults.faults.push(fault);
      assert.is(await bucket.put(key, small, 'any'), 'written');
      faults.faults.push(fault);
      assert.ok((await bucket.get(key))?.bytes.equals(small));
      assert.equal([bucket.counters.requests, bucket.counters.retries, bucket.counters.failures], [4, 2, 2]);
    });

    test(`a request that ${what} each time fails after a few`, async () => {
      const bucket = bucketAt(faults.endpoint, { times: { triesMax: 3 } });
      faults.decide = () => fault;
      assert.ok(['network', 'timeout', 'other', 'throttled'].includes(await kindOf(bucket.get(key))));
      assert.is(faults.seen.length, 3);
    });
  }

  test('a connection that is down, black or reset fails in time', async () => {
    const bucket = bucketAt(toxics.endpoint, { times: { triesMax: 2 } });
    await bucket.put(key, small, 'any');
    await toxics.add({ type: 'black-hole' });
    assert.is(await kindOf(bucket.get(key)), 'timeout');
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
