import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { takeInventory } from '../../../src/cache/inventory.ts';
import { clean } from '../../../src/engine/clean.ts';
import { cacheStats } from '../../../src/engine/gc/cache-stats.ts';
import { collectGarbage, type GcRequest } from '../../../src/engine/gc/collect.ts';
import { heldVersions } from '../../../src/engine/gc/mark.ts';
import type { GcReport } from '../../../src/engine/gc/report.ts';
import { applyEdit } from '../invariant-edits.ts';
import { firstState, layOut, newProject, outs, type State } from '../invariant-project.ts';
import { Rig } from '../rig.ts';

const test = suite('garbage collection');

const gc = (rig: Rig, request: Partial<GcRequest> = {}): Promise<GcReport> =>
  rig.withProject((project) => collectGarbage(project, { dryRun: false, ...request }));
const bytesIn = (rig: Rig): Promise<number> => rig.withProject(async ({ store }) => takeInventory(store).bytes);
const published = (rig: Rig): readonly unknown[] => outs.map((out) => rig.tree(out));
const withSizeMax = (rig: Rig, sizeMax: string): void => {
  const config = rig
    .read('datasets.config.ts')
    .toString()
    .replace(/\n {2}cache: .*/, '');
  rig.write({ 'datasets.config.ts': config.replace('\n  chunking', `\n  cache: { sizeMax: '${sizeMax}' },\n  chunking`) });
};

/** A part of the files: enough for a chunk of each kind. */
const state: State = { ...firstState(3), files: new Map([...firstState(3).files].filter(([name]) => !/small\/(\d\d|[4-9])\./.test(name))) };
const edited: State = applyEdit({ edit: 'edit', file: 0, at: 5, seed: 99 }, [state]);

/** What a clean build of the edited state publishes. */
let expected: Promise<readonly unknown[]> | undefined;
const cleanOutput = (): Promise<readonly unknown[]> => {
  expected ??= (async () => {
    const rig = newProject(edited);
    await rig.build();
    return published(rig);
  })();
  return expected;
};

async function assertFresh(rig: Rig): Promise<void> {
  const { ran, summary } = await rig.build();
  assert.equal(ran, []);
  assert.equal(summary.steps, { ran: 0, hit: 0, restored: 0, failed: 0 });
}

test('when as much as can be goes, published files stay, a build has nothing to do, and an edit gives what a clean build gives', async () => {
  const rig = newProject(state);
  await rig.build();
  const before = published(rig);
  const { bytes, bytesBefore, spared } = await gc(rig, { maxBytes: 0 });
  assert.is(bytes, spared.lists);
  assert.ok(bytes < bytesBefore / 5, `${bytes} of ${bytesBefore}`);
  assert.is(await bytesIn(rig), bytes);
  assert.equal(published(rig), before);
  await assertFresh(rig);
  layOut(rig, edited, state);
  const { summary } = await rig.build();
  assert.ok(summary.ok && summary.steps.restored > 0);
  assert.equal(published(rig), await cleanOutput());
  await assertFresh(rig);
});

test('published files that are lost after a collection are made again, byte by byte', async () => {
  const rig = newProject(edited);
  await rig.build();
  await gc(rig, { maxBytes: 0 });
  for (const out of outs.filter((out) => out !== 'data/raw')) rig.remove(out);
  const { summary, ran } = await rig.build();
  assert.ok(summary.ok && summary.steps.restored > 0);
  assert.equal(ran, []);
  assert.equal(published(rig), await cleanOutput());
});

