/** `dsbuild verify` on a real project, with what it is to find put there on purpose. */
import { closeSync, openSync, readFileSync, readSync, writeSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { VerifyItem } from '../../src/engine/api.ts';
import { TestProject, tinyTokenizer } from './project.ts';

const test = suite('verify');

const config = `import { command, defineConfig, download, filter, index, shard, tokenize } from 'dsbuild';
import { some } from './some.ts';

const raw = download({ sources: { 'text/docs': 'in/docs.jsonl', 'text/none': 'in/none.jsonl' } });
const clean = filter(command(raw, { run: ['python3', 'tool.py'], tools: ['tool.py'], version: '1' }), { use: some() });
const tokens = tokenize(clean, { tokenizer: ${JSON.stringify(tinyTokenizer)} });
const shards = shard(tokens, { maxSeqLength: 32, packTokens: 400, out: 'out' });
export default defineConfig({ targets: { raw, clean, tokens, shards, list: index(shards) }, chunking: { chunkSize: '1KB' } });
`;

const filters = `import { defineFilter, drop, keep } from 'dsbuild';
export const some = defineFilter({ name: 'some', options: {}, decide: ({ text }) => (text === 'nothing' ? drop('empty') : keep) });
`;

const pure = `import sys
for line in sys.stdin:
    sys.stdout.write(line)
`;

const line = (id: string, text: string): string => `${JSON.stringify({ id, text })}\n`;
const texts = (count: number): string[] => Array.from({ length: count }, (_, i) => `document number ${i} says hello to the world`);

interface Given {
  readonly docs?: readonly string[];
  readonly none?: readonly string[];
  readonly tool?: string;
}

/** A built project, given away when it is used. */
async function withBuilt(
  { docs = texts(60), none = texts(4), tool = pure }: Given,
  use: (project: TestProject) => Promise<void>,
): Promise<void> {
  const project = new TestProject();
  try {
    project.write('datasets.config.ts', config);
    project.write('some.ts', filters);
    project.write('tool.py', tool);
    project.write('in/docs.jsonl', docs.map((text, i) => line(`d${i}`, text)).join(''));
    project.write('in/none.jsonl', none.map((text, i) => line(`n${i}`, text)).join(''));
    assert.is((await project.build()).code, 0);
    await use(project);
  } finally {
    project.end();
  }
}

type Finding = Extract<VerifyItem, { type: 'finding' }>;
type Summary = Extract<VerifyItem, { type: 'summary' }>;

async function verify(project: TestProject, ...args: readonly string[]): Promise<{ code: unknown; findings: Finding[]; summary: Summary }> {
  const { code, events } = await project.start('verify', '--json', ...args).done;
  const items = events as unknown as VerifyItem[];
  const findings = items.filter((item): item is Finding => item.type === 'finding');
  return { code, findings, summary: items.at(-1) as Summary };
}

const shardFile = 'out/docs/shard_0000.parquet';

/** Another byte at a place of a file; nothing else of it changes. */
function flip(path: string, at: number): void {
  const fd = openSync(path, 'r+');
  const byte = Buffer.alloc(1);
  readSync(fd, byte, 0, 1, at);
  writeSync(fd, Buffer.from([(byte[0] as number) ^ 1]), 0, 1, at);
  closeSync(fd);
}

test('of a whole build every blob, file and row is read, and nothing is wrong', async () => {
  await withBuilt({}, async (project) => {
    const before = project.snapshot('.dsbuild/store');
    const { code, findings, summary } = await verify(project);
    assert.equal(findings, []);
    assert.is(code, 0);
    assert.is(summary.targets, 6);
    assert.is(summary.files, project.list('out').length);
    assert.is(summary.absent, 0);
    const rows = JSON.parse(project.read('out/manifest.json')) as { splits: Record<string, { sequences: number }> };
    assert.is(
      summary.rows,
      Object.values(rows.splits).reduce((sum, { sequences }) => sum + sequences, 0),
    );
    assert.equal(project.snapshot('.dsbuild/store'), before);
  });
});

test('a flipped byte in a pack of the store is found, and the next build that needs it makes it again', async () => {
  await withBuilt({}, async (project) => {
    const clean = project.snapshot();
    const [pack] = project.list('.dsbuild/store/v1/packs').filter((name) => name.endsWith('.pack')) as [string];
    const tokens = readFileSync(project.path(pack)).indexOf('DSTK');
    assert.ok(tokens > 0);
    flip(project.path(pack), tokens + 70);
    const { code, findings } = await verify(project);
    assert.is(code, 1);
    assert.equal(
      findings.map(({ code, target, where }) => [code, target, where]),
      [['damaged-blob', 'tokens', `${pack} at byte ${tokens}`]],
    );
    assert.is((await verify(project)).findings.length, 1, 'it changes nothing');
    project.edit('datasets.config.ts', (text) => text.replace('packTokens: 400', 'packTokens: 500'));
    assert.is((await project.build()).code, 0);
    project.edit('datasets.config.ts', (text) => text.replace('packTokens: 500', 'packTokens: 400'));
    assert.is((await project.build()).code, 0);
    assert.equal(project.snapshot(), clean);
    assert.equal((await verify(project)).findings, []);
  });
});

test('published files that are changed or missing are named', async () => {
  await withBuilt({}, async (project) => {
    flip(project.path(shardFile), 200);
    project.remove('out/none_stats.json');
    const { code, findings } = await verify(project, 'shards');
    assert.is(code, 1);
    assert.equal(
      findings.map(({ code, where }) => [code, where]),
      [
        ['changed-file', shardFile],
        ['missing-file', 'out/none_stats.json'],
      ],
    );
    project.remove(shardFile);
    assert.is((await project.build()).code, 0);
    assert.equal((await verify(project)).findings, []);
  });
});

test('a doubled BOS is found with file, row and source line, and a split without sequences', async () => {
  const docs = texts(60).map((text, i) => (i === 40 || i === 50 ? `<|begin|>${text}` : text));
  await withBuilt({ docs, none: ['nothing'] }, async (project) => {
    const { code, findings, summary } = await verify(project);
    assert.is(code, 1);
    assert.equal(findings.map(({ code }) => code).sort(), ['double-bos', 'empty-split']);
    const { where, row, count, source } = findings.find(({ code }) => code === 'double-bos') as Finding;
    assert.is(where, shardFile);
    assert.is(count, 2);
    // It may begin in the row's first document, or in a later one.
    assert.ok(source?.file === 'in/docs.jsonl' && source.line <= 41 && source.line >= 39);
    const rows = (await project.start('head', 'shards', '-n', '200').done).events as unknown as { input_ids: number[] }[];
    assert.ok(rows[row as number]?.input_ids.some((id, i, ids) => id === 2 && ids[i + 1] === 2));
    assert.is(summary.findings, 2);
    const text = project.startText('verify');
    assert.is(await text.done, 1);
    assert.match(text.text, /wrong {2}shards › out\/docs\/shard_0000\.parquet row \d+ {2}a document begins with two BOS .*and 1 more/);
  });
});

test('steps that are run again give the same bytes, and keep nothing', async () => {
  await withBuilt({}, async (project) => {
    const before = project.snapshot('.dsbuild/store');
    const { code, findings, summary } = await verify(project, '--rebuild', '1%');
    assert.equal(findings, []);
    assert.is(code, 0);
    assert.ok((summary.rebuilt?.steps ?? 0) >= 5);
    assert.ok((summary.rebuilt?.steps ?? 0) < (summary.rebuilt?.of ?? 0));
    assert.equal(project.snapshot('.dsbuild/store'), before);
    assert.equal(project.list('.dsbuild/tmp'), []);
    const all = await verify(project, '--rebuild', '100%');
    assert.equal(all.findings, []);
    assert.is(all.summary.rebuilt?.steps, all.summary.rebuilt?.of);
  });
});

test('a program that is not deterministic is found by running it again', async () => {
  const tool = `import json, os, sys
for line in sys.stdin:
    print(json.dumps({**json.loads(line), 'text': 'the number ' + os.urandom(8).hex()}))
`;
  await withBuilt({ tool }, async (project) => {
    const { code, findings } = await verify(project, 'clean', '--rebuild', '0.01');
    assert.is(code, 1);
    assert.equal(
      findings.map(({ code, target, step }) => [code, target, step]),
      [['not-deterministic', 'clean/command', 'execute']],
    );
    assert.equal((await verify(project)).findings, [], 'what was built is whole all the same');
    assert.is((await project.build('--json')).code, 0);
  });
});

test('what was never built is no mistake, and a share that is none is', async () => {
  const project = new TestProject();
  try {
    project.write('datasets.config.ts', config);
    project.write('some.ts', filters);
    project.write('tool.py', pure);
    const { code, summary } = await verify(project, 'shards');
    assert.is(code, 0);
    assert.is(summary.targets, 0);
    assert.is((await project.start('verify', '--rebuild', '0%').done).code, 2);
    assert.is((await project.start('verify', 'shard').done).code, 2);
  } finally {
    project.end();
  }
});

test.run();
