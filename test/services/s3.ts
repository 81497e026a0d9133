import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { S3Client } from '@aws-sdk/client-s3';
import { findProgram, installed, type Service, startService } from './program.ts';

export interface S3Service {
  /** `versitygw` or `minio`. */
  readonly name: string;
  readonly endpoint: string;
  readonly accessKey: string;
  readonly secretKey: string;
  stop(): Promise<void>;
}

const accessKey = 'testkey';
const secretKey = 'testsecret';

/**
 * A real S3 server (versitygw) on this machine with an empty disk: strict on digests, signatures and conditions.
 *
 * @returns undefined if the program is not there: the caller returns, and counts as skipped.
 * @throws with `CI` set, where it must be there; and if it does not start.
 */
export async function startS3(): Promise<S3Service | undefined> {
  const program = findProgram('versitygw');
  if (program === undefined) return undefined;
  // `--sidecar` because not every file system of a machine takes extended attributes.
  const args = ({ port, folder }: { port: number; folder: string }): string[] => {
    for (const name of ['data', 'sidecar', 'versions', 'iam']) mkdirSync(join(folder, name));
    const backend = ['posix', '--sidecar', join(folder, 'sidecar'), '--versioning-dir', join(folder, 'versions'), join(folder, 'data')];
    return ['--port', `127.0.0.1:${port}`, '--iam-dir', join(folder, 'iam'), '--keep-alive', '--quiet', '--health', '/healthz', ...backend];
  };
  const env = { ROOT_ACCESS_KEY: accessKey, ROOT_SECRET_KEY: secretKey };
  return named('versitygw', await startService({ program, args, env, healthPath: '/healthz' }));
}

/** What a test does on the server behind dsbuild's back. */
export const clientOf = ({ endpoint, accessKey: accessKeyId, secretKey: secretAccessKey }: S3Service): S3Client =>
  new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true, credentials: { accessKeyId, secretAccessKey } });

type Keys = Pick<S3Service, 'accessKey' | 'secretKey'>;

/** Where the SDK looks for credentials first. */
export const credentialsOf = ({ accessKey, secretKey }: Keys): Record<string, string> => ({
  AWS_ACCESS_KEY_ID: accessKey,
  AWS_SECRET_ACCESS_KEY: secretKey,
});

/** A user of versitygw who may do what policies of buckets say, and nothing else. */
export function addS3User({ endpoint, accessKey: root, secretKey }: S3Service, name: string): Keys {
  const program = findProgram('versitygw') as string;
  const about = ['--access', name, '--secret', secretKey, '--role', 'user'];
  execFileSync(program, ['admin', '--access', root, '--secret', secretKey, '--endpoint-url', endpoint, 'create-user', ...about]);
  return { accessKey: name, secretKey };
}

/** The servers that a suite is run against: versitygw, and MinIO as a second opinion where somebody has installed it. */
export async function startAllS3(): Promise<S3Service[]> {
  const found = await startS3();
  const minio = await startMinio();
  return [found, minio].filter((service) => service !== undefined);
}

async function startMinio(): Promise<S3Service | undefined> {
  const program = installed('minio');
  if (program === undefined) return undefined;
  const args = ({ port, folder }: { port: number; folder: string }): string[] => [
    ...['server', '--quiet', '--address', `127.0.0.1:${port}`, join(folder, 'data')],
  ];
  const env = { MINIO_ROOT_USER: accessKey, MINIO_ROOT_PASSWORD: secretKey, MINIO_UPDATE: 'off', MINIO_BROWSER: 'off' };
  return named('minio', await startService({ program, args, env, healthPath: '/minio/health/ready' }));
}

const named = (name: string, { url, stop }: Service): S3Service => ({ name, endpoint: url, accessKey, secretKey, stop });
