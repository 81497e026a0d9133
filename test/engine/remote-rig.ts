/** Projects that share a cache on a real S3 server. */
import { cpSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import {
  CreateBucketCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import type { RemoteSummary } from '../../src/base/events.ts';
import { clientOf, credentialsOf, type S3Service } from '../services/s3.ts';
import { documentLine } from './invariant-project.ts';
import { type Built, checkout, Rig } from './rig.ts';

const short = `import { defineFilter, drop, integer, keep } from 'dsbuild';
export const short = defineFilter({
  name: 'short',
  options: { charsMin: integer() },
  decide: ({ text }, { charsMin }) => (text.length >= charsMin ? keep : drop('too-short')),
});
`;

/** Its chunks and tokens are blobs of their own, its lists of parts and its table of contents are not. */
const config = (
  cache: string,
): string => `import { defineConfig, download, exportDataset, files, filter, index, param, secret, shard, tokenize } from 'dsbuild';
import { short } from './short.ts';
const raw = download({ sources: { 'text/big': files('in/big.jsonl'), 'text/packed': files('in/packed.jsonl.gz') } });
const clean = filter(raw, { use: short({ charsMin: param('charsMin', 5) }) });
const tokens = tokenize(clean, { tokenizer: 'tokenizer' });
const shards = shard(tokens, { maxSeqLength: 64, shardSize: '300KB', packTokens: 40_000, out: 'train' });
export default defineConfig({
  targets: { raw, clean, tokens, shards, train: index(shards), texts: exportDataset(clean, { format: 'jsonl', out: 'texts' }) },
  chunking: { chunkSize: '100KB' },
  cache: { ${cache} },
});
`;

const outs = ['train', 'texts'] as const;

export const lines = (count: number, seed: number): string =>
  Array.from({ length: count }, (_, i) => `${documentLine(seed * 100_000 + i)}\n`).join('');

export interface Sources {
  readonly big: string;
  readonly packed: Uint8Array;
}

/** A checkout of the project: nothing is built in it yet. */
export function checkOut({ big, packed }: Sources, cache = ''): Rig {
  const rig = new Rig();
  cpSync(checkout('fixtures/tokenizers/tiny'), rig.path('tokenizer'), { recursive: true });
  rig.write({ 'datasets.config.ts': config(cache), 'short.ts': short, 'in/big.jsonl': big, 'in/packed.jsonl.gz': packed });
  return rig;
}

/** All that was published, by name and digest. */
export const publishedIn = (rig: Rig): Readonly<Record<string, unknown>> => Object.fromEntries(outs.map((out) => [out, rig.tree(out)]));

/** One bucket on the server, and what may be done to it behind dsbuild's back. */
export class TestBucket {
  readonly env: Readonly<Record<string, string>>;
  readonly #client: S3Client;
  readonly #bucket: string;

  private constructor(service: S3Service, bucket: string) {
    this.#bucket = bucket;
    this.#client = clientOf(service);
    this.env = { DSBUILD_REMOTE: `s3://${bucket}/team`, AWS_ENDPOINT_URL: service.endpoint, ...credentialsOf(service) };
  }

  static async create(service: S3Service, name: string): Promise<TestBucket> {
    const bucket = new TestBucket(service, name);
    await bucket.#client.send(new CreateBucketCommand({ Bucket: name }));
    return bucket;
  }

  /** Names of all objects, without the folder of the cache, in order. */
  async names(prefix = ''): Promise<string[]> {
    const { Contents = [] } = await this.#client.send(new ListObjectsV2Command({ Bucket: this.#bucket, Prefix: `team/v1/${prefix}` }));
    return Contents.map(({ Key = '' }) => Key.slice('team/v1/'.length)).sort();
  }

  async get(name: string): Promise<Buffer> {
    const { Body } = await this.#client.send(new GetObjectCommand({ Bucket: this.#bucket, Key: `team/v1/${name}` }));
    return Buffer.from((await Body?.transformToByteArray()) ?? []);
  }

  async put(name: string, bytes: Uint8Array): Promise<void> {
    await this.#client.send(new PutObjectCommand({ Bucket: this.#bucket, Key: `team/v1/${name}`, Body: bytes }));
  }

  async remove(names: readonly string[]): Promise<void> {
    const Objects = names.map((name) => ({ Key: `team/v1/${name}` }));
    if (Objects.length > 0) await this.#client.send(new DeleteObjectsCommand({ Bucket: this.#bucket, Delete: { Objects } }));
  }

  async empty(): Promise<void> {
    await this.remove(await this.names());
  }

  close(): void {
    this.#client.destroy();
  }
}

export const remoteOf = ({ summary }: Built): RemoteSummary => summary.remote as RemoteSummary;

export interface Expected {
  /** Steps of a build from nothing. */
  readonly ran: number;
  readonly published: Readonly<Record<string, unknown>>;
}

/** A bucket, a project whose checkouts share it, and what a clean build without it gives. */
export class SharedCache {
  readonly bucket: TestBucket;
  readonly sources: Sources;
  readonly expected: Expected;

  private constructor(bucket: TestBucket, sources: Sources, expected: Expected) {
    this.bucket = bucket;
    this.sources = sources;
    this.expected = expected;
  }

  static async on(service: S3Service): Promise<SharedCache> {
    const sources: Sources = { big: lines(1500, 1), packed: gzipSync(lines(200, 2)) };
    const clean = checkOut(sources);
    const expected = { ran: (await clean.build()).ran.length, published: publishedIn(clean) };
    return new SharedCache(await TestBucket.create(service, 'cache'), sources, expected);
  }

  get env(): Readonly<Record<string, string>> {
    return this.bucket.env;
  }

  /** A fresh checkout, built with what lies on the remote. */
  async buildFresh(sources: Sources = this.sources, options = {}): Promise<{ rig: Rig; built: Built }> {
    const rig = checkOut(sources);
    return { rig, built: await rig.build({ env: this.env, ...options }) };
  }
}
