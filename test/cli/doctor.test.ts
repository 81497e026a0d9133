import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { newKeyPair } from '../../src/cache/remote/signing.ts';
import { engine } from '../../src/cli/engine.ts';
import type { DoctorCheck } from '../../src/engine/doctor-check.ts';
import { emptyFolder, removeFolders, run } from './console.ts';

const test = suite('doctor');
test.after(removeFolders);

async function checksIn(
  cwd: string,
  env: Readonly<Record<string, string>> = {},
): Promise<{ code: number; text: string; checks: Record<string, DoctorCheck> }> {
  const { code, stdout } = await run(['doctor', '--json'], { engine, cwd, env });
  const { checks } = JSON.parse(stdout) as { checks: DoctorCheck[] };
  return { code, text: stdout, checks: Object.fromEntries(checks.map((check) => [check.check, check])) };
}

async function project(): Promise<string> {
  const folder = emptyFolder();
  await run(['init', '--yes'], { engine, cwd: folder });
  return folder;
}

test('in a sound project every check is good, and the exit code is 0', async () => {
  const { code, checks } = await checksIn(await project());
  assert.is(code, 0);
  assert.equal(Object.keys(checks), ['node', 'disk', 'state folder', 'hashing', 'config', 'cache', 'tokenizer', 'HF_TOKEN', 'lock']);
  assert.ok(Object.values(checks).every(({ ok }) => ok));
  assert.match(checks['node']?.detail ?? '', process.versions.node);
  assert.is(checks['config']?.detail, 'datasets.config.ts: 4 targets');
});

test('as lines it says ok or FAIL for each', async () => {
  const { stdout } = await run(['doctor'], { engine, cwd: await project() });
  assert.match(stdout, /^ok {4}node /m);
  assert.not.match(stdout, 'FAIL');
});

test('without a config that check fails with a hint, and the exit code is 1', async () => {
  const { code, checks } = await checksIn(emptyFolder());
  assert.is(code, 1);
  assert.is(checks['config']?.ok, false);
  assert.match(checks['config']?.hint ?? '', 'dsbuild init');
});

test('HF_TOKEN is said to be set, and never shown', async () => {
  const folder = await project();
  const { checks, text } = await checksIn(folder, { HF_TOKEN: 'hf_verySecret' });
  assert.is(checks['HF_TOKEN']?.detail, 'set');
  assert.not.match(text, 'verySecret');
  assert.is((await checksIn(folder)).checks['HF_TOKEN']?.detail, 'not set');
});

test('a tokenizer that is not where the config says fails', async () => {
  const folder = await project();
  rmSync(join(folder, 'tokenizer/tokenizer.json'));
  const { code, checks } = await checksIn(folder);
  assert.is(code, 1);
  assert.is(checks['tokenizer']?.ok, false);
});

test('it says which engine runs a tokenizer of which targets, and if that is not the own one, why and what would be faster', async () => {
  const folder = await project();
  const { checks } = await checksIn(folder);
  assert.match(checks['tokenizer']?.detail ?? '', /^tokens: .*, by dsbuild-bpe@\d+$/);
  const model = { type: 'Unigram', unk_id: 0, vocab: [['<unk>', 0]] };
  writeFileSync(join(folder, 'unigram.json'), JSON.stringify({ added_tokens: [], model }));
  await run(['init', '--yes', '--force', '--tokenizer', './unigram.json'], { engine, cwd: folder });
  const other = (await checksIn(folder)).checks['tokenizer'];
  assert.is(other?.ok, true);
  assert.match(other?.detail ?? '', /by @huggingface\/tokenizers@[\d.+]+; dsbuild-bpe@\d+ leaves it because it has a Unigram model$/);
  assert.match(
    other?.hint ?? '',
    /the package tokenizers is not installed; npm install tokenizers@.*and exact: now Unigram gives other ids/,
  );
});