test('what was used longest ago goes first, and going back to what stayed runs no step', async () => {
  const rig = newProject(state);
  await rig.build({ params: { charsMin: '0' } });
  await rig.build({ params: { charsMin: '60' } });
  await rig.build({ params: { charsMin: '0' } });
  const stats = await rig.withProject(async (project) => cacheStats(project));
  const plan = await gc(rig, { maxBytes: stats.store.bytes - 1, dryRun: true });
  assert.equal(
    plan.targets.map(({ versions }) => versions.length),
    [1],
  );
  const { targets, bytes } = await gc(rig, { maxBytes: Math.round(stats.store.bytes * 0.9) });
  assert.ok(bytes <= stats.store.bytes * 0.9);
  const newest = new Map(
    await rig.withProject(async (project) =>
      heldVersions(project)
        .map(({ target, usedMs }) => [target, usedMs] as const)
        .reverse(),
    ),
  );
  for (const { target, versions } of targets) {
    for (const { used } of versions) assert.ok(Date.parse(used) < (newest.get(target ?? '') ?? 0), `${target} ${used}`);
  }
  layOut(rig, edited, state);
  assert.is((await rig.build({ params: { charsMin: '0' } })).summary.steps.restored, 0);
});

test('a dry run names what goes, and nothing goes', async () => {
  const rig = newProject(state);
  await rig.build();
  const before = rig.tree('.dsbuild/store');
  const plan = await gc(rig, { maxBytes: 0, dryRun: true });
  assert.equal(rig.tree('.dsbuild/store'), before);
  const done = await gc(rig, { maxBytes: 0 });
  assert.equal(plan.targets, done.targets);
  assert.is(plan.bytes, done.bytes);
  const names = plan.targets.map(({ target }) => target ?? '');
  for (const target of ['clean', 'tokens', 'shards']) assert.ok(names.includes(target), `${target} in ${names}`);
  for (const { target, versions } of plan.targets) {
    if (target !== undefined)
      assert.is(
        versions.reduce((sum, { bytes }) => sum + bytes, 0),
        plan.targets.find((one) => one.target === target)?.bytes,
      );
  }
});

test('a build that ends above the cap collects down to nine tenths of it, and says so', async () => {
  const rig = newProject(state);
  withSizeMax(rig, '150KB');
  const { summary } = await rig.build();
  const { bytes = 0, freed = 0, max } = summary.cache ?? {};
  assert.is(max, 150_000);
  assert.ok(bytes <= 135_000 && freed > 0, `${bytes}`);
  assert.is(await bytesIn(rig), bytes);
  await assertFresh(rig);
  layOut(rig, edited, state);
  assert.ok((await rig.build()).summary.ok);
  assert.equal(published(rig), await cleanOutput());
});

test('a build below the cap says nothing of it and collects nothing', async () => {
  const rig = newProject(state);
  withSizeMax(rig, '1GB');
  const { summary } = await rig.build();
  assert.is(summary.cache, undefined);
  assert.is(await rig.withProject(async ({ store }) => store.size.read()), await bytesIn(rig));
});

test('a build that wrote nothing collects nothing, however large the cache is', async () => {
  const rig = newProject(state);
  await rig.build();
  const before = rig.tree('.dsbuild/store');
  withSizeMax(rig, '1KB');
  const { summary, ran } = await rig.build();
  assert.equal([ran, summary.cache], [[], undefined]);
  assert.equal(rig.tree('.dsbuild/store'), before);
});

test('after a build that was killed the next one that writes counts anew', async () => {
  const rig = newProject(state);
  await rig.build();
  const sizeFile = rig.path('.dsbuild/store/v1/size');
  writeFileSync(sizeFile, '=0\n');
  rig.write({ '.dsbuild/builds/build-1-0-x-0': JSON.stringify({ host: 'x' }).slice(1) });
  layOut(rig, edited, state);
  await rig.build();
  assert.is(Number(readFileSync(sizeFile, 'utf8').split('\n')[0]?.slice(1)), await bytesIn(rig));
});

test('what was used or written since the oldest living build began stays', async () => {
  const rig = newProject(state);
  await rig.build({ params: { charsMin: '60' } });
  const beganMs = Date.now();
  await rig.build();
  const spared = await rig.withProject(async (project) => {
    const leave = project.live.enter(beganMs);
    try {
      return await collectGarbage(project, { maxBytes: 0, dryRun: false });
    } finally {
      leave();
    }
  });
  assert.ok(spared.spared.young > 0);
  layOut(rig, edited, state);
  const { summary } = await rig.build();
  assert.is(summary.steps.restored, 0);
  assert.equal(published(rig), await cleanOutput());
});

