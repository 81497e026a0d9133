import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { digestHex } from '../../src/base/digest.ts';
import type { BuildError } from '../../src/base/errors.ts';
import { type LocateOptions, locateTokenizer } from '../../src/source/tokenizer.ts';
import { refusal } from '../refusal.ts';

const model = '{"model":{"type":"BPE"}}';
const config = '{"eos_token":"</s>"}';
const commit = 'c0ffee'.padEnd(40, '0');
const token = 'hf_secret_of_the_test';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** A Hub stand-in: answers per path, in turn, the last one for ever. Every request is noted as `path authorization`. */
interface Hub {
  url: string;
  requests: string[];
  server: Server;
}

async function hubOf(answers: Record<string, Answer[]>): Promise<Hub> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    requests.push(`${path} ${request.headers.authorization ?? '-'}`);
    const turns = answers[path] ?? [status(404)];
    const answer = turns.length > 1 ? turns.shift() : turns[0];
    answer?.(request, response);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests, server };
}

const body =
  (text: string, headers: Record<string, string> = {}): Answer =>
  (_, response) =>
    void response.writeHead(200, { 'x-repo-commit': commit, etag: `"${text.length}"`, ...headers }).end(text);
const status =
  (code: number, headers: Record<string, string> = {}): Answer =>
  (_, response) =>
    void response.writeHead(code, headers).end('{"error":"no"}');
const redirect = (location: string): Answer => status(302, { location, 'x-repo-commit': commit });
const cut: Answer = (_, response) => {
  response.writeHead(200, { 'content-length': String(model.length) });
  response.write(model.slice(0, 10), () => response.destroy());
};

const at = (file: string, revision = 'main', name = 'org/model'): string => `/${name}/resolve/${revision}/${file}`;
const modelPath = at('tokenizer.json');
const configPath = at('tokenizer_config.json', commit);
const usual = { [modelPath]: [body(model)], [configPath]: [body(config)] };

let folder = '';
const hubs: Hub[] = [];

