/** `dsbuild trace` as people type it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { TraceItem } from '../../src/engine/trace/items.ts';
import { type Outcome, ran, TestProject, tinyTokenizer } from './project.ts';

const test = suite('trace, end to end');

const config = `import { command, defineConfig, download, filter, shard, tokenize } from 'dsbuild';
import { short } from './short.ts';
const raw = download({ sources: { 'docs/a': 'in/a.jsonl', 'docs/b': 'in/b.jsonl' }, badRecordShareMax: 1 });
const clean = filter(raw, { use: short() });
const shouted = command(clean, { run: ['tr', 'q', 'Q'], version: '1' });
const shards = shard(tokenize(clean, { tokenizer: 'tokenizer' }), { maxSeqLength: 32, packTokens: 400, out: 'out' });
export default defineConfig({ targets: { raw, clean, shouted, shards }, chunking: { chunkSize: '1KB' } });
`;
const filter = `import { defineFilter, drop, keep } from 'dsbuild';
export const short = defineFilter({ name: 'short', options: {}, decide: ({ text }) => (text.length < 8 ? drop('too-short') : keep) });
`;

const line = (id: string, text: string): string => `${JSON.stringify({ id, text })}\n`;
const lines = (name: string, count: number): string =>
  Array.from({ length: count }, (_, i) => line(`${name}${i}`, `document ${i} of ${name} with quite a few words`)).join('');

function laidOut(): TestProject {
  const project = new TestProject();
  project.copyIn(tinyTokenizer, 'tokenizer');
  project.write('datasets.config.ts', config);
  project.write('short.ts', filter);
  project.write('in/a.jsonl', `${lines('a', 40)}${line('s', 'short')}not json\n\n${lines('c', 5)}`);
  project.write('in/b.jsonl', lines('b', 12));
  return project;
}

async function withProject(use: (project: TestProject) => Promise<void>): Promise<void> {
  const project = laidOut();
  try {
    assert.is((await project.build()).code, 0);
    await use(project);
  } finally {
    project.end();
  }
}

const items = ({ events }: Outcome): TraceItem[] => events as unknown as TraceItem[];
const traced = async (project: TestProject, place: string): Promise<TraceItem[]> =>
  items(await project.start('trace', place, '--json').done);

interface Said {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** What a person sees. */
async function said(project: TestProject, ...args: readonly string[]): Promise<Said> {
  const program = new URL('../../bin/dsbuild.js', import.meta.url).pathname;
  const child = spawn(process.execPath, [program, 'trace', ...args], { cwd: project.dir, env: { PATH: process.env['PATH'] } });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout, stderr };
}

test('a row is told piece by piece, with file, line, id, tokens and text', async () => {
  await withProject(async (project) => {
    const { code, stdout } = await said(project, 'shards:0');
    assert.is(code, 0);
    const [head, first] = stdout.split('\n') as [string, string];
    assert.match(head, /^shards sequence 0 {2}out\/a\/shard_0000.parquet row 0 {2}of docs\/a {2}\(from 0, of \d+\)$/);
    assert.match(first, /^ {2}tokens 0-\d+ {2}in\/a.jsonl:1 {2}its tokens 0-\d+ {2}a0 {2}"document 0 of a with quite a few words"$/);
  });
});

test('a line is told with every row that holds it; a row of the published file is the same as that of its target', async () => {
  await withProject(async (project) => {
    const held = (await traced(project, 'in/b.jsonl:12')).flatMap((item) => (item.type === 'held' ? [item] : []));
    assert.equal(
      held
        .map(({ target }) => target)
        .filter((target) => !target.startsWith('shards'))
        .sort(),
      ['clean', 'raw', 'shouted'],
    );
    const [row] = held.filter(({ target }) => target === 'shards');
    assert.ok(row?.file);
    assert.equal((await traced(project, `${row.file}:${row.fileRow}`)).slice(1), (await traced(project, `shards:${row.row}`)).slice(1));
    const sources = (await traced(project, `shards:${row.row}`)).flatMap((item) => (item.type === 'span' ? [item.source] : []));
    assert.ok(sources.some((source) => source?.file === 'in/b.jsonl' && source.line === 12));
  });
});

test('lines that were left out say where and why', async () => {
  await withProject(async (project) => {
    assert.match((await said(project, 'in/a.jsonl:41')).stdout, /clean rejected {2}too-short/);
    assert.match((await said(project, 'in/a.jsonl:42')).stdout, /raw quarantined: not-json/);
    assert.match((await said(project, 'in/a.jsonl:43')).stdout, /raw blank/);
  });
});

test('after an edit only what it touched is made again, and the answers are those of a clean build', async () => {
  await withProject(async (project) => {
    project.edit('in/a.jsonl', (text) => text.replace('document 20 of a', 'another beginning of document 20 in').replace('"a5"', '"a5x"'));
    project.edit('in/b.jsonl', (text) => line('new', 'a line that was put before all others') + text);
    const built = await project.build();
    assert.is(built.code, 0);
    assert.ok((ran(built)['raw check'] ?? 0) < 6);
    const other = laidOut();
    for (const name of ['in/a.jsonl', 'in/b.jsonl']) other.copyIn(project.path(name), name);
    try {
      assert.is((await other.build()).code, 0);
      for (const place of ['shards:0', 'shards:7', 'in/b.jsonl:1', 'in/a.jsonl:21', 'clean.rejected:0']) {
        assert.equal(await traced(project, place), await traced(other, place), place);
      }
    } finally {
      other.end();
    }
  });
});

test('a source that was deleted is still named, and said to be gone', async () => {
  await withProject(async (project) => {
    project.remove('in/a.jsonl');
    const { code, stdout } = await said(project, 'shards:0');
    assert.is(code, 0);
    assert.match(stdout, /in\/a.jsonl:1 /);
    assert.match(stdout, /note: in\/a.jsonl is gone/);
  });
});

test('what a program wrote is counted in order, and said to be', async () => {
  await withProject(async (project) => {
    assert.match((await said(project, 'shouted:3')).stdout, /in\/a.jsonl:4 {2}\(counted: /);
  });
});

const refused: readonly [place: string, code: number, says: RegExp][] = [
  ['shards:9999', 2, /shards has \d+ sequences/],
  ['shardz:0', 2, /Did you mean "shards"/],
  ['shards', 2, /names no row/],
  ['in/a.jsonl:9999', 2, /in\/a.jsonl has 48 lines/],
];

test('what is not there is refused with the exit code of a wrong command line', async () => {
  await withProject(async (project) => {
    for (const [place, code, says] of refused) {
      const answer = await said(project, place);
      assert.is(answer.code, code, place);
      assert.match(answer.stderr, says);
    }
    project.remove('.dsbuild');
    assert.is((await said(project, 'shards:0')).code, 1);
  });
});

test('a reader that goes away early ends it quietly', async () => {
  await withProject(async (project) => {
    const program = new URL('../../bin/dsbuild.js', import.meta.url).pathname;
    const child = spawn(process.execPath, [program, 'trace', 'shards:0', '--json'], {
      cwd: project.dir,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stdout.destroy();
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    const [code] = (await once(child, 'close')) as [number | null];
    assert.equal([code, stderr], [0, '']);
  });
});

test.run();
