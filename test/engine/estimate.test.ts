import { cpSync, writeFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { BuildEstimate, BuildSummary } from '../../src/base/events.ts';
import { readNote, writeNote } from '../../src/base/notes.ts';
import type { StatusReport } from '../../src/engine/api.ts';
import { status } from '../../src/engine/status.ts';
import { type Built, checkout, Rig } from './rig.ts';

const test = suite('what a build will come to');

const words = (seed: number): string => Array.from({ length: 12 }, (_, i) => `word${(seed * 7 + i * i) % 97}`).join(' ');
const lines = (count: number, from = 0): string =>
  Array.from(
    { length: count },
    (_, i) => `${JSON.stringify({ id: `d${from + i}`, text: words(from + i), body: words(from + i + 1) })}\n`,
  ).join('');

const config = (
  more: { text?: string; maxSeqLength?: number } = {},
): string => `import { defineConfig, download, index, shard, tokenize } from 'dsbuild';
const raw = download({ sources: { 'text/docs': 'in/docs.jsonl' } });
const tokens = tokenize(raw, { tokenizer: 'tokenizer', text: '${more.text ?? 'text'}' });
const shards = shard(tokens, { maxSeqLength: ${more.maxSeqLength ?? 64}, packTokens: 2000, out: 'out' });
export default defineConfig({ targets: { raw, tokens, shards, train: index(shards) }, chunking: { chunkSize: '8KB' } });
`;

function project(): Rig {
  const rig = new Rig();
  cpSync(checkout('fixtures/tokenizers/tiny'), rig.path('tokenizer'), { recursive: true });
  rig.write({ 'datasets.config.ts': config(), 'in/docs.jsonl': lines(1000) });
  return rig;
}

const statusOf = (rig: Rig): Promise<StatusReport> => rig.withProject((open) => status(open, { targets: [] }));
const ranOf = ({ ran }: Built, target: string): number => ran.filter((step) => step.startsWith(`${target}:`)).length;
const estimatesOf = ({ events }: Built): BuildEstimate[] => events.flatMap((event) => (event.type === 'estimate' ? [event] : []));
const written = ({ summary }: Built): BuildSummary['estimate'] => summary.estimate;

test('before anything was built nothing is estimated; after it all that is fresh is left out', async () => {
  const rig = project();
  const before = await statusOf(rig);
  assert.equal([before.estimate, before.targets.some(({ estimate }) => estimate !== undefined)], [undefined, false]);
  await rig.build();
  const after = await statusOf(rig);
  assert.equal([after.stale, after.estimate?.steps, after.estimate?.tookMs], [0, 0, 0]);
  assert.not.ok(after.targets.some(({ estimate }) => estimate !== undefined));
});

test('another option runs the steps that were said, on the bytes that were said, and writes about as much', async () => {
  const rig = project();
  await rig.build();
  rig.write({ 'datasets.config.ts': config({ text: 'body' }) });
  const { targets, estimate } = await statusOf(rig);
  const of = (name: string) => targets.find(({ target }) => target === name);
  const built = await rig.build({ afterEstimate: true });
  assert.equal([of('tokens')?.estimate?.isExact, of('tokens')?.estimate?.steps], [true, ranOf(built, 'tokens')]);
  assert.equal([of('tokens')?.steps.exact, of('shards')?.steps.exact], [true, false]);
  const guessed = of('shards')?.estimate?.steps ?? 0;
  assert.ok(
    Math.abs(guessed - ranOf(built, 'shards')) <= 2,
    `${guessed} guessed, as many as the last time, and ${ranOf(built, 'shards')} ran`,
  );
  assert.is(of('tokens')?.estimate?.bytesIn, Buffer.byteLength(lines(1000)));
  const compared = written(built);
  assert.ok(compared && Math.abs(compared.bytesOut / compared.bytesWritten - 1) < 0.1, JSON.stringify(compared));
  assert.equal([estimate?.isAtLeast, estimate?.isExact], [false, false]);
});

test('a build says once what it will come to, and at its end by how much that was wrong', async () => {
  const rig = project();
  const first = await rig.build();
  assert.equal([estimatesOf(first), first.summary.estimate], [[], undefined], 'nothing was on record');
  rig.write({ 'datasets.config.ts': config({ maxSeqLength: 32 }) });
  const second = await rig.build({ afterEstimate: true });
  const [estimated, ...others] = estimatesOf(second);
  assert.is(others.length, 0);
  assert.is(second.summary.estimate?.tookMs, estimated?.tookMs);
  assert.is(second.summary.estimate?.error, (estimated?.tookMs ?? 0) / second.summary.tookMs - 1);
  assert.is(estimated?.targets['shards']?.steps, ranOf(second, 'shards'));
  assert.equal((await rig.build()).summary.estimate, undefined, 'nothing to do, nothing to estimate');
});

test('one edited line: one chunk, and what reads it', async () => {
  const rig = project();
  await rig.build();
  const text = lines(1000).split('\n');
  text[500] = JSON.stringify({ id: 'd500', text: words(12_345), body: '' });
  rig.write({ 'in/docs.jsonl': text.join('\n') });
  const { targets } = await statusOf(rig);
  const built = await rig.build();
  for (const { target, steps } of targets) {
    const ran = ranOf(built, target);
    assert.ok(Math.abs(steps.toRun - ran) <= 1, `${target}: ${steps.toRun} expected, ${ran} ran`);
  }
});

test('a build that will not fit on the disk says so before it goes on, and is not refused', async () => {
  const rig = project();
  await rig.build();
  const path = rig.path('.dsbuild/rates.json');
  const rates = readNote<{ targets: Record<string, { steps: Record<string, { bytesOut: number }> }> }>(path);
  for (const { steps } of Object.values(rates?.targets ?? {})) {
    for (const step of Object.values(steps)) step.bytesOut *= 1e12;
  }
  writeNote(path, rates);
  rig.write({ 'datasets.config.ts': config({ maxSeqLength: 32 }) });
  assert.ok(((await statusOf(rig)).estimate?.bytesOut ?? 0) > 1e15);
  const built = await rig.build({ afterEstimate: true });
  const warnings = built.events.flatMap((event) => (event.type === 'warning' ? [event] : []));
  assert.equal([built.summary.ok, warnings.map(({ code }) => code)], [true, ['disk-short']]);
  assert.match(warnings[0]?.message as string, /^this build will write ~[\d.]+ TB, and [\d.]+ [MGT]B are free on this disk$/);
});

test('what is on record may be gone, damaged or of another version: then nothing is estimated, and the build goes on', async () => {
  const other = (path: string): void => writeNote(path, { format: 999, kinds: { 'a/b': {} } });
  const damages = ['', '{"format":1,"kinds"', 'null'].map(
    (text) =>
      (path: string): void =>
        writeFileSync(path, text),
  );
  for (const spoil of [other, ...damages]) {
    const rig = project();
    rig.write({ '.dsbuild/rates.json': '' });
    spoil(rig.path('.dsbuild/rates.json'));
    assert.is((await statusOf(rig)).estimate, undefined);
    assert.ok((await rig.build()).summary.ok);
    assert.ok((await statusOf(rig)).estimate !== undefined, 'it is written anew');
  }
});

test.run();
