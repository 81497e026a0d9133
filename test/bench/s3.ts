import { closeSync, mkdirSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { createHasher } from '../../src/base/digest.ts';
import { noise } from '../services/noise.ts';
import { clientOf, type S3Service, startS3 } from '../services/s3.ts';
import { atLeast, atMost, type Bench, type Case, type Row } from './case.ts';
import { megabytes, memory, times } from './figures.ts';
import { type Measured, measure } from './measure.ts';
import type { Moved } from './move-objects.ts';

const script = fileURLToPath(new URL('move-objects.ts', import.meta.url));
const tsx = import.meta.resolve('tsx');
const root = fileURLToPath(new URL('../..', import.meta.url));

interface Objects {
  readonly name: string;
  readonly count: number;
  readonly bytes: number;
}

/** Files that look like nothing in particular, and their digests beside them. */
function writeObjects(folder: string, { count, bytes }: Objects): void {
  mkdirSync(join(folder, 'files'), { recursive: true });
  const digests: Record<string, string> = {};
  for (let i = 0; i < count; i++) {
    const hasher = createHasher();
    const file = openSync(join(folder, 'files', String(i)), 'w');
    for (let left = bytes, seed = i; left > 0; seed += count) {
      const some = noise(Math.min(left, 8e6), seed + 1);
      hasher.update(some);
      writeSync(file, some);
      left -= some.length;
    }
    closeSync(file);
    digests[i] = hasher.digest().toString('hex');
  }
  writeFileSync(join(folder, 'digests.json'), JSON.stringify(digests));
}

interface Run extends Moved {
  readonly measured: Measured;
}

async function move(by: 'dsbuild' | 'sdk', folder: string, at: { endpoint: string; prefix: string }): Promise<Run> {
  const command = [process.execPath, '--import', tsx, script, by, at.endpoint, join(folder, 'files'), at.prefix];
  const measured = await measure({ command, cwd: root });
  return { measured, ...(JSON.parse(measured.stdout) as Moved) };
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] as number;

async function compare(service: S3Service, objects: Objects, { scratch, rounds, say }: Bench): Promise<Row> {
  const folder = join(scratch, objects.name);
  writeObjects(folder, objects);
  const runs: { ours: Run; theirs: Run }[] = [];
  for (let round = 0; round < rounds; round++) {
    say(`${objects.name}, round ${round + 1} of ${rounds}`);
    const at = (by: string) => ({ endpoint: service.endpoint, prefix: `${objects.name}-${by}-${round}` });
    const ours = await move('dsbuild', folder, at('dsbuild'));
    runs.push({ ours, theirs: await move('sdk', folder, at('sdk')) });
  }
  rmSync(folder, { recursive: true });
  const bytes = objects.count * objects.bytes;
  const of = (pick: (run: Run) => number) => ({
    ours: median(runs.map(({ ours }) => pick(ours))),
    theirs: median(runs.map(({ theirs }) => pick(theirs))),
    ratio: median(runs.map(({ ours, theirs }) => pick(theirs) / pick(ours))),
  });
  const [up, down, rss] = [of((run) => run.upSeconds), of((run) => run.downSeconds), of((run) => run.measured.rssMb)];
  const told = (who: 'ours' | 'theirs'): string => {
    const rate = (seconds: number): string => (bytes / 1e6 / seconds).toFixed(0);
    return `${rate(up[who])} MB/s up, ${rate(down[who])} MB/s down, ${memory(rss[who])}`;
  };
  return {
    what: `${objects.name} to an S3 server on the same machine and back, all bytes checked`,
    dsbuild: told('ours'),
    beside: [`the SDK alone: ${told('theirs')}; dsbuild is ${times(up.ratio)} and ${times(down.ratio)} as fast`],
    goals: [atLeast(Math.min(up.ratio, down.ratio), 1, 'times')],
    raw: { ...objects, up, down, rss },
  };
}

/** What is held in memory does not grow with the object. */
async function largest(service: S3Service, bytes: number, { scratch, say }: Bench): Promise<Row> {
  const folder = join(scratch, 'largest');
  say(`one of ${megabytes(bytes)}`);
  writeObjects(folder, { name: 'largest', count: 1, bytes });
  const { measured } = await move('dsbuild', folder, { endpoint: service.endpoint, prefix: 'largest' });
  rmSync(folder, { recursive: true });
  return {
    what: `one object of ${megabytes(bytes)} to S3 and back: peak memory of the process`,
    dsbuild: memory(measured.rssMb),
    goals: [atMost(measured.rssMb, 300, 'MB')],
    raw: measured,
  };
}

async function* run(bench: Bench): AsyncGenerator<Row> {
  const service = await startS3();
  if (!service) throw new Error('there is no versitygw: run test/services/install.sh');
  try {
    const client = clientOf(service);
    await client.send(new CreateBucketCommand({ Bucket: 'bench' }));
    client.destroy();
    const all = 256e6 * bench.scale;
    yield await compare(service, { name: `32 objects of ${megabytes(all / 32)}`, count: 32, bytes: all / 32 }, bench);
    yield await compare(service, { name: `one object of ${megabytes(all)}`, count: 1, bytes: all }, bench);
    yield await largest(service, 1e9 * bench.scale, bench);
  } finally {
    await service.stop();
  }
}

export const s3Case: Case = {
  name: 's3',
  about:
    'upload and download of 256 MB in 32 objects and in one, beside the SDK used the straightforward way, on one server; memory with 1 GB',
  needs: 'versitygw (test/services/install.sh)',
  takes: '2 minutes',
  diskBytes: 5e9,
  run,
};
