import { fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { digestHex } from '../../src/base/digest.ts';
import { type FetchRequest, fetchFile } from '../../src/source/fetch.ts';
import { refusal } from '../refusal.ts';

const test = suite('fetch');

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

const contents = Buffer.from(Array.from({ length: 20_000 }, (_, i) => `{"text":"line ${i}"}\n`).join(''));
const digest = digestHex(contents);
const validators = { etag: '"v1"', 'last-modified': 'Mon, 01 Jan 2024 00:00:00 GMT' };

let server: Server;
let origin = '';
let toDir = '';
/** One answer per request, in turn; the last one again and again. */
let answers: Answer[] = [];
let requests: IncomingMessage[] = [];
/** Are told how much a call has taken. */
let watchers: ((bytesDone: number) => void)[] = [];

test.before.each(async () => {
  toDir = mkdtempSync(join(tmpdir(), 'fetch-'));
  requests = [];
  watchers = [];
  server = createServer((request, response) => {
    requests.push(request);
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    answer?.(request, response);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
test.after.each(() => {
  server.closeAllConnections();
  server.close();
  rmSync(toDir, { recursive: true, force: true });
});

const whole: Answer = (_, response) => response.writeHead(200, { ...validators, 'content-length': contents.length }).end(contents);
const status =
  (code: number, headers: Record<string, string> = {}): Answer =>
  (_, response) =>
    response.writeHead(code, headers).end();

/** Cuts an answer off when what was written has been taken: what is still on its way would be lost with the connection. */
function cutWhenTaken(response: ServerResponse, bytesDone: number): void {
  watchers.push((done) => {
    if (done >= bytesDone) response.destroy();
  });
}

/** Says that all will come, and sends the first bytes only. */
const cutAfter =
  (bytes: number, headers: Record<string, string> = validators, body = contents): Answer =>
  (_, response) => {
    response.writeHead(200, { ...headers, 'content-length': body.length });
    response.write(body.subarray(0, bytes));
    cutWhenTaken(response, bytes);
  };

const rest =
  (headers: Record<string, string> = validators): Answer =>
  (request, response) => {
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1]);
    response
      .writeHead(206, { ...headers, 'content-range': `bytes ${from}-${contents.length - 1}/${contents.length}` })
      .end(contents.subarray(from));
  };

const waits: number[] = [];
const request = (more: Partial<FetchRequest> = {}): FetchRequest => ({
  address: `${origin}/data.jsonl`,
  toDir,
  signal: new AbortController().signal,
  onProgress: (done) => {
    for (const watcher of watchers) watcher(done);
  },
  env: {},
  wait: async (ms) => void waits.push(ms),
  ...more,
});

test('a file arrives whole, with its digest and what the server calls it, under a name that the address has no say in', async () => {
  answers = [whole];
  const progress: [number, number | undefined][] = [];
  const fetched = await fetchFile(
    request({ address: `${origin}/..%2f..%2fetc/passwd?x=../y`, onProgress: (done, total) => progress.push([done, total]) }),
  );
  assert.ok(readFileSync(fetched.path).equals(contents));
  assert.match(fetched.path.slice(toDir.length), /^\/[0-9a-f]{32}-[\w-]+$/);
  assert.equal(
    { ...fetched, path: '' },
    { path: '', bytes: contents.length, blake3: digest, etag: '"v1"', lastModified: validators['last-modified'] },
  );
  assert.equal(progress[0], [0, contents.length]);
  assert.equal(progress.at(-1), [contents.length, contents.length]);
  assert.is(requests[0]?.headers['accept-encoding'], 'identity');
  assert.is(readdirSync(toDir).length, 1);
});

test('a file of unknown size and without validators arrives, an empty one too', async () => {
  answers = [(_, response) => response.end(contents), (_, response) => response.end()];
  assert.is((await fetchFile(request())).blake3, digest);
  assert.is((await fetchFile(request())).bytes, 0);
});

test('a cut body is gone on with where it stopped, if it is still the same', async () => {
  answers = [cutAfter(100_000), rest()];
  const fetched = await fetchFile(request());
  assert.is(fetched.blake3, digest);
  assert.is(requests[1]?.headers.range, 'bytes=100000-');
  assert.is(requests[1]?.headers['if-range'], '"v1"');
});

test('without a strong ETag the date decides whether it is still the same', async () => {
  const weak = { etag: 'W/"v1"', 'last-modified': validators['last-modified'] };
  answers = [cutAfter(100_000, weak), rest(weak)];
  assert.is((await fetchFile(request())).blake3, digest);
  assert.is(requests[1]?.headers['if-range'], validators['last-modified']);
});

test('without anything that names the content a cut body begins again', async () => {
  answers = [cutAfter(100_000, {}), whole];
  assert.is((await fetchFile(request())).blake3, digest);
  assert.is(requests[1]?.headers.range, undefined);
});

const others: readonly [what: string, answer: Answer][] = [
  ['ignores Range', whole],
  ['has another content now', (_, response) => response.writeHead(200, { etag: '"v2"' }).end(contents)],
];
for (const [what, answer] of others) {
  test(`a server that ${what} is taken from the beginning`, async () => {
    answers = [cutAfter(50_000, validators, Buffer.alloc(500_000, 'old')), answer];
    const fetched = await fetchFile(request());
    assert.is(fetched.blake3, digest);
    assert.is(requests.length, 2);
    assert.is(requests[1]?.headers.range, 'bytes=50000-');
  });
}

const wrongParts: readonly [what: string, answer: Answer][] = [
  ['is of another version', rest({ etag: '"v2"' })],
  ['begins elsewhere', (_, response) => response.writeHead(206, { ...validators, 'content-range': 'bytes 5-9/10' }).end('wrong')],
  ['does not say where it begins', (_, response) => response.writeHead(206, validators).end('wrong')],
  ['can not be had (416)', status(416, { 'content-range': `bytes */${contents.length - 1}` })],
];
for (const [what, answer] of wrongParts) {
  test(`a part that ${what} is not used: all is asked for at once`, async () => {
    answers = [cutAfter(100_000), answer, whole];
    assert.is((await fetchFile(request())).blake3, digest);
    assert.is(requests.length, 3);
    assert.is(requests[2]?.headers.range, undefined);
  });
}

test('an ETag that changes with every answer never mixes two contents', async () => {
  const cut = (letter: string, bytes: number): Answer => cutAfter(bytes, { etag: `"${letter}"` }, Buffer.alloc(90_000, letter));
  answers = [cut('a', 50_000), cut('b', 60_000), cut('c', 70_000), whole];
  const fetched = await fetchFile(request());
  assert.is(fetched.blake3, digest);
  assert.is(fetched.etag, '"v1"');
  assert.equal(
    requests.map(({ headers }) => headers.range),
    [undefined, 'bytes=50000-', 'bytes=60000-', 'bytes=70000-'],
  );
});

test('a body that is shorter than it says is not taken for the whole, and three tries more are the end', async () => {
  answers = [cutAfter(1000)];
  waits.length = 0;
  const error = await refusal(fetchFile(request({ address: `${origin}/cut?token=abc`, pausesMs: [1000, 4000, 15_000] })));
  assert.is(error.code, 'fetch-failed');
  assert.match(error.message, /gave up after 4 tries: the connection was cut/);
  assert.is(error.where, `${origin}/cut`);
  assert.is(requests.length, 4);
  for (const [i, ms] of [1000, 4000, 15_000].entries()) assert.ok((waits[i] ?? 0) >= ms && (waits[i] ?? 0) <= ms * 1.25, String(waits));
});

test('tries are counted from the beginning after much has arrived', async () => {
  const some: Answer = (asked, response) => {
    const from = Number(/\d+/.exec(asked.headers.range ?? '0')?.[0]);
    const to = Math.min(from + 40_000, contents.length);
    const range = `bytes ${from}-${contents.length - 1}/${contents.length}`;
    response.writeHead(from === 0 ? 200 : 206, { ...validators, 'content-length': contents.length - from, 'content-range': range });
    response.write(contents.subarray(from, to));
    if (to === contents.length) response.end();
    else cutWhenTaken(response, to);
  };
  answers = [some];
  assert.is((await fetchFile(request({ limits: { forgiveBytes: 40_000 } }))).blake3, digest);
  assert.is(requests.length, Math.ceil(contents.length / 40_000));
});

test('503 twice and a refused connection are tried again', async () => {
  answers = [status(503), (_, response) => response.destroy(), status(503), whole];
  assert.is((await fetchFile(request())).blake3, digest);
});

test('429 waits as long as the server asks for, in seconds or until a date', async () => {
  const until = new Date(Date.now() + 100_000).toUTCString();
  answers = [status(429, { 'retry-after': '7' }), status(429, { 'retry-after': until }), status(429, { 'retry-after': '999999' }), whole];
  waits.length = 0;
  await fetchFile(request({ pausesMs: [0, 0, 0] }));
  assert.is(waits[0], 7000);
  assert.ok((waits[1] ?? 0) > 50_000 && (waits[1] ?? 0) <= 100_000);
  assert.is(waits[2], 300_000);
});

for (const code of [400, 401, 403, 404, 410]) {
  test(`${code} fails at once and says what to do`, async () => {
    answers = [status(code)];
    const error = await refusal(fetchFile(request()));
    assert.is(error.code, 'fetch-failed');
    assert.match(error.message, new RegExp(`^the server answered ${code} `));
    assert.ok(error.hint);
    assert.is(requests.length, 1);
    assert.equal(readdirSync(toDir), []);
  });
}

test('credentials go to the first host and to nobody else, and are never shown', async () => {
  const elsewhere = origin.replace('127.0.0.1', 'localhost');
  const back: Answer = (_, response) => response.writeHead(307, { location: `${origin}/again` }).end();
  answers = [status(302, { location: '/moved' }), status(302, { location: `${elsewhere.replace('//', '//x:y@')}/far` }), back, status(404)];
  const lookup = { address: `${origin.replace('//', '//me:s3cr%65t@')}/data?X-Amz-Signature=f00d&part=1` };
  const error = await refusal(fetchFile(request(lookup)));
  const basic = `Basic ${Buffer.from('me:s3cret').toString('base64')}`;
  assert.equal(
    requests.map(({ headers }) => headers.authorization),
    [basic, basic, undefined, undefined],
  );
  assert.equal(
    requests.map(({ url }) => url),
    ['/data?X-Amz-Signature=f00d&part=1', '/moved', '/far', '/again'],
  );
  assert.not.match(`${error.message} ${error.where} ${error.hint} ${error.stack}`, /s3cr|f00d|me:/);
  assert.is(error.where, `${origin}/data?part=1`);
});

test('the token of the Hugging Face Hub goes to the Hub alone', async () => {
  answers = [status(302, { location: `${origin.replace('127.0.0.1', 'localhost')}/cdn` }), whole, whole];
  await fetchFile(request({ env: { HF_TOKEN: 'hf_x', HF_ENDPOINT: origin } }));
  await fetchFile(request({ env: { HF_TOKEN: 'hf_x' } }));
  assert.equal(
    requests.map(({ headers }) => headers.authorization),
    ['Bearer hf_x', undefined, undefined],
  );
});

test('endless redirects and redirects to something else are refused', async () => {
  answers = [status(302, { location: '/data.jsonl' })];
  assert.match((await refusal(fetchFile(request()))).message, /redirected more than 10 times/);
  answers = [status(302, { location: 'file:///etc/passwd' })];
  assert.match((await refusal(fetchFile(request()))).message, /which is no http address/);
});

test('a content coding that was not asked for is refused instead of being stored', async () => {
  answers = [(_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end('x')];
  assert.match((await refusal(fetchFile(request()))).message, /content coding gzip/);
});

test('a try in which nothing comes is given up, before the headers and in the body', async () => {
  // A machine that is busy for that long makes a stall of any try: there are more than are needed.
  const begins: Answer = (asked, response) => {
    if (asked.headers.range) return rest()(asked, response);
    response.writeHead(200, { ...validators, 'content-length': contents.length });
    response.write(contents.subarray(0, 1000));
  };
  answers = [() => {}, begins];
  assert.is((await fetchFile(request({ limits: { stallMsMax: 150 }, pausesMs: Array.from({ length: 100 }, () => 0) }))).blake3, digest);
  assert.ok(requests.length >= 3 && requests.at(-1)?.headers.range);
  answers = [() => {}];
  const error = await refusal(fetchFile(request({ limits: { stallMsMax: 50 }, pausesMs: [] })));
  assert.match(error.message, /nothing came for 0.05 s/);
});

test('what was asked to stop stops with the reason, and the next call goes on', async () => {
  const stop = new AbortController();
  answers = [
    (_, response) => {
      response.writeHead(200, { ...validators, 'content-length': contents.length });
      response.write(contents.subarray(0, 100_000));
    },
    rest(),
  ];
  const reason = new Error('Ctrl-C');
  let seen: unknown;
  await fetchFile(request({ signal: stop.signal, onProgress: (done) => void (done > 0 && stop.abort(reason)) })).catch(
    (error) => (seen = error),
  );
  assert.is(seen, reason);
  assert.is((await fetchFile(request())).blake3, digest);
  assert.ok(requests[1]?.headers.range);
  assert.is(readdirSync(toDir).length, 1);
});

for (const name of ['bytes', 'state.json']) {
  test(`what is left of a fetch and went bad in its ${name} is fetched again, and never pinned`, async () => {
    const stop = new AbortController();
    answers = [
      (_, response) => {
        response.writeHead(200, { ...validators, 'content-length': contents.length });
        response.write(contents.subarray(0, 100_000));
      },
      (request, response) => (request.headers.range ? rest() : whole)(request, response),
    ];
    await fetchFile(request({ signal: stop.signal, onProgress: (done) => void (done > 0 && stop.abort()) })).catch(() => {});
    const [folder] = readdirSync(toDir);
    const path = join(toDir, folder as string, name);
    const bytes = readFileSync(path);
    writeFileSync(path, bytes.fill((bytes[20] as number) ^ 1, 20, 21));
    assert.is((await fetchFile(request())).blake3, digest);
  });
}

test('a pause that is interrupted ends with the reason', async () => {
  const stop = new AbortController();
  const reason = new Error('Ctrl-C');
  answers = [
    (_, response) => {
      response.writeHead(503).end();
      setImmediate(() => stop.abort(reason));
    },
  ];
  let seen: unknown;
  const { wait: _none, ...plain } = request({ signal: stop.signal, pausesMs: [600_000] });
  await fetchFile(plain).catch((error) => (seen = error));
  assert.is(seen, reason);
});

test('a killed process is gone on for by the next one, from the last checkpoint', async () => {
  let sent = (): void => {};
  const halfSent = new Promise<void>((resolve) => (sent = resolve));
  answers = [
    (_, response) => {
      response.writeHead(200, { ...validators, 'content-length': contents.length });
      response.write(contents.subarray(0, 200_000), () => sent());
    },
    rest(),
  ];
  const child = fork(fileURLToPath(new URL('fetch-child.ts', import.meta.url)), [`${origin}/data.jsonl`, toDir, '50000'], {
    execArgv: ['--import', 'tsx'],
  });
  await Promise.all([halfSent, once(child, 'message')]);
  child.kill('SIGKILL');
  await once(child, 'exit');
  assert.is((await fetchFile(request())).blake3, digest);
  const from = Number(/^bytes=(\d+)-$/.exec(requests[1]?.headers.range ?? '')?.[1]);
  assert.ok(from >= 50_000 && from <= 200_000, String(from));
  assert.is(readdirSync(toDir).length, 1);
});

test('two calls for one address at once do not touch each other', async () => {
  answers = [cutAfter(100_000), cutAfter(90_000), (request, response) => (request.headers.range ? rest() : whole)(request, response)];
  const both = await Promise.all([fetchFile(request()), fetchFile(request())]);
  for (const { path, blake3 } of both) {
    assert.is(blake3, digest);
    assert.ok(readFileSync(path).equals(contents));
  }
  assert.is.not(both[0]?.path, both[1]?.path);
});

test('a partial file that is whole already is taken without its bytes', async () => {
  const stop = new AbortController();
  // Of unknown length and never ended: all bytes are there, and nobody knows.
  answers = [(_, response) => response.writeHead(200, validators).write(contents)];
  const onProgress = (done: number): void => void (done === contents.length && stop.abort());
  await fetchFile(request({ signal: stop.signal, onProgress })).catch(() => {});
  answers = [status(416, { 'content-range': `bytes */${contents.length}` })];
  assert.is((await fetchFile(request())).blake3, digest);
  assert.is(requests.at(-1)?.headers.range, `bytes=${contents.length}-`);
});

test('an S3 object without the checksum that its server names is fetched again as a whole', async () => {
  const wrongSum: Answer = (_, response) => {
    response.writeHead(200, { ...validators, 'content-length': contents.length, 'x-amz-checksum-crc32': 'AAAAAA==' }).end(contents);
  };
  answers = [wrongSum, whole];
  const env = { AWS_ACCESS_KEY_ID: 'key', AWS_SECRET_ACCESS_KEY: 'secret' };
  assert.is((await fetchFile(request({ address: 's3://bucket/key', endpoint: origin, env }))).blake3, digest);
  assert.is(requests.length, 2);
  assert.is(requests[1]?.headers.range, undefined);
});

const sha256 = createHash('sha256').update(contents).digest('hex');
test('bytes with the digest that lock and config name are taken', async () => {
  answers = [whole, cutAfter(5000), rest()];
  await fetchFile(request({ expect: { blake3: digest, etag: '"another"' }, declaredPin: `blake3:${digest.toUpperCase()}` }));
  assert.is((await fetchFile(request({ declaredPin: `sha256:${sha256}` }))).blake3, digest);
});

const wrong = 'f'.repeat(64);
const pins: readonly [what: string, more: Partial<FetchRequest>, names: RegExp][] = [
  ['the lock', { expect: { blake3: wrong } }, new RegExp(`the lock names: expected blake3:${wrong}, came blake3:${digest} `)],
  [
    'blake3 in the config',
    { declaredPin: `blake3:${wrong}` },
    new RegExp(`the config names: expected blake3:${wrong}, came blake3:${digest} `),
  ],
  [
    'sha256 in the config',
    { declaredPin: `sha256:${wrong}`, expect: { blake3: digest } },
    new RegExp(`expected sha256:${wrong}, came sha256:${sha256} `),
  ],
];
for (const [what, more, names] of pins) {
  test(`bytes that differ from ${what} are kept aside and never used`, async () => {
    answers = [whole];
    const error = await refusal(fetchFile(request(more)));
    assert.is(error.code, 'pin-mismatch');
    assert.match(error.message, names);
    assert.match(error.hint ?? '', /dsbuild update/);
    const kept = readdirSync(toDir);
    assert.equal(kept, [`${digest.slice(0, 32)}.unexpected`]);
    assert.ok(error.message.includes(kept[0] as string));
    assert.is((await fetchFile(request())).blake3, digest);
    assert.is(requests[1]?.headers.range, undefined);
  });
}

test('a folder that can not be written fails with the code of the system, at once', async () => {
  answers = [whole];
  let code = '';
  await fetchFile(request({ toDir: '/dev/null/x' })).catch((error: NodeJS.ErrnoException) => (code = error.code ?? ''));
  assert.is(code, 'ENOTDIR');
  assert.is(requests.length, 0);
});

test('an address of another kind is refused', async () => {
  for (const address of ['ftp://host/a', 'data.jsonl', 'http://', 's3://bucket', 's3://bucket/']) {
    assert.is((await refusal(fetchFile(request({ address })))).code, 'bad-address');
  }
});

test.run();
