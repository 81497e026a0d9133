/** `doctor` against a real S3 server, with users whose rights are README's policy of the bucket. */
import { readFileSync } from 'node:fs';
import { CreateBucketCommand, ListObjectsV2Command, PutBucketPolicyCommand, type S3Client } from '@aws-sdk/client-s3';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { DoctorCheck } from '../../src/engine/doctor-check.ts';
import { TestProject } from '../build/project.ts';
import { addS3User, clientOf, credentialsOf, type S3Service, startS3 } from './s3.ts';

const test = suite('doctor and S3');

const page = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');

/** README's policy, for users of this server in the place of roles of AWS. */
function policy(bucket: string): string {
  const [, text] = /```json\n([\s\S]*?)```/.exec(page.slice(page.indexOf('### In CI'))) ?? [];
  return (text as string)
    .replaceAll('arn:aws:iam::111122223333:role/datasets-', '')
    .replaceAll('arn:aws:s3:::team-cache', `arn:aws:s3:::${bucket}`);
}

interface Scene {
  readonly project: TestProject;
  readonly service: S3Service;
  readonly client: S3Client;
  as(user: { accessKey: string; secretKey: string }): void;
  doctor(...args: string[]): Promise<{ code: unknown; checks: Record<string, DoctorCheck> }>;
}

async function withServer(cache: string, use: (scene: Scene) => Promise<void>): Promise<void> {
  const service = await startS3();
  if (!service) return;
  const project = new TestProject();
  const client = clientOf(service);
  try {
    await client.send(new CreateBucketCommand({ Bucket: 'team-cache' }));
    project.write('in/a.jsonl', '{"text":"a"}\n');
    project.write(
      'datasets.config.ts',
      `import { defineConfig, download } from 'dsbuild';
const raw = download({ sources: { 'a/a': 'in/a.jsonl' } });
export default defineConfig({ targets: { raw }, cache: { remote: 's3://team-cache/dsbuild', endpoint: '${service.endpoint}'${cache} } });
`,
    );
    const scene: Scene = {
      project,
      service,
      client,
      as: (user) => Object.assign(project.env, credentialsOf(user)),
      doctor: async (...args) => {
        const run = project.startText('doctor', '--json', ...args);
        const code = await run.done;
        const { checks } = JSON.parse(run.text) as { checks: DoctorCheck[] };
        return { code, checks: Object.fromEntries(checks.map((check) => [check.check, check])) };
      },
    };
    scene.as(service);
    await use(scene);
  } finally {
    client.destroy();
    project.end();
    await service.stop();
  }
}

const keysIn = async (client: S3Client): Promise<(string | undefined)[]> =>
  ((await client.send(new ListObjectsV2Command({ Bucket: 'team-cache' }))).Contents ?? []).map(({ Key }) => Key);

test('a cache that can be listed, read and written is said to be, with its clock, and nothing is left there', () =>
  withServer('', async ({ doctor, client }) => {
    const { code, checks } = await doctor('--online');
    assert.is(code, 0);
    assert.match(checks['cache']?.detail ?? '', /^s3:\/\/team-cache\/dsbuild answers in \d+ ms, nothing is there yet$/);
    assert.is(checks['cache writing']?.detail, 'it can be written, and what is there is not replaced');
    assert.match(checks['cache clock']?.detail ?? '', /^the clock is that of the server/);
    assert.is(checks['cache scope']?.detail, 'main');
    assert.equal(await keysIn(client), []);
  }));

test('without --online nothing is asked', () =>
  withServer('', async ({ project, doctor }) => {
    project.env['AWS_SECRET_ACCESS_KEY'] = 'wrong';
    const { code, checks } = await doctor();
    assert.is(code, 0);
    assert.is(checks['cache']?.detail, 's3://team-cache/dsbuild was not asked');
    assert.not.ok(checks['cache writing']);
  }));

