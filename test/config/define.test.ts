import { inspect } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { configProblems } from '../../src/config/check-config.ts';
import { type Config, defineConfig, isDefinedConfig, isExecutor, local } from '../../src/config/define.ts';
import { param } from '../../src/config/param.ts';
import { secret } from '../../src/config/secret.ts';
import { checkOptions } from '../../src/rule/option-checks.ts';
import { text } from '../../src/rule/options.ts';
import { createProject, failureOf, type Project, removeProjects } from './project.ts';

const test = suite('config/define');
test.after(removeProjects);

const withParams = (): Project =>
  createProject({
    'datasets.config.ts': `import { defineConfig, pack, param, read } from 'dsbuild';
const from: string = param('bucket', 'mine');
const length: number = param('length', 8);
const labels = param('shifted', true) ? 'shifted' : 'hf';
export default defineConfig({ targets: { shards: pack(read({ from }), { length, labels }) } });
`,
  });

test('a param is its fallback unless --set says otherwise, and all are known', async () => {
  assert.equal((await withParams().load({ length: '1e3', shifted: 'false' })).params, [
    { name: 'bucket', value: 'mine', fallback: 'mine', set: false },
    { name: 'length', value: 1000, fallback: 8, set: true },
    { name: 'shifted', value: false, fallback: true, set: true },
  ]);
});

const badParams: readonly [given: Record<string, string>, where: string | undefined, code: string, message: string, hint: string][] = [
  [{ length: 'x' }, 'datasets.config.ts:3:24', 'bad-param', '--set length=x: must be a number, but is "x"', "The config's own value is 8."],
  [{ length: '' }, 'datasets.config.ts:3:24', 'bad-param', '--set length=: must be a number, but is ""', "The config's own value is 8."],
  [
    { shifted: 'yes' },
    'datasets.config.ts:4:16',
    'bad-param',
    '--set shifted=yes: must be true or false, but is "yes"',
    "The config's own value is true.",
  ],
  [
    { lenght: '8' },
    undefined,
    'unknown-param',
    `--set lenght: the config has no param('lenght'). Did you mean "length"?`,
    'Its params: bucket, length, shifted.',
  ],
];

for (const [given, where, code, message, hint] of badParams) {
  test(`--set ${Object.entries(given)[0]?.join('=')} is refused`, async () => {
    const error = await failureOf(withParams().load(given));
    assert.equal([error.code, error.where, error.message, error.hint], [code, where, message, hint]);
  });
}

test('a param that is asked for where no config is loaded, as in a filter on a worker, is an error', async () => {
  assert.is((await failureOf(() => param('length', 8))).code, 'param-outside-config');
});

test('a name that objects inherit is no param', async () => {
  const project = createProject({
    'datasets.config.ts': `import { defineConfig, param, read } from 'dsbuild';\nexport default defineConfig({ targets: { a: read({ from: param('constructor', 'x') }) } });\n`,
  });
  assert.equal((await project.load()).params, [{ name: 'constructor', value: 'x', fallback: 'x', set: false }]);
});

test('a secret shows its variable and nothing else, however it is printed', () => {
  process.env.DSBUILD_TEST_SECRET = 'the-value';
  const token = secret('DSBUILD_TEST_SECRET');
  const shown = 'secret(DSBUILD_TEST_SECRET)';
  assert.is(String(token), shown);
  assert.is(`${token}`, shown);
  assert.is(inspect({ token }), `{ token: ${shown} }`);
  assert.is(JSON.stringify({ token }), `{"token":"${shown}"}`);
  assert.is(token.variable, 'DSBUILD_TEST_SECRET');
  assert.not.match(inspect(token, { showHidden: true, depth: 9, customInspect: false }), /the-value/);
  delete process.env.DSBUILD_TEST_SECRET;
});

test('a secret given where a text belongs is refused without its value', () => {
  process.env.DSBUILD_TEST_SECRET = 'the-value';
  const { problems } = checkOptions({ name: text() }, { name: secret('DSBUILD_TEST_SECRET') });
  assert.equal(problems, [{ option: 'name', message: 'must be a text, but is "secret(DSBUILD_TEST_SECRET)"' }]);
  delete process.env.DSBUILD_TEST_SECRET;
});

for (const pasted of ['hf_AbCdEfGhIjKlMnOpQrStUv', 'sk-proj-123', 'AKIAIOSFODNN7EXAMPLE', '']) {
  test(`a pasted value is refused and not shown: ${pasted.slice(0, 5)}`, async () => {
    const error = await failureOf(() => secret(pasted));
    assert.is(error.code, 'bad-secret');
    assert.not.ok(pasted !== '' && `${error.message} ${error.hint} ${error.stack}`.includes(pasted));
  });
}

