/** `dsbuild diff`: what runs left, compared. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { DiffItem } from '../../src/engine/api.ts';
import { TestProject, tinyTokenizer } from './project.ts';

const test = suite('diff');

const config = `import { command, defineConfig, download, filter, param, shard, tokenize } from 'dsbuild';
import { long } from './long.ts';

const raw = download({ sources: { 'text/docs': 'in/docs.jsonl', 'text/more': 'in/more.jsonl' } });
const made = command(raw, { run: ['python3', 'tool.py'], tools: ['tool.py'], version: '1' });
const clean = filter(made, { use: long({ charactersMin: param('charactersMin', 4) }) });
const tokens = tokenize(clean, { tokenizer: ${JSON.stringify(tinyTokenizer)} });
export default defineConfig({ targets: { raw, made, clean, tokens, shards: shard(tokens, { maxSeqLength: 16, out: 'out' }) } });
`;

/** Its filter reads the very chunks of the sources: it remembers what lines they had. */
const plainConfig = `import { defineConfig, download, filter } from 'dsbuild';
import { long } from './long.ts';
const raw = download({ sources: { 'text/docs': 'docs.jsonl', 'text/more': 'more.jsonl' } });
export default defineConfig({ targets: { raw, clean: filter(raw, { use: long({ charactersMin: 4 }) }) } });
`;

const filters = `import { defineFilter, drop, integer, keep } from 'dsbuild';
export const long = defineFilter({
  name: 'long',
  options: { charactersMin: integer() },
  decide: ({ text }, { charactersMin }) => (text.length >= charactersMin ? keep : drop('short')),
});
`;

/** Its output is not its input to the byte: else the store would hold what the sources were. */
const tool = `import sys
for line in sys.stdin:
    sys.stdout.write(line.replace('","', '", "'))
`;

const line = (id: string, text: string): string => `${JSON.stringify({ id, text })}\n`;
const docs = (count: number): string => Array.from({ length: count }, (_, i) => line(`d${i}`, `document number ${i}`)).join('');

async function withBuilt(use: (project: TestProject) => Promise<void>): Promise<void> {
  const project = new TestProject();
  try {
    project.write('datasets.config.ts', config);
    project.write('long.ts', filters);
    project.write('tool.py', tool);
    project.write('in/docs.jsonl', docs(20));
    project.write('in/more.jsonl', line('m0', 'more of it'));
    assert.is((await project.build()).code, 0);
    await use(project);
  } finally {
    project.end();
  }
}

async function diff(project: TestProject, ...args: readonly string[]): Promise<DiffItem[]> {
  const { code, events } = await project.start('diff', '--json', ...args).done;
  assert.is(code, 0);
  return events as unknown as DiffItem[];
}

type Group = Extract<DiffItem, { type: 'group' }>;
const groupsIn = (items: readonly DiffItem[]): Group[] => items.filter((item): item is Group => item.type === 'group');

test('documents that were added, removed and changed are counted and shown; a group in which nothing changed is not', async () => {
  await withBuilt(async (project) => {
    project.edit('in/docs.jsonl', (text) =>
      text
        .replace(line('d3', 'document number 3'), '')
        .replace('document number 7', 'document number seven')
        .concat(line('new', 'a new one')),
    );
    assert.is((await project.build()).code, 0);
    const items = await diff(project, 'made');
    assert.equal(
      items.map((item) => (item.type === 'sample' ? [item.is, item.id, item.textBefore, item.text] : [item.type])),
      [
        ['group'],
        ['changed', 'd7', 'document number 7', 'document number seven'],
        ['added', 'new', undefined, 'a new one'],
        ['removed', 'd3', undefined, 'document number 3'],
      ],
    );
    const [{ group, before, after, changes }] = groupsIn(items) as [Group];
    assert.is(group, 'text/docs');
    assert.equal([before.documents, after.documents], [20, 20]);
    assert.equal(changes, { added: 1, removed: 1, changed: 1 });
    const running = project.startText('diff', 'made', '--samples', '0');
    assert.is(await running.done, 0);
    assert.match(running.text, /^20\S+ -> 20\S+\nmade text\/docs {2}\+1 -1 ~1 documents {2}\(20 -> 20 documents\)\n$/);
  });
});