test("with README's policy a pull request can write its own place, and not what main reads", () =>
  withServer('', async ({ project, service, client, as, doctor }) => {
    const users = Object.fromEntries(['main', 'pull-request'].map((name) => [name, addS3User(service, name)]));
    await client.send(new PutBucketPolicyCommand({ Bucket: 'team-cache', Policy: policy('team-cache') }));
    as(users['main'] as S3Service);
    const main = await doctor('--online');
    assert.is(main.code, 0, JSON.stringify(main.checks));
    assert.is(main.checks['cache writing']?.detail, 'it can be written, and what is there is not replaced');
    as(users['pull-request'] as S3Service);
    project.env['DSBUILD_SCOPE'] = 'pr-7';
    const { code, checks } = await doctor('--online');
    assert.is(code, 0, JSON.stringify(checks));
    assert.is(checks['cache writing']?.detail, 'it can be written, and what is there is not replaced');
    assert.is(checks['cache trust']?.detail, 'the scope is pr-7; what main reads can not be written with these credentials');
    assert.match(checks['cache removing']?.detail ?? '', /^it can not be removed from: v1\/pr-7\/\.dsbuild-doctor stays/);
    assert.equal(await keysIn(client), ['dsbuild/v1/pr-7/.dsbuild-doctor']);
    // Once more over the probe that stayed.
    assert.is((await doctor('--online')).code, 0);
    // The same rights, but told to be main.
    project.env['DSBUILD_SCOPE'] = 'main';
    const asMain = await doctor('--online');
    assert.is(asMain.checks['cache writing']?.detail, 'these credentials may not write there: it is only read');
  }));

test('a pull request that can write what main reads is a loud failure, and its probe is taken away', () =>
  withServer('', async ({ project, doctor, client }) => {
    project.env['DSBUILD_SCOPE'] = 'pr-7';
    const { code, checks } = await doctor('--online');
    assert.is(code, 1);
    assert.is(checks['cache trust']?.ok, false);
    assert.is(checks['cache trust']?.detail, 'THE SCOPE IS pr-7, BUT THESE CREDENTIALS CAN WRITE WHAT main READS.');
    assert.match(checks['cache trust']?.hint ?? '', /write below v1\/pr-7\/ only/);
    assert.equal(await keysIn(client), []);
  }));

test('the job of a pull request that writes to main is a failure, whatever the bucket allows', () =>
  withServer('', async ({ project, doctor }) => {
    project.env['GITHUB_BASE_REF'] = 'main';
    const { code, checks } = await doctor();
    assert.is(code, 1);
    assert.is(checks['cache scope']?.detail, 'this is the job of a pull request, and it writes to main');
  }));

test('rights, a bucket and a server that are not there are told with what to do, and no secret', () =>
  withServer('', async ({ project, service, as, doctor }) => {
    as(addS3User(service, 'nobody'));
    const denied = await doctor('--online');
    assert.is(denied.code, 1);
    assert.match(denied.checks['cache']?.detail ?? '', 'the server answered 403');
    assert.match(denied.checks['cache']?.hint ?? '', 's3:ListBucket');
    as({ accessKey: service.accessKey, secretKey: 'aWrongSecret' });
    const wrong = await doctor('--online');
    assert.match(wrong.checks['cache']?.hint ?? '', 'AWS_SECRET_ACCESS_KEY');
    assert.not.match(JSON.stringify(wrong), 'aWrongSecret');
    as(service);
    project.env['DSBUILD_REMOTE'] = 's3://no-such-bucket/x';
    assert.match((await doctor('--online')).checks['cache']?.hint ?? '', 'There is no bucket no-such-bucket');
  }));

test('a cache that is switched to reading is not written, and neither are sources', () =>
  withServer(', readOnly: true', async ({ project, doctor, client }) => {
    project.edit('datasets.config.ts', (text) => text.replace("'in/a.jsonl'", "'s3://team-cache/raw/**/*.jsonl'"));
    Object.assign(project.env, { AWS_ENDPOINT_URL: /endpoint: '([^']+)'/.exec(project.read('datasets.config.ts'))?.[1] });
    const { code, checks } = await doctor('--online');
    assert.is(code, 0, JSON.stringify(checks));
    assert.is(checks['cache writing']?.detail, 'switched off by cache.readOnly');
    assert.match(checks['source']?.detail ?? '', /^s3:\/\/team-cache\/raw\/ answers in \d+ ms, nothing is there yet$/);
    assert.equal(await keysIn(client), []);
  }));

test('what is published into a bucket goes to the server of the environment, and that one is asked, not the one of the cache', () =>
  withServer('', async ({ project, doctor }) => {
    project.edit('datasets.config.ts', (text) =>
      text
        .replace('{ defineConfig, download }', '{ defineConfig, download, exportDataset }')
        .replace('{ raw }', "{ raw, texts: exportDataset(raw, { format: 'jsonl', out: 's3://team-cache/texts' }) }"),
    );
    project.env['AWS_ENDPOINT_URL'] = 'http://127.0.0.1:1';
    const { code, checks } = await doctor('--online');
    assert.equal([code, checks['cache']?.ok, checks['out']?.ok], [1, true, false]);
    assert.match(checks['out']?.detail ?? '', 'ECONNREFUSED');
  }));

test.run();
