/** Sources that lie elsewhere, before anything of them is fetched. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { StatusReport } from '../../src/engine/api.ts';
import { openProject } from '../../src/engine/project.ts';
import { status } from '../../src/engine/status.ts';
import { Rig } from './rig.ts';

const test = suite('sources that lie elsewhere');

/** Two objects, whatever it is asked. */
const listing = ['q/a.jsonl', 'q/b.jsonl'].map((key) => `<Contents><Key>${key}</Key><Size>9</Size><ETag>"e"</ETag></Contents>`).join('');
const server = createServer((_, response) =>
  response.writeHead(200, { 'content-type': 'application/xml' }).end(`<ListBucketResult>${listing}</ListBucketResult>`),
);
await once(server.listen(0, '127.0.0.1'), 'listening');
const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
const env = { AWS_ENDPOINT_URL: endpoint, AWS_ACCESS_KEY_ID: 'k', AWS_SECRET_ACCESS_KEY: 's' };
test.after(() => {
  server.closeAllConnections();
  server.close();
});

const rigWith = (address: string): Rig => {
  const rig = new Rig();
  const text = `import { defineConfig, download } from 'dsbuild';
const raw = download({ sources: { 'web/*': ${JSON.stringify(address)} }, out: 'data' });
export default defineConfig({ targets: { raw } });
`;
  rig.write({ 'datasets.config.ts': address.includes('*') ? text : text.replace('web/*', 'web/one') });
  return rig;
};

async function statusOf(rig: Rig): Promise<StatusReport> {
  const project = await openProject({ cwd: rig.root, params: {}, env, emit: () => {}, signal: new AbortController().signal });
  try {
    return await status(project, { targets: [] });
  } finally {
    project.close();
  }
}

for (const address of [`${endpoint}/a.jsonl`, 's3://bucket/q/a.jsonl', 's3://bucket/q/*.jsonl', 's3://bucket/q/?.jsonl']) {
  test(`of what was never built from ${address.replace(endpoint, 'http://host')} no failure is told, with files to publish either`, async () => {
    const { targets } = await statusOf(rigWith(address));
    assert.equal(
      targets.map(({ target, state }) => [target, state]),
      [
        ['raw', 'never-built'],
        ['raw/files', 'never-built'],
      ],
    );
  });
}

const refused = [
  's3://AKIAKEY:SECRETPW@bucket/q/a.jsonl',
  's3://AKIAKEY:SECRETPW@bucket/q/*.jsonl',
  's3://bucket/q/a.jsonl?X-Amz-Signature=SECRETSIG&X-Amz-Date=1',
  's3://bucket/q/*.jsonl?mine=1',
  's3://bucket/q/a.jsonl?versionId=3',
  's3://Bucket/q/a.jsonl',
  's3://buck et/q/*.jsonl',
  's3:///q/a.jsonl',
  's3://bucket',
  's3://bucket/q/',
  's3://bucket/q/../a.jsonl',
  's3://bucket/q//a.jsonl',
  's3://bucket/q//*.jsonl',
];
for (const address of refused) {
  test(`${address} is refused, and its secret is shown nowhere`, async () => {
    const rig = rigWith(address);
    const { errors, events } = await rig.build({ env });
    assert.equal(errors, ['bad-address']);
    assert.not.match(JSON.stringify(events), /SECRET|AKIAKEY/);
    assert.not.match(JSON.stringify(await statusOf(rig)), /SECRET|AKIAKEY/);
  });
}

test.run();