/** A config with one source behind an address. */
const remoteConfig = (address: string): string => `import { defineConfig, download, exportDataset, param } from 'dsbuild';
const raw = download({ sources: { 'web/data': '${address}' } });
const text = exportDataset(raw, { format: 'jsonl', fields: ['text', param('field', 'id')], out: 'out' });
export default defineConfig({ targets: { raw, text }, chunking: { chunkSize: '8KB' } });
`;

test('what came from outside is never collected: its server may be gone', async () => {
  const rig = new Rig();
  const lines = Array.from({ length: 300 }, (_, i) => `${JSON.stringify({ id: `${i}`, text: `document ${i}`, note: i })}\n`).join('');
  const server = createServer((_, response) => response.setHeader('content-length', Buffer.byteLength(lines)).end(lines));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  rig.write({ 'datasets.config.ts': remoteConfig(`http://127.0.0.1:${(server.address() as AddressInfo).port}/data.jsonl`) });
  assert.ok((await rig.build()).summary.ok);
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  const { spared } = await gc(rig, { maxBytes: 0 });
  assert.is(spared.external, Buffer.byteLength(lines));
  const { summary } = await rig.build({ params: { field: 'note' } });
  assert.ok(summary.ok && summary.steps.restored > 0, 'chunks of it are made again, from what was fetched');
  // Results of earlier versions of dsbuild do not say that they came from outside: the lock does.
  rmSync(rig.path('.dsbuild/results'), { recursive: true });
  assert.is((await gc(rig, { maxBytes: 0 })).spared.external, Buffer.byteLength(lines));
});

test("what an interrupted build had finished is collected by its age, and named as nobody's", async () => {
  const rig = newProject(state);
  await rig.build({ interruptAfter: 40 });
  const { targets } = await gc(rig, { maxBytes: 0, dryRun: true });
  assert.ok(targets.some(({ target, blobs }) => target === undefined && blobs > 10));
  assert.ok((await rig.build()).summary.steps.hit > 10);
});

test('a collection forgets versions of which nothing is left, and never those that are current', async () => {
  const rig = newProject(state);
  await rig.build({ params: { charsMin: '60' } });
  await rig.build();
  await gc(rig, { maxBytes: 0 });
  const versions = await rig.withProject(async (project) => project.uses.versions());
  const targets = versions.map(({ target }) => target);
  assert.equal(targets.length, new Set(targets).size);
});

test('clean takes what the config no longer needs, small blobs too, and leaves what it needs', async () => {
  const rig = newProject(state);
  await rig.build();
  const needed = await bytesIn(rig);
  await rig.build({ params: { charsMin: '60' } });
  await rig.build();
  assert.ok((await bytesIn(rig)) > needed);
  const { bytes } = await rig.withProject((project) => clean(project, { dryRun: false, all: false }));
  assert.ok(bytes > 0);
  assert.ok((await bytesIn(rig)) <= needed * 1.05, `${await bytesIn(rig)} of ${needed}`);
  await assertFresh(rig);
  layOut(rig, edited, state);
  assert.is((await rig.build()).summary.steps.restored, 0);
  assert.equal(published(rig), await cleanOutput());
});

test('the statistics count every byte once', async () => {
  const rig = newProject(state);
  await rig.build();
  const stats = await rig.withProject(async (project) => cacheStats(project));
  const { published: inFolders, ...inStore } = stats.bytes;
  assert.is(Object.values(inStore).reduce((sum, bytes) => sum + bytes, 0) + stats.store.deadBytes, stats.store.bytes);
  const train = readdirSync(rig.path('train'), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const shards = stats.targets.find(({ target }) => target === 'shards')?.bytes.published ?? 0;
  assert.ok(shards > 0 && shards <= train.reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0));
  assert.ok(inFolders >= shards);
  assert.is(stats.lastGc, undefined);
  await gc(rig, { maxBytes: 0 });
  assert.is((await rig.withProject(async (project) => cacheStats(project))).lastGc?.freed, stats.store.bytes - (await bytesIn(rig)));
});

test.run();
