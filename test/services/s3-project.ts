/** A project whose builds reach a real S3 server, through a proxy that notes what is asked. */
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutBucketVersioningCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { TestProject } from '../build/project.ts';
import { type FaultProxy, type SeenRequest, startFaults } from './faults.ts';
import { clientOf, credentialsOf, type S3Service } from './s3.ts';

export class S3Project extends TestProject {
  readonly proxy: FaultProxy;
  readonly bucket: string;
  readonly #client: S3Client;

  private constructor(proxy: FaultProxy, { bucket, service }: { bucket: string; service: S3Service }) {
    super();
    this.proxy = proxy;
    this.bucket = bucket;
    this.#client = clientOf(service);
    Object.assign(this.env, credentialsOf(service), { AWS_ENDPOINT_URL: proxy.endpoint });
  }

  static #count = 0;

  /** With a bucket of its own. */
  static async on(service: S3Service): Promise<S3Project> {
    const bucket = `bucket-${S3Project.#count++}`;
    const project = new S3Project(await startFaults(service.endpoint), { bucket, service });
    await project.#client.send(new CreateBucketCommand({ Bucket: bucket }));
    return project;
  }

  /** Another folder with the same server and bucket: a fresh checkout. */
  another(): TestProject {
    const other = new TestProject();
    Object.assign(other.env, this.env);
    return other;
  }

  /** What was asked since the last time. */
  taken(): SeenRequest[] {
    return this.proxy.seen.splice(0);
  }

  /** The same, by what it is. */
  counts(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const asked of this.taken()) counts[kindOf(asked)] = (counts[kindOf(asked)] ?? 0) + 1;
    return counts;
  }

  async put(key: string, content: string | Uint8Array): Promise<void> {
    await this.#client.send(new PutObjectCommand({ Bucket: this.bucket, Key: key, Body: content }));
  }

  async putAll(objects: Readonly<Record<string, string>>): Promise<void> {
    const left = Object.entries(objects);
    const next = async (): Promise<void> => {
      for (let object = left.pop(); object; object = left.pop()) await this.put(...object);
    };
    await Promise.all(Array.from({ length: 16 }, next));
  }

  /** From now on the bucket keeps what objects were. */
  async keepVersions(): Promise<void> {
    await this.#client.send(new PutBucketVersioningCommand({ Bucket: this.bucket, VersioningConfiguration: { Status: 'Enabled' } }));
  }

  async get(key: string): Promise<Buffer> {
    const { Body } = await this.#client.send(new GetObjectCommand({ Bucket: this.bucket, Key: key }));
    return Buffer.from((await Body?.transformToByteArray()) ?? []);
  }

  async removeObject(key: string): Promise<void> {
    await this.#client.send(new DeleteObjectCommand({ Bucket: this.bucket, Key: key }));
  }

  /** ETags of all objects below a prefix, by key. */
  async objects(prefix = ''): Promise<Record<string, string>> {
    const found: Record<string, string> = {};
    let token: string | undefined;
    do {
      const page = await this.#client.send(new ListObjectsV2Command({ Bucket: this.bucket, Prefix: prefix, ContinuationToken: token }));
      for (const { Key = '', ETag = '' } of page.Contents ?? []) found[Key] = ETag;
      token = page.NextContinuationToken;
    } while (token !== undefined);
    return found;
  }

  override end(): void {
    void this.proxy.close();
    this.#client.destroy();
    super.end();
  }
}

function kindOf({ method, path }: SeenRequest): string {
  const { searchParams } = new URL(path, 'http://host');
  if (searchParams.has('list-type')) return 'LIST';
  if (searchParams.has('delete')) return 'DELETE';
  if (searchParams.has('uploadId') && method === 'PUT') return 'PUT part';
  return searchParams.has('uploadId') || searchParams.has('uploads') ? `${method} upload` : method;
}
