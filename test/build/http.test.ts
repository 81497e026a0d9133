import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { records } from './matrix.ts';
import { errorsOf, ran, TestProject } from './project.ts';

const test = suite('sources behind http');

/** A file behind an address, and the requests that were made for it. */
class Remote {
  content = records(1);
  requests: string[] = [];
  readonly #server: Server;

  constructor() {
    this.#server = createServer(({ method, url }, response) => {
      this.requests.push(`${method} ${url}`);
      response.writeHead(200, { 'content-length': Buffer.byteLength(this.content), etag: `"${this.content.length}"` });
      response.end(this.content);
    });
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/data.jsonl`;
  }

  /** The requests since the last time. */
  taken(): string[] {
    return this.requests.splice(0);
  }

  end(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

const config = (address: string): string => `import { defineConfig, download, exportDataset } from 'dsbuild';
const raw = download({ sources: { 'web/data': '${address}' } });
const text = exportDataset(raw, { format: 'jsonl', out: 'out' });
export default defineConfig({ targets: { raw, text }, chunking: { chunkSize: '8KB' } });
`;

async function withRemote(use: (project: TestProject, remote: Remote) => Promise<void>): Promise<void> {
  const [project, remote] = [new TestProject(), new Remote()];
  try {
    project.write('datasets.config.ts', config(await remote.listen()));
    await use(project, remote);
  } finally {
    remote.end();
    project.end();
  }
}

const published = 'out/web/data.jsonl';

test('it is fetched once and pinned in dsbuild.lock; the second build runs nothing and asks nothing', () =>
  withRemote(async (project, remote) => {
    const first = await project.build();
    assert.equal(errorsOf(first), []);
    assert.is(ran(first)['raw fetch'], 1);
    assert.equal(remote.taken(), ['GET /data.jsonl']);
    assert.is(project.read(published), remote.content);
    assert.match(project.read('dsbuild.lock'), 'data.jsonl');
    const lock = project.read('dsbuild.lock');
    const second = await project.build();
    assert.is(second.summary.steps.ran, 0);
    assert.equal(remote.taken(), []);
    assert.is(project.read('dsbuild.lock'), lock);
  }));

test('the lock, not the server, says what is built: other bytes than the pinned ones are an error that names dsbuild update', () =>
  withRemote(async (project, remote) => {
    await project.build();
    const before = project.read(published);
    remote.content = records(2);
    assert.is((await project.build()).summary.steps.ran, 0);
    project.remove('.dsbuild');
    remote.taken();
    const refused = await project.build();
    assert.is(refused.code, 1);
    assert.match(JSON.stringify(errorsOf(refused)), 'dsbuild update');
    assert.is(project.read(published), before);
    assert.is((await project.start('update', '--json').done).code, 0);
    const updated = await project.build('--overwrite');
    assert.equal(errorsOf(updated), []);
    assert.is(project.read(published), remote.content);
  }));

test('without .dsbuild the pinned bytes are fetched again, and the lock stays as it is', () =>
  withRemote(async (project, remote) => {
    await project.build();
    const [lock, bytes] = [project.read('dsbuild.lock'), project.snapshot()];
    project.remove('.dsbuild');
    project.remove('out');
    assert.is((await project.build('--locked')).code, 0);
    assert.equal(remote.taken(), ['GET /data.jsonl', 'GET /data.jsonl']);
    assert.equal(project.snapshot(), bytes);
    assert.is(project.read('dsbuild.lock'), lock);
  }));

test('--offline asks nothing: it builds from what is here, and says what is missing', () =>
  withRemote(async (project, remote) => {
    const missing = await project.build('--offline');
    assert.is(missing.code, 1);
    assert.equal(
      errorsOf(missing).map(({ code }) => code),
      ['offline'],
    );
    assert.equal(remote.taken(), []);
    assert.is((await project.build()).code, 0);
    remote.taken();
    const here = await project.build('--offline');
    assert.is(here.code, 0);
    assert.is(here.summary.steps.ran, 0);
    assert.equal(remote.taken(), []);
  }));

test('--locked refuses a source that the lock does not name', () =>
  withRemote(async (project, remote) => {
    const refused = await project.build('--locked');
    assert.is(refused.code, 1);
    assert.equal(
      errorsOf(refused).map(({ code }) => code),
      ['lock-would-change'],
    );
    assert.equal(project.list('out'), []);
    assert.ok(remote.taken().length <= 1);
  }));

test.run();