test('defineConfig and local make values that are known as such', () => {
  assert.ok(isDefinedConfig(defineConfig({ targets: {}, executor: local({ jobs: 2 }) })));
  assert.ok(isExecutor(local()));
  assert.not.ok(isDefinedConfig({ targets: {} }));
  assert.not.ok(isExecutor({ executor: 'local' }));
});

test('the types refuse what is no target, an unknown key and a size without unit', () => {
  // @ts-expect-error a target must be a target
  defineConfig({ targets: { bad: 3 } });
  // @ts-expect-error the key is `cache`
  defineConfig({ targets: {}, cahce: {} });
  // @ts-expect-error a size has a unit
  assert.is(defineConfig({ targets: {}, chunking: { chunkSize: '8' } }).resolve({ catalog: [] }).chunking?.chunkSize, '8');
});

const badConfigs: readonly [config: unknown, option: string | undefined, message: string][] = [
  [3, undefined, 'the config must be an object with targets, but is 3'],
  [{}, 'targets', 'is missing'],
  [{ targets: [] }, 'targets', 'must be an object of name: target, but is []'],
  [{ targets: {}, cahce: {} }, 'cahce', 'is not known here. Did you mean "cache"?'],
  [{ targets: {}, constructor: 1 }, 'constructor', 'is not known here.'],
  [{ targets: {}, cache: 's3://x' }, 'cache', 'must be an object, but is "s3://x"'],
  [{ targets: {}, cache: { remote: 'bucket' } }, 'cache.remote', `must be an address such as 's3://bucket/folder', but is "bucket"`],
  [
    { targets: {}, cache: { remote: 's3://AKIAKEY:SECRET@bucket/x' } },
    'cache.remote',
    'must hold no user and no password: credentials come from the environment or a profile',
  ],
  [
    { targets: {}, cache: { remote: 's3://Bucket/x' } },
    'cache.remote',
    'must name a bucket in 3 to 63 lower-case letters, digits, "-", "_" and ".", but names "Bucket"',
  ],
  [{ targets: {}, cache: { endpoint: 'minio' } }, 'cache.endpoint', `must be an address such as 'https://s3.example.org', but is "minio"`],
  [
    { targets: {}, cache: { sizeMax: '5' } },
    'cache.sizeMax',
    `must be a size such as '500GB' or a share of the disk such as '20%', but is "5"`,
  ],
  [{ targets: {}, cache: { sizeMax: '120%' } }, 'cache.sizeMax', 'must be above 0% and at most 100%, but is "120%"'],
  [{ targets: {}, cache: { remotes: 1 } }, 'cache.remotes', 'is not known here. Did you mean "remote"?'],
  [{ targets: {}, executor: 'slurm' }, 'executor', 'must be made by local(), but is "slurm"'],
  [{ targets: {}, executor: local({ jobs: 0 }) }, 'executor', 'local(): jobs must be at least 1, but is 0'],
  [{ targets: {}, onBadRecord: 'ignore' }, 'onBadRecord', 'must be one of quarantine, fail, but is "ignore".'],
  [{ targets: {}, chunking: { chunkSize: '8' } }, 'chunking.chunkSize', `must be a size such as '500MB' or '2GB', but is "8"`],
  [{ targets: {}, chunking: { chunkSize: '0.5KB' } }, 'chunking.chunkSize', 'must be at least 1KB, but is "0.5KB"'],
  [{ targets: {}, chunking: { packTokens: 1.5 } }, 'chunking.packTokens', 'must be a whole number, but is 1.5'],
];

for (const [config, option, message] of badConfigs) {
  test(`refused: ${JSON.stringify(config)}`, () => {
    assert.equal(configProblems(config, 'datasets.config.ts:9'), [
      { where: 'datasets.config.ts:9', ...(option !== undefined && { option }), message },
    ]);
  });
}

test('a config with all that it may have has no problem', () => {
  const config: Config = {
    targets: {},
    cache: { remote: 's3://team/dsbuild', endpoint: 'http://127.0.0.1:9000', sizeMax: '20%' },
    executor: local({ jobs: 2, memory: '4GB' }),
    onBadRecord: 'fail',
    chunking: { chunkSize: '8KB', packTokens: 1000 },
  };
  assert.equal(configProblems(config, ''), []);
  assert.equal(configProblems({ targets: {}, cache: { sizeMax: '500GB', remote: undefined } }, ''), []);
});

test.run();