type Lost = Extract<DiffItem, { type: 'lost' }>;
const told = (items: readonly DiffItem[], name: string): unknown[] =>
  items.flatMap((item) => {
    if (item.type === 'sample' && item.target === name) return [[item.is, item.id, item.text]];
    return item.type === 'lost' && item.target === name ? [['lost', item.place, item.hash]] : [];
  });
const hashOf = (text: string): string => createHash('sha256').update(text.trimEnd()).digest('hex').slice(0, 32);

test('of a source that was edited in place new documents are shown, and old ones by line and hash', async () => {
  await withBuilt(async (project) => {
    project.write('plain/config.ts', plainConfig);
    const build = () => project.start('build', '--json', '-f', 'plain/config.ts').done;
    project.write('plain/long.ts', filters);
    project.write('plain/docs.jsonl', docs(20));
    project.write('plain/more.jsonl', line('m0', 'more of it'));
    assert.is((await build()).code, 0);
    project.edit('plain/docs.jsonl', (text) =>
      text
        .replace(line('d3', 'document number 3'), '')
        .replace('document number 7', 'document number seven')
        .concat(line('new', 'a new one')),
    );
    assert.is((await build()).code, 0);
    const items = await diff(project, '-f', 'plain/config.ts');
    const expected = [
      ['added', 'd7', 'document number seven'],
      ['added', 'new', 'a new one'],
      ['lost', 'docs.jsonl:4', hashOf(line('d3', 'document number 3'))],
      ['lost', 'docs.jsonl:8', hashOf(line('d7', 'document number 7'))],
    ];
    for (const name of ['raw', 'clean']) {
      assert.equal(told(items, name), expected, name);
      const group = groupsIn(items).find(({ target }) => target === name) as Group;
      assert.equal(group.changes, { added: 2, removed: 2, changed: 0 });
      assert.match(group.note ?? '', 'edited in place');
    }
    const { text } = await project.say('diff', 'raw', '-f', 'plain/config.ts', '--samples', '1');
    assert.match(
      text,
      /\+2 -2 documents.*edited in place.*\n {2}\+ d7 {2}"document number seven"\n {2}- docs\.jsonl:4 as it was {2}its text is gone; SHA-256 [0-9a-f]{32}…\n$/,
    );
  });
});

test('a source that was edited again since the build is told as such', async () => {
  await withBuilt(async (project) => {
    project.append('in/more.jsonl', line('m1', 'still more of it'));
    await project.build();
    project.edit('in/more.jsonl', (text) => text.replace('still', 'STILL'));
    const [group] = groupsIn(await diff(project, 'raw'));
    assert.match(group?.note ?? '', /some of what it is now.* is no longer on this machine/);
  });
});

test('of a source to which lines were appended nothing is lost', async () => {
  await withBuilt(async (project) => {
    project.append('in/more.jsonl', line('m1', 'still more of it'));
    await project.build();
    const items = await diff(project, 'clean', 'made');
    assert.equal(told(items, 'clean'), [['added', 'm1', 'still more of it']]);
    assert.equal(
      items.filter((item): item is Lost => item.type === 'lost'),
      [],
    );
  });
});

test('where nothing remembers what the lines of an edited source were only the figures are known, and it says so; tokens and shards are counted', async () => {
  await withBuilt(async (project) => {
    project.edit('in/docs.jsonl', (text) =>
      text.replace('document number 7', 'document number seven').concat(line('newer', 'a newer one')),
    );
    assert.is((await project.build()).code, 0);
    const groups = groupsIn(await diff(project));
    const of = (name: string): Group => groups.find(({ target }) => target === name) as Group;
    assert.equal(
      groups.map(({ target }) => target),
      ['raw', 'made', 'clean', 'tokens', 'shards'],
    );
    assert.is(of('raw').changes, undefined);
    assert.match(of('raw').note ?? '', /no longer on this machine/);
    assert.is(of('raw').after.documents - of('raw').before.documents, 1);
    assert.equal(of('clean').changes, { added: 1, removed: 0, changed: 1 });
    assert.ok(of('tokens').after.tokens > of('tokens').before.tokens);
    assert.is(of('shards').after.tokens, of('tokens').after.tokens);
  });
});

