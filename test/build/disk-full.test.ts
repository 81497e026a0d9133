import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { skip } from '../skip.ts';
import { dice, sentence } from './matrix.ts';
import { errorsOf, TestProject } from './project.ts';

const test = suite('a full disk');

const documents = 40_000;

const config = (source: string): string => `import { defineConfig, download, exportDataset } from 'dsbuild';
const raw = download({ sources: { 'm/all': ${JSON.stringify(source)} } });
const whole = exportDataset(raw, { format: 'jsonl', out: 'out/whole' });
const texts = exportDataset(raw, { format: 'jsonl', fields: ['text'], out: 'out/texts' });
export default defineConfig({ targets: { raw, whole, texts }, chunking: { chunkSize: '1MB' } });
`;

/** Two of each: what a chunk became, and the file that is made of them. */
const smallSize = '110m';

test('a disk that fills up gives one clear error, publishes nothing half, and loses nothing: with more space the build goes on', async () => {
  const disk = mkdtempSync(join(tmpdir(), 'dsbuild-disk-'));
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${smallSize}`, 'tmpfs', disk]);
  if (mounted.status !== 0) {
    rmSync(disk, { recursive: true });
    return skip('a small tmpfs can not be mounted: run as root');
  }
  const elsewhere = new TestProject();
  try {
    const roll = dice(8);
    const lines = Array.from({ length: documents }, (_, i) => JSON.stringify({ id: `${i}`, text: `${sentence(roll, 300)} ${i}` }));
    elsewhere.write('all.jsonl', `${lines.join('\n')}\n`);
    const project = new TestProject(disk);
    project.write('datasets.config.ts', config(elsewhere.path('all.jsonl')));

    const full = await project.build();
    assert.is(full.code, 1);
    const [error, ...more] = errorsOf(full);
    assert.is(error?.code, 'disk-full');
    assert.match(error?.hint ?? '', 'shardSize');
    assert.equal(more, []);
    for (const name of project.list('out')) assert.ok(/^out\/(whole|texts)\/m\/all\.jsonl$/.test(name), name);

    execFileSync('mount', ['-o', 'remount,size=500m', disk]);
    const next = await project.build();
    assert.equal(errorsOf(next), []);
    assert.is(next.code, 0, next.stderr);
    assert.ok(next.summary.steps.hit > 0, 'what had ended before was kept');
    assert.is(project.read('out/whole/m/all.jsonl'), `${lines.join('\n')}\n`);
    assert.is(project.read('out/texts/m/all.jsonl').split('\n').length, documents + 1);
    assert.is((await project.build()).summary.steps.ran, 0);
  } finally {
    execFileSync('umount', ['--lazy', disk]);
    rmSync(disk, { recursive: true });
    elsewhere.end();
  }
});

test.run();
