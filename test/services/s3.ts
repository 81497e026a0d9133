import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { skip } from '../skip.ts';

export interface S3Service {
  readonly endpoint: string;
  readonly accessKey: string;
  readonly secretKey: string;
  stop(): Promise<void>;
}

const accessKey = 'testkey';
const secretKey = 'testsecret';

/**
 * A real S3 server (versitygw) on this machine with an empty disk: strict on digests, signatures and conditions.
 * The program is `DSBUILD_VERSITYGW`, else what `test/services/install.sh` has built.
 *
 * @returns undefined if it is not there: the caller returns, and counts as skipped.
 * @throws with `CI` set and `DSBUILD_WITHOUT_S3` not, where it must be there; and if it does not start.
 */
export async function startS3(): Promise<S3Service | undefined> {
  const cache = process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache');
  const program = process.env['DSBUILD_VERSITYGW'] ?? join(cache, 'dsbuild-tests', 'bin', 'versitygw');
  if (!existsSync(program)) {
    // A machine of CI that can not have it says so itself, and lists it among its stages.
    if (process.env['DSBUILD_WITHOUT_S3']) return undefined;
    if (process.env['CI']) throw new Error(`no versitygw at ${program}: run test/services/install.sh`);
    skip('versitygw: run test/services/install.sh');
    return undefined;
  }
  const folder = mkdtempSync(join(tmpdir(), 's3-'));
  const address = `127.0.0.1:${await freePort()}`;
  const child = start(program, address, folder);
  const stop = async (): Promise<void> => {
    await ended(child);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await answers(`http://${address}/healthz`, child);
  } catch (error) {
    const log = readFileSync(join(folder, 'log'), 'utf8');
    await stop();
    throw new Error(`versitygw did not start: ${log}`, { cause: error });
  }
  return { endpoint: `http://${address}`, accessKey, secretKey, stop };
}

/** `--sidecar` because not every file system of a machine takes extended attributes. */
function start(program: string, address: string, folder: string): ChildProcess {
  for (const name of ['data', 'sidecar']) mkdirSync(join(folder, name));
  const log = openSync(join(folder, 'log'), 'w');
  const backend = ['posix', '--sidecar', join(folder, 'sidecar'), join(folder, 'data')];
  const child = spawn(program, ['--port', address, '--keep-alive', '--quiet', '--health', '/healthz', ...backend], {
    env: { PATH: process.env['PATH'], HOME: folder, ROOT_ACCESS_KEY: accessKey, ROOT_SECRET_KEY: secretKey },
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  process.once('exit', () => child.kill('SIGKILL'));
  return child;
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}

async function answers(url: string, child: ChildProcess): Promise<void> {
  for (let tries = 0; tries < 400 && child.exitCode === null; tries++) {
    if (
      await fetch(url).then(
        ({ ok }) => ok,
        () => false,
      )
    )
      return;
    await pause(25);
  }
  throw new Error('no answer');
}

async function freePort(): Promise<number> {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address ? address.port : 0;
}