test('another option of a filter shows the documents that it lets through, and where the others went', async () => {
  await withBuilt(async (project) => {
    assert.is((await project.build('--set', 'charactersMin=11')).code, 0);
    const items = await diff(project, 'clean', 'clean.rejected', '--set', 'charactersMin=11');
    assert.equal(
      items.flatMap((item) => (item.type === 'sample' ? [[item.target, item.is, item.id]] : [])),
      [
        ['clean', 'removed', 'm0'],
        ['clean.rejected', 'added', 'm0'],
      ],
    );
  });
});

test('it compares with the newest run that left something else, or with the one that is named', async () => {
  await withBuilt(async (project) => {
    assert.is((await project.start('diff', '--json').done).code, 1, 'one run is nothing to compare with');
    project.append('in/more.jsonl', line('m1', 'still more of it'));
    await project.build();
    await project.build();
    assert.is(groupsIn(await diff(project, 'made'))[0]?.changes?.added, 1);
    const { text } = await project.startText('logs', '--runs').done.then(() => ({ text: project.list('.dsbuild/runs') }));
    const runs = [...new Set(text.map((path) => path.split('/')[2] as string))].sort();
    assert.equal(groupsIn(await diff(project, runs.at(-2) as string)), []);
    assert.is(groupsIn(await diff(project, runs[0] as string, 'made')).length, 1);
    assert.is((await project.start('diff', '--json', runs[0] as string, 'mad').done).code, 2);
    assert.is((await project.start('diff', '--json', 'nonsense').done).code, 2);
  });
});

test('a git revision is the newest run at that commit; where none was made it says so', async () => {
  await withBuilt(async (project) => {
    const git = (...args: readonly string[]): string =>
      execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@example.com', ...args], {
        cwd: project.dir,
        encoding: 'utf8',
        stdio: 'pipe',
      });
    git('init', '-q');
    git('commit', '-q', '--allow-empty', '-m', 'one');
    await project.build();
    git('commit', '-q', '--allow-empty', '-m', 'two');
    git('commit', '-q', '--allow-empty', '-m', 'three');
    project.append('in/more.jsonl', line('m1', 'still more of it'));
    await project.build();
    assert.equal(groupsIn(await diff(project, 'HEAD~2', 'made'))[0]?.changes, { added: 1, removed: 0, changed: 0 });
    assert.equal(groupsIn(await diff(project, 'HEAD')), []);
    const running = project.start('diff', '--json', 'HEAD~1');
    const { code, stderr, events } = await running.done;
    assert.is(code, 2);
    assert.match(stderr + JSON.stringify(events), /no run on record was made at HEAD~1/);
  });
});

test('what was cleaned is named as such', async () => {
  await withBuilt(async (project) => {
    project.append('in/more.jsonl', line('m1', 'still more of it'));
    await project.build();
    assert.is(await project.startText('clean', '--all', '--yes').done, 0);
    await project.build();
    assert.is((await project.start('diff', '--json').done).code, 1, 'the records are gone as well');
  });
});

test('runs of some groups or of a sample are compared with their like only, or where they are named', () =>
  withBuilt(async (project) => {
    project.edit('in/docs.jsonl', (text) => text + line('d20', 'document number 20'));
    const built = await project.build();
    const counts = async (...args: readonly string[]): Promise<Record<string, [number, number]>> =>
      Object.fromEntries(
        groupsIn(await diff(project, 'made', ...args)).map(({ group, before, after }) => [group, [before.documents, after.documents]]),
      );
    const changed = { 'text/docs': [20, 21] };
    assert.equal(await counts(), changed);
    const part = await project.build('--only', 'text/more');
    await project.build('--sample', '1');
    assert.equal(await counts(), changed, 'the whole is compared with the whole');
    assert.is((await project.start('trace', '--json', 'in/docs.jsonl:3').done).code, 0);
    project.edit('in/more.jsonl', (text) => text + line('m1', 'and more'));
    await project.build('--only', 'text/more');
    assert.equal(await counts(), changed);
    const named = groupsIn(await diff(project, part.summary.run, 'made'));
    assert.equal(
      named.map(({ group, before, after }) => [group, before.documents, after.documents]),
      [['text/more', 1, 2]],
    );
    assert.match((await project.say('logs', '--runs')).text, /--only 'text\/more'[^\n]*\n[^\n]*--sample 1 /);
    assert.is(built.summary.only, undefined);
  }));

test.run();
