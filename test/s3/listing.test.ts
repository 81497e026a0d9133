/** What is believed of a server's listings. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Bucket, type Listed } from '../../src/s3/bucket.ts';

const test = suite('listings of a bucket');

/** A server that answers each request with the next of these pages, and the last one for ever. */
async function server(...pages: readonly string[]): Promise<{ endpoint: string; asked: string[]; close: () => Promise<void> }> {
  const asked: string[] = [];
  const http = createServer((request, response) => {
    asked.push(request.url ?? '');
    const page = pages[Math.min(asked.length, pages.length) - 1] ?? '';
    response.writeHead(200, { 'content-type': 'application/xml' }).end(`<?xml version="1.0"?>${page}`);
  });
  await once(http.listen(0, '127.0.0.1'), 'listening');
  const close = async (): Promise<void> => {
    http.closeAllConnections();
    await once(http.close(), 'close');
  };
  return { endpoint: `http://127.0.0.1:${(http.address() as AddressInfo).port}`, asked, close };
}

const page = (keys: readonly string[], more = ''): string =>
  `<ListBucketResult>${keys.map((key) => `<Contents><Key>${key}</Key><Size>1</Size><ETag>"e"</ETag></Contents>`).join('')}${more}</ListBucketResult>`;
const versions = (keys: readonly string[], more = ''): string =>
  `<ListVersionsResult>${keys.map((key) => `<Version><Key>${key}</Key><Size>1</Size><ETag>"e"</ETag><IsLatest>true</IsLatest></Version>`).join('')}${more}</ListVersionsResult>`;
const truncated = (token = ''): string => `<IsTruncated>true</IsTruncated>${token}`;
const env = { AWS_ACCESS_KEY_ID: 'k', AWS_SECRET_ACCESS_KEY: 's' };

/** What a listing gives, and what ends it. */
async function read(
  list: (bucket: Bucket) => AsyncIterable<Listed>,
  pages: readonly string[],
): Promise<{ keys: string[]; error: string; asked: number }> {
  const { endpoint, asked, close } = await server(...pages);
  const bucket = new Bucket({ address: 's3://bucket/base', endpoint, env });
  const keys: string[] = [];
  try {
    for await (const { key } of list(bucket)) keys.push(key);
    return { keys, error: '', asked: asked.length };
  } catch (error) {
    return { keys, error: (error as Error).message, asked: asked.length };
  } finally {
    bucket.close();
    await close();
  }
}

const objects = (bucket: Bucket): AsyncIterable<Listed> => bucket.list('q/');
const allVersions = (bucket: Bucket): AsyncIterable<Listed> => bucket.listVersions('q/');

test('a listing gives keys relative to the place of the bucket, over all its pages', async () => {
  const next = '<NextContinuationToken>a</NextContinuationToken>';
  assert.equal(await read(objects, [page(['base/q/1'], truncated(next)), page(['base/q/2'])]), {
    keys: ['q/1', 'q/2'],
    error: '',
    asked: 2,
  });
});

for (const [name, list, written] of [
  ['objects', objects, page],
  ['versions', allVersions, versions],
] as const) {
  test(`a list of ${name} with a name outside of what was asked for is refused`, async () => {
    for (const key of ['other/x.jsonl', 'base/other.jsonl', 'base/q', ''])
      assert.match((await read(list, [written([key])])).error, /lists what was not asked for/, key);
  });

  test(`a list of ${name} that says where it goes on twice the same, or not at all, is refused`, async () => {
    const again = truncated('<NextContinuationToken>a</NextContinuationToken><NextKeyMarker>a</NextKeyMarker>');
    const twice = await read(list, [written(['base/q/1'], again)]);
    assert.is(twice.asked, 2);
    assert.match(twice.error, /the same place twice/);
    assert.match((await read(list, [written(['base/q/1'], truncated())])).error, /but not how to go on/);
  });
}

test.run();
