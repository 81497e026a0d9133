import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { digestHex } from '../../src/base/digest.ts';
import type { BuildError } from '../../src/base/errors.ts';
import { type FetchRequest, fetchFile } from '../../src/source/fetch.ts';
import { refusal } from '../refusal.ts';
import { type FaultProxy, startFaults } from './faults.ts';
import { clientOf, credentialsOf, type S3Service, startS3 } from './s3.ts';

const service = await startS3();

const contents = Buffer.from(Array.from({ length: 60_000 }, (_, i) => `{"text":"line ${i}"}\n`).join(''));
const digest = digestHex(contents);
const odd = 'dir with space/ü?x=1#y%20.jsonl';

function define(service: S3Service): void {
  const { endpoint, stop } = service;
  const test = suite('s3 source');
  const env = credentialsOf(service);
  const client = clientOf(service);
  const put = (key: string, body: Buffer) => client.send(new PutObjectCommand({ Bucket: 'corpus', Key: key, Body: body }));
  let toDir = '';
  let proxy: FaultProxy;

  test.before(async () => {
    await client.send(new CreateBucketCommand({ Bucket: 'corpus' }));
    await put('data/a.jsonl', contents);
    await put(odd, Buffer.from('odd'));
  });
  test.after(async () => {
    client.destroy();
    await stop();
  });
  test.before.each(async () => {
    toDir = mkdtempSync(join(tmpdir(), 's3-source-'));
    proxy = await startFaults(endpoint);
  });
  test.after.each(async () => {
    await proxy.close();
    rmSync(toDir, { recursive: true, force: true });
  });

  const request = (more: Partial<FetchRequest> = {}): FetchRequest => ({
    address: 's3://corpus/data/a.jsonl',
    endpoint: proxy.endpoint,
    toDir,
    signal: new AbortController().signal,
    onProgress: () => {},
    env,
    pausesMs: [0, 0, 0],
    ...more,
  });

  const errorOf = (more: Partial<FetchRequest>): Promise<BuildError> => refusal(fetchFile(request(more)));

  test('an object arrives whole, with its digest, ETag and date', async () => {
    const fetched = await fetchFile(request());
    assert.ok(readFileSync(fetched.path).equals(contents));
    assert.is(fetched.blake3, digest);
    assert.is(fetched.bytes, contents.length);
    assert.match(fetched.etag ?? '', /^"[0-9a-f]{32}"$/);
    assert.ok(Date.parse(fetched.lastModified ?? '') > 0);
    assert.is(readdirSync(toDir).length, 1);
  });

  test('the endpoint may come from the environment', async () => {
    assert.is((await fetchFile(request({ endpoint: undefined, env: { ...env, AWS_ENDPOINT_URL: endpoint } }))).blake3, digest);
  });

  test('a key is taken as it stands', async () => {
    assert.is(readFileSync((await fetchFile(request({ address: `s3://corpus/${odd}` }))).path, 'utf8'), 'odd');
  });

  test('a cut body is gone on with where it stopped, of the same object only', async () => {
    proxy.faults.push({ do: 'cut', bytes: 300_000 });
    assert.is((await fetchFile(request())).blake3, digest);
    assert.is(proxy.seen.length, 2);
    const { range, 'if-match': ifMatch } = proxy.seen[1]?.headers ?? {};
    const from = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1]);
    assert.ok(from > 0 && from <= 300_000, range);
    assert.match(ifMatch ?? '', /^"[0-9a-f]{32}"$/);
  });

  test('an object that was replaced while it was fetched is taken from the beginning', async () => {
    await put('data/moving.jsonl', Buffer.alloc(contents.length, 'old'));
    proxy.faults.push({ do: 'stall', bytes: 300_000 });
    const stop = new AbortController();
    const address = 's3://corpus/data/moving.jsonl';
    const onProgress = (done: number): void => void (done > 100_000 && stop.abort());
    await fetchFile(request({ address, signal: stop.signal, onProgress })).catch(() => {});
    await put('data/moving.jsonl', contents);
    assert.is((await fetchFile(request({ address }))).blake3, digest);
    assert.match(proxy.seen[1]?.headers.range ?? '', /^bytes=/);
    assert.is(proxy.seen[2]?.headers.range, undefined);
  });

  test('an object that stops coming is asked for again', async () => {
    proxy.decide = ({ headers }) => (headers.range ? undefined : { do: 'stall', bytes: 300_000 });
    // A busy machine may take longer than that for an answer: there are more tries than are needed.
    const pausesMs = Array.from({ length: 100 }, () => 0);
    assert.is((await fetchFile(request({ limits: { stallMsMax: 500 }, pausesMs }))).blake3, digest);
    assert.match(proxy.seen.at(-1)?.headers.range ?? '', /^bytes=/);
  });

  const refused: readonly [what: string, more: Partial<FetchRequest>, message: RegExp, hint: RegExp][] = [
    ['key that is not there', { address: 's3://corpus/none' }, /404 NoSuchKey/, /check the key/],
    ['bucket that is not there', { address: 's3://no-such-bucket/a' }, /404 NoSuchBucket/, /no bucket no-such-bucket/],
    ['wrong secret', { env: { ...env, AWS_SECRET_ACCESS_KEY: 'wrong' } }, /403 SignatureDoesNotMatch/, /AWS_SECRET_ACCESS_KEY/],
    [
      'unknown access key',
      { env: { ...env, AWS_ACCESS_KEY_ID: 'nobody' } },
      /40[34] (InvalidAccessKeyId|XAdminUserNotFound)/,
      /AWS_ACCESS_KEY_ID/,
    ],
  ];
  for (const [what, more, message, hint] of refused) {
    test(`a ${what} fails at once and says what to do`, async () => {
      const error = await errorOf(more);
      assert.is(error.code, 'fetch-failed');
      assert.match(error.message, message);
      assert.match(error.hint ?? '', hint);
      assert.is(proxy.seen.length, 1);
      assert.not.match(`${error.message} ${error.hint} ${error.where}`, new RegExp(`${service.secretKey}|wrong`));
    });
  }

  test('without credentials it says where they are looked for', async () => {
    // The usual places of this machine must not have any.
    for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) delete process.env[name];
    Object.assign(process.env, {
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
      AWS_CONFIG_FILE: '/dev/null',
    });
    const error = await errorOf({ env: {} });
    assert.match(error.message, /no credentials for S3/);
    assert.match(error.hint ?? '', /AWS_PROFILE/);
  });

  test('an endpoint where nobody answers is tried four times', async () => {
    await proxy.close();
    const error = await errorOf({});
    assert.match(error.message, /gave up after 4 tries: connect ECONNREFUSED/);
  });

  test('bytes that are not those of the lock are refused', async () => {
    const error = await errorOf({ expect: { blake3: 'f'.repeat(64) } });
    assert.is(error.code, 'pin-mismatch');
    assert.is(error.where, 's3://corpus/data/a.jsonl');
  });

  test.run();
}

if (service) define(service);
else {
  const test = suite('s3 source');
  test('needs versitygw', () => assert.is(service, undefined));
  test.run();
}