test('a tokenizer that would have to be downloaded is not looked for without --online', async () => {
  const folder = await project();
  await run(['init', '--yes', '--force', '--tokenizer', 'org/name'], { engine, cwd: folder });
  const { code, checks } = await checksIn(folder);
  assert.is(code, 0);
  assert.equal(checks['tokenizer'], {
    check: 'tokenizer',
    ok: true,
    detail: 'org/name has not been downloaded before, and the build is offline',
    hint: 'dsbuild doctor --online looks for it.',
  });
});

test('a lock that can not be read fails with its line', async () => {
  const folder = await project();
  writeFileSync(join(folder, 'dsbuild.lock'), 'no such line\n');
  const { code, checks } = await checksIn(folder);
  assert.is(code, 1);
  assert.is(checks['lock']?.ok, false);
  assert.match(checks['lock']?.detail ?? '', 'dsbuild.lock:1');
});

test('a state folder that is none fails', async () => {
  const folder = await project();
  const { checks } = await checksIn(folder);
  assert.ok(checks['state folder']?.ok);
  const other = emptyFolder();
  writeFileSync(join(other, '.dsbuild'), '');
  assert.is((await checksIn(other)).checks['state folder']?.ok, false);
});

/** A project whose cache is shared, as `cache` of its config says. */
async function shared(cache: string): Promise<string> {
  const folder = await project();
  const path = join(folder, 'datasets.config.ts');
  const text = readFileSync(path, 'utf8')
    .replace('defineConfig,', 'defineConfig, secret,')
    .replace('targets', `cache: { ${cache} }, targets`);
  writeFileSync(path, text);
  return folder;
}

test('where records must be signed it says that without the key builds only read, and with it who signs', async () => {
  const { publicKey, secretKey } = newKeyPair();
  const folder = await shared(`remote: 's3://cache/x', signing: { key: secret('KEY'), accept: ['${publicKey}'] }`);
  const without = await checksIn(folder);
  assert.is(without.code, 0, without.text);
  assert.is(
    without.checks['cache signing']?.detail,
    'builds read what is signed, and upload nothing: the environment has no KEY, which holds the key that signs',
  );
  assert.match(without.checks['cache signing']?.hint ?? '', 'give it where builds of main run');
  const { checks, text } = await checksIn(folder, { KEY: secretKey });
  assert.is(checks['cache signing']?.detail, `what builds upload is signed by ${publicKey}`);
  assert.not.match(text, secretKey);
  const other = await checksIn(folder, { KEY: newKeyPair().secretKey });
  assert.equal([other.code, other.checks['cache signing']?.ok], [1, false]);
  const unnamed = await checksIn(await shared(`remote: 's3://cache/x', signing: { accept: ['${publicKey}'] }`));
  assert.match(unnamed.checks['cache signing']?.detail ?? '', 'the config names no key to sign with');
  assert.not.ok((await checksIn(await shared("remote: 's3://cache/x'"))).checks['cache signing']);
});

test('an odd address of the cache, or of a source, fails with what is wrong and without its secrets', async () => {
  const folder = await shared("remote: 's3://cache/x'");
  const { code, checks, text } = await checksIn(folder, { DSBUILD_REMOTE: 's3://AKIAKEY:SECRET@cache/x' });
  assert.equal([code, checks['cache']?.ok], [1, false]);
  assert.match(text, 'must hold no user and no password');
  assert.not.match(text, /SECRET|AKIAKEY/);
  writeFileSync(
    join(folder, 'datasets.config.ts'),
    `import { defineConfig, download } from 'dsbuild';
export default defineConfig({ targets: { raw: download({ sources: { 'a/b': 's3://AKIAKEY:SECRET@bucket/a.jsonl' } }) } });
`,
  );
  const sourced = await checksIn(folder);
  assert.is(sourced.checks['source']?.ok, false, sourced.text);
  assert.not.match(sourced.text, /SECRET|AKIAKEY/);
});

test('it leaves nothing behind in a folder without a project', async () => {
  const folder = emptyFolder();
  mkdirSync(join(folder, 'empty'));
  await checksIn(join(folder, 'empty'));
  const { readdirSync } = await import('node:fs');
  assert.equal(readdirSync(join(folder, 'empty')), []);
});

test.run();
