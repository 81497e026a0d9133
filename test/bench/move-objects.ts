/** Uploads and downloads files, by dsbuild's layer or as one writes it with the SDK alone; its last line is the seconds as JSON. */
import { createReadStream, createWriteStream, readdirSync, readFileSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { GetObjectCommand, HeadObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { Bucket } from '../../src/s3/bucket.ts';

export interface Moved {
  readonly upSeconds: number;
  readonly downSeconds: number;
}

interface Mover {
  /** Loads what is loaded once. */
  warmUp(): Promise<unknown>;
  up(name: string): Promise<unknown>;
  down(name: string): Promise<unknown>;
}

const [by, endpoint = '', folder = '', prefix = ''] = process.argv.slice(2);
const env = { AWS_ACCESS_KEY_ID: 'testkey', AWS_SECRET_ACCESS_KEY: 'testsecret' };
const sourceOf = (name: string): string => join(folder, name);
const copyOf = (name: string): string => join(folder, '..', `${name}.copy`);
/** Files that both send a handful at a time; larger ones are not held in memory. */
const atOnce = 8;
const wholeBytesMax = 16e6;

function ours(): Mover {
  const digests = JSON.parse(readFileSync(join(folder, '..', 'digests.json'), 'utf8')) as Record<string, string>;
  const bucket = new Bucket({ address: `s3://bench/${prefix}`, endpoint, env });
  const about = (name: string) => ({ digest: digests[name] as string, bytes: statSync(sourceOf(name)).size });
  return {
    warmUp: () => bucket.head('none'),
    up: (name) =>
      bucket.upload(name, () => createReadStream(sourceOf(name), { highWaterMark: 1 << 20 }), { ...about(name), condition: 'absent' }),
    down: (name) => bucket.download(name, { path: copyOf(name), ...about(name) }),
  };
}

function plainSdk(): Mover {
  const credentials = { accessKeyId: env.AWS_ACCESS_KEY_ID, secretAccessKey: env.AWS_SECRET_ACCESS_KEY };
  const client = new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true, credentials });
  const at = (name: string) => ({ Bucket: 'bench', Key: `${prefix}/${name}` });
  return {
    warmUp: () => client.send(new HeadObjectCommand(at('none'))).catch(() => {}),
    async up(name) {
      const { size } = statSync(sourceOf(name));
      const Body = size > wholeBytesMax ? createReadStream(sourceOf(name)) : await readFile(sourceOf(name));
      await client.send(new PutObjectCommand({ ...at(name), Body, ContentLength: size }));
    },
    async down(name) {
      const { Body } = await client.send(new GetObjectCommand(at(name)));
      await pipeline(Body as Readable, createWriteStream(copyOf(name)));
    },
  };
}

async function seconds(names: readonly string[], move: (name: string) => Promise<unknown>): Promise<number> {
  const left = [...names];
  const since = performance.now();
  const next = async (): Promise<void> => {
    for (let name = left.pop(); name !== undefined; name = left.pop()) await move(name);
  };
  await Promise.all(Array.from({ length: atOnce }, next));
  return (performance.now() - since) / 1000;
}

const mover = by === 'dsbuild' ? ours() : plainSdk();
const names = readdirSync(folder);
await mover.warmUp();
const upSeconds = await seconds(names, mover.up);
const downSeconds = await seconds(names, mover.down);
console.log(JSON.stringify({ upSeconds, downSeconds } satisfies Moved));
process.exit();
