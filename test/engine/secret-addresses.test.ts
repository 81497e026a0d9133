/** Addresses with something in them that opens doors, in every place that takes one: nothing that is said or written holds it. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { messageOf } from '../../src/base/errors.ts';
import { openProject } from '../../src/engine/project.ts';
import { status } from '../../src/engine/status.ts';
import { Rig } from './rig.ts';

const test = suite('secrets in addresses');
const secret = 'HUNTER2';

/** Nobody listens there. */
const host = '127.0.0.1:9';
const addresses = {
  s3: [
    `s3://AKIAKEY:${secret}@bucket/x`,
    `s3://AKIAKEY:${secret}/${secret}@bucket/x`,
    `s3://bucket/x?X-Amz-Signature=${secret}&X-Amz-Date=1`,
    `s3://bucket/x?token=${secret}`,
  ],
  http: [
    `http://me:${secret}@${host}/x`,
    `http://me:${secret}/${secret}@${host}/x`,
    `http://${host}/x?X-Amz-Signature=${secret}`,
    `http://${host}/x?token=${secret}`,
    `http://${secret}@${host}/x`,
  ],
} as const;

interface Place {
  readonly of: keyof typeof addresses;
  /** Of `raw`: its source; `cache` and `out` of the config; variables of the environment. */
  readonly source?: (address: string) => string;
  readonly cache?: (address: string) => string;
  readonly out?: (address: string) => string;
  readonly env?: string;
}

const shown = JSON.stringify;
const cache = "remote: 's3://bucket/x'";
const places: Readonly<Record<string, Place>> = {
  'a source on S3': { of: 's3', source: shown },
  'a pattern on S3': { of: 's3', source: (address) => shown(address.replace('/x', '/*.jsonl')) },
  's3()': { of: 's3', source: (address) => `s3(${shown(address)})` },
  'the endpoint of s3()': { of: 'http', source: (address) => `s3('s3://bucket/a.jsonl', { endpoint: ${shown(address)} })` },
  'the endpoint of a pattern': { of: 'http', source: (address) => `s3('s3://bucket/*.jsonl', { endpoint: ${shown(address)} })` },
  'a source': { of: 'http', source: shown },
  'url()': { of: 'http', source: (address) => `url(${shown(address)})` },
  'files()': { of: 'http', source: (address) => `files(${shown(address)})` },
  'cache.remote': { of: 's3', cache: (address) => `remote: ${shown(address)}` },
  'cache.endpoint': { of: 'http', cache: (address) => `${cache}, endpoint: ${shown(address)}` },
  out: { of: 's3', out: shown },
  'out over HTTP': { of: 'http', out: shown },
  DSBUILD_REMOTE: { of: 's3', env: 'DSBUILD_REMOTE' },
  'DSBUILD_REMOTE over HTTP': { of: 'http', env: 'DSBUILD_REMOTE' },
  AWS_ENDPOINT_URL: { of: 'http', env: 'AWS_ENDPOINT_URL', cache: () => cache },
  AWS_ENDPOINT_URL_S3: { of: 'http', env: 'AWS_ENDPOINT_URL_S3', cache: () => cache },
  HF_ENDPOINT: { of: 'http', env: 'HF_ENDPOINT' },
};

const credentials = { AWS_ACCESS_KEY_ID: 'k', AWS_SECRET_ACCESS_KEY: secret };

function projectOf(place: Place, address: string): Rig {
  const rig = new Rig();
  rig.write({
    'in.jsonl': '{"text":"a"}\n',
    'datasets.config.ts': `import { defineConfig, download, exportDataset, files, s3, url } from 'dsbuild';
const raw = download({ sources: { ${place.source?.(address).includes('*') ? "'a/*'" : "'a/a'"}: ${place.source?.(address) ?? "'in.jsonl'"} } });
const texts = exportDataset(raw, { format: 'jsonl', out: ${place.out?.(address) ?? "'out'"} });
export default defineConfig({ targets: { raw, texts }, cache: { timeoutSeconds: 0.1, ${place.cache?.(address) ?? ''} } });
`,
  });
  return rig;
}

/** All that a build and a status say. @param reaches whether what lies elsewhere is tried: a source is, for long. */
async function said(rig: Rig, env: Readonly<Record<string, string>>, reaches: boolean): Promise<string> {
  const texts: string[] = [];
  const note = (error: unknown): void => void texts.push(JSON.stringify([messageOf(error), error, (error as Error).stack]));
  await rig.build({ env, offline: !reaches }).then(({ events }) => texts.push(JSON.stringify(events)), note);
  try {
    const project = await openProject({
      cwd: rig.root,
      params: {},
      env,
      emit: (event) => texts.push(JSON.stringify(event)),
      signal: new AbortController().signal,
    });
    try {
      texts.push(JSON.stringify(await status(project, { targets: [] })));
    } finally {
      project.close();
    }
  } catch (error) {
    note(error);
  }
  return texts.join('\n');
}

for (const [name, place] of Object.entries(places)) {
  test(`in ${name}: said and written nowhere`, async () => {
    for (const address of addresses[place.of]) {
      const rig = projectOf(place, address);
      const text = await said(
        rig,
        { ...credentials, AWS_ENDPOINT_URL: `http://${host}`, ...(place.env && { [place.env]: address }) },
        !place.source,
      );
      const at = text.indexOf(secret);
      assert.is(at, -1, `${address} is said: ${text.slice(Math.max(0, at - 150), at + 60)}`);
      const files = Object.keys(rig.tree('.')).filter((file) => file !== 'datasets.config.ts' && rig.read(file).includes(secret));
      assert.equal(files, [], `${address} is written`);
      rig.remove('.');
    }
  });
}

test('an endpoint of a source or of the cache with something to hide is refused before anything is asked', async () => {
  for (const name of ['the endpoint of s3()', 'the endpoint of a pattern', 'cache.endpoint']) {
    for (const address of addresses.http) {
      const rig = projectOf(places[name] as Place, address);
      const error = await rig.build({ env: credentials }).catch((found: unknown) => found);
      assert.is((error as { code?: string }).code, 'bad-config', `${name}: ${address}`);
    }
  }
});

test.run();