const test = suite('tokenizer from the Hub');
test.before.each(() => {
  folder = mkdtempSync(join(tmpdir(), 'dsbuild-hub-'));
});
test.after.each(() => {
  for (const { server } of hubs.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
  rmSync(folder, { recursive: true, force: true });
});

async function start(answers: Record<string, Answer[]>): Promise<Hub> {
  const hub = await hubOf(answers);
  hubs.push(hub);
  return hub;
}

function options(hub: Hub, more: Partial<LocateOptions> = {}): LocateOptions {
  return {
    base: folder,
    cacheDir: join(folder, 'cache'),
    offline: false,
    env: { HF_ENDPOINT: hub.url, HF_TOKEN: token },
    retryPauseMs: 1,
    ...more,
  };
}

const shown = (error: BuildError): string => [error.message, error.hint, error.where, String(error.cause)].join('\n');

test('both files come from one commit, which goes into the pin with their digests', async () => {
  const hub = await start(usual);
  const found = await locateTokenizer('org/model', options(hub));
  assert.is(readFileSync(found.modelFile, 'utf8'), model);
  assert.is(readFileSync(found.configFile ?? '', 'utf8'), config);
  assert.equal(found.pin, { reference: 'org/model', resolved: commit, model: digestHex(model), config: digestHex(config) });
  assert.equal(hub.requests, [`${modelPath} Bearer ${token}`, `${configPath} Bearer ${token}`]);
});

test('a revision is asked for by name, and a repository without tokenizer_config.json has none', async () => {
  const hub = await start({ [at('tokenizer.json', 'refs%2Fpr%2F1')]: [body(model)] });
  const found = await locateTokenizer('org/model@refs/pr/1', options(hub, { env: { HF_ENDPOINT: `${hub.url}/` } }));
  assert.is(found.configFile, undefined);
  assert.equal(Object.keys(found.pin ?? {}), ['reference', 'resolved', 'model']);
  assert.is(hub.requests[0], `${at('tokenizer.json', 'refs%2Fpr%2F1')} -`);
});

test('a mirror that tells no commit is pinned by its ETag', async () => {
  const plain: Answer = (_, response) => void response.writeHead(200, { etag: '"abc"' }).end(model);
  const hub = await start({ [modelPath]: [plain] });
  assert.is((await locateTokenizer('org/model', options(hub))).pin?.resolved, '"abc"');
});

test('the token goes to the endpoint and its redirects to itself, never to another host', async () => {
  const storage = await start({ '/blob': [body(model, { 'x-repo-commit': 'of-the-storage' })] });
  const hub = await start({
    [modelPath]: [redirect('/renamed')],
    '/renamed': [redirect(`${storage.url}/blob`)],
    [configPath]: [body(config)],
  });
  const found = await locateTokenizer('org/model', options(hub));
  assert.is(readFileSync(found.modelFile, 'utf8'), model);
  assert.is(found.pin?.resolved, commit);
  assert.equal(storage.requests, ['/blob -']);
  assert.is(hub.requests[1], `/renamed Bearer ${token}`);
});

test('a redirect that never ends, or leads away from http, is an error', async () => {
  const endless = await start({ [modelPath]: [redirect(modelPath)] });
  assert.match((await refusal(locateTokenizer('org/model', options(endless)))).message, /redirects/);
  const elsewhere = await start({ [modelPath]: [redirect('file:///etc/passwd')] });
  assert.is((await refusal(locateTokenizer('org/model', options(elsewhere)))).code, 'tokenizer-unreachable');
});

for (const code of [401, 403, 404]) {
  test(`status ${code} is not tried again; the hint names HF_TOKEN, gating and an ungated example, and no token is shown`, async () => {
    const hub = await start({ [modelPath]: [status(code)] });
    const error = await refusal(locateTokenizer('org/model', options(hub)));
    assert.is(error.code, 'tokenizer-not-found');
    assert.match(error.message, new RegExp(`org/model.*${code}`));
    assert.match(error.hint ?? '', /gated.*HF_TOKEN.*npm:@lenml\/tokenizer-gpt2/);
    assert.is(hub.requests.length, 1);
    assert.not.match(shown(error), new RegExp(token));
  });
}

test('a busy server, a failing one and a cut body are tried again until the whole file is there', async () => {
  const hub = await start({
    [modelPath]: [status(429, { 'retry-after': '0' }), status(503), cut, body(model)],
    [configPath]: [cut, body(config)],
  });
  const found = await locateTokenizer('org/model', options(hub));
  assert.is(readFileSync(found.modelFile, 'utf8'), model);
  assert.is(readFileSync(found.configFile ?? '', 'utf8'), config);
  assert.is(hub.requests.length, 6);
});

test('after three retries the error says what the server answered', async () => {
  const hub = await start({ [modelPath]: [status(503)] });
  const error = await refusal(locateTokenizer('org/model', options(hub)));
  assert.is(error.code, 'tokenizer-unreachable');
  assert.match(error.message, /status 503/);
  assert.is(hub.requests.length, 4);
  assert.not.match(shown(error), new RegExp(token));
});

test('a connection that is refused is named', async () => {
  const hub = await start({});
  await new Promise((closed) => hub.server.close(closed));
  const error = await refusal(locateTokenizer('org/model', options(hub)));
  assert.match(error.message, /ECONNREFUSED/);
});

test('an endpoint with a password is refused without showing it', async () => {
  const hub = await start(usual);
  const env = { HF_ENDPOINT: hub.url.replace('//', '//user:hidden@') };
  const error = await refusal(locateTokenizer('org/model', options(hub, { env })));
  assert.is(error.code, 'bad-endpoint');
  assert.not.match(shown(error), /hidden/);
});

test('with a pin the second build asks nobody', async () => {
  const hub = await start(usual);
  const first = await locateTokenizer('org/model', options(hub));
  const asked = hub.requests.length;
  const second = await locateTokenizer('org/model', options(hub, { pinned: first.pin as NonNullable<typeof first.pin>, offline: true }));
  assert.equal(second, first);
  assert.is(hub.requests.length, asked);
});

test('offline without a pin takes the last download, and without one says so', async () => {
  const hub = await start(usual);
  const error = await refusal(locateTokenizer('org/model', options(hub, { offline: true })));
  assert.is(error.code, 'tokenizer-not-found');
  assert.match(error.message, /offline/);
  assert.equal(hub.requests, []);
  const online = await locateTokenizer('org/model', options(hub));
  assert.equal(await locateTokenizer('org/model', options(hub, { offline: true })), online);
});

test('a pinned tokenizer that was lost or damaged on disk is fetched again from the pinned commit', async () => {
  const hub = await start({ ...usual, [at('tokenizer.json', commit)]: [body(model)] });
  const first = await locateTokenizer('org/model', options(hub));
  writeFileSync(first.modelFile, 'damaged');
  const again = await locateTokenizer('org/model', options(hub, { pinned: first.pin as NonNullable<typeof first.pin> }));
  assert.is(readFileSync(again.modelFile, 'utf8'), model);
  assert.is(hub.requests[2], `${at('tokenizer.json', commit)} Bearer ${token}`);
});

test('content that differs from the pin is a mismatch, whichever file it is', async () => {
  const hub = await start({ ...usual, [at('tokenizer.json', commit)]: [body(model)] });
  const pinned = { reference: 'org/model', resolved: commit, model: digestHex(model), config: digestHex(config) };
  for (const [change, file] of [
    [{ model: digestHex('other') }, /^tokenizer\.json/],
    [{ config: digestHex('other') }, /^tokenizer_config\.json/],
  ] as const) {
    const error = await refusal(locateTokenizer('org/model', options(hub, { pinned: { ...pinned, ...change } })));
    assert.is(error.code, 'pin-mismatch');
    assert.match(error.message, file);
    assert.match(error.hint ?? '', /dsbuild update/);
  }
});

test('an abort ends the waiting between retries', async () => {
  const controller = new AbortController();
  const hub = await start({
    [modelPath]: [
      (_, response) => {
        response.writeHead(503).end();
        controller.abort();
      },
    ],
  });
  const outcome = await locateTokenizer('org/model', options(hub, { signal: controller.signal, retryPauseMs: 600_000 })).catch(
    (error: unknown) => error,
  );
  assert.is((outcome as Error).name, 'AbortError');
});

test.run();
