/** What `init` writes builds at once, whatever lies in the folder; and its questions in a terminal. */

import { gzipSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { errorsOf, ranInAll, TestProject } from './project.ts';
import { PtyTerminal } from './pty.ts';

const test = suite('init, end to end');

async function inProject(use: (project: TestProject) => Promise<void>): Promise<void> {
  const project = new TestProject();
  try {
    await use(project);
  } finally {
    project.end();
  }
}

async function inTerminal(project: TestProject, use: (terminal: PtyTerminal) => Promise<void>): Promise<void> {
  const terminal = new PtyTerminal(['init'], { cwd: project.dir, env: { HOME: project.home }, columns: 160, rows: 50 });
  try {
    await use(terminal);
  } finally {
    terminal.end();
  }
}

const lines = (records: readonly object[]): string => records.map((record) => `${JSON.stringify(record)}\n`).join('');
const documents = lines([{ id: 'a', text: 'One sentence.' }, { text: 'Another one.' }]);

function writeMixed(project: TestProject): void {
  project.write('web/en/a.jsonl', documents);
  project.write('web/de/b.jsonl.gz', gzipSync(lines([{ text: 'Ein Satz.' }])));
  project.write('chats/talk.jsonl', lines([{ id: 7, messages: [{ role: 'user', content: 'Hello' }] }, { messages: [] }]));
  project.write('pairs.jsonl', lines([{ prompt: 'One and one?', completion: 'Two.', level: 1 }]));
  project.write('notes/keep.parquet', 'PAR1');
}

test('a folder with documents, chats, pairs and compressed files is built at once, and nothing of it twice', () =>
  inProject(async (project) => {
    writeMixed(project);
    assert.is(await project.startText('init', '--yes', '--want', 'both', '--ci', 'github').done, 0);
    const built = await project.build();
    assert.equal(errorsOf(built), []);
    assert.is(built.code, 0);
    const { documentsOut, dropped, quarantined } = built.summary.targets['raw'] as NonNullable<(typeof built.summary.targets)[string]>;
    assert.equal({ documentsOut, dropped, quarantined }, { documentsOut: 5, dropped: { 'adapted-away': 1 }, quarantined: 0 });
    assert.ok(project.has('out/shards/manifest.json'));
    assert.equal(Object.keys(JSON.parse(project.read('out/shards/manifest.json')).splits).sort(), ['de', 'en', 'pairs', 'talk']);
    assert.is(ranInAll(await project.build()), 0);
  }));

test('an adapter of all files of a folder is not that of a folder below which has a source of its own', () =>
  inProject(async (project) => {
    project.write('in/talk.jsonl', lines([{ messages: [{ role: 'user', content: 'Hello' }] }]));
    project.write('in/web/a.jsonl', documents);
    assert.is(await project.startText('init', '--yes', '--want', 'text').done, 0);
    assert.match(project.read('datasets.config.ts'), "'in/*': files('in/*.jsonl', { adapt: chat })");
    const { summary } = await project.build();
    assert.is(summary.targets['raw']?.documentsOut, 3);
    assert.equal(summary.targets['raw']?.dropped, {});
  }));

test('the samples are built at once', () =>
  inProject(async (project) => {
    assert.is(await project.startText('init', '--yes').done, 0);
    const { code, summary } = await project.build();
    assert.is(code, 0);
    assert.is(summary.targets['tokens']?.documentsOut, 200);
  }));

test('questions are asked in a terminal, a wrong answer again, and what was answered is built', () =>
  inProject(async (project) => {
    writeMixed(project);
    await inTerminal(project, async (terminal) => {
      await terminal.shows(/found web: 2 files of JSONL, \d+ B, documents/);
      await terminal.shows(/found chats: 1 file of JSONL, \d+ B, chats \(messages\)/);
      await terminal.shows(/found notes: 1 file of Parquet, which is not read as it is/);
      await terminal.shows(/Where is your data.*\[web, chats, pairs\.jsonl\]:$/m);
      terminal.keys('nowhere\r');
      await terminal.shows(/nowhere is not there\nWhere is your data.*:$/m);
      terminal.keys('web, chats\r');
      await terminal.shows(/What do you want.*:$/m);
      terminal.keys('\r');
      await terminal.shows(/Tokenizer.*\[npm:@lenml\/tokenizer-gpt2\]:$/m);
      terminal.keys('sample\r');
      await terminal.shows(/Tokens in a training sequence \[1024\]:$/m);
      // Typed ahead: each line answers the question that comes next.
      terminal.keys('64\r5 apples\r100MB\r');
      await terminal.shows(/a size such as 500MB or 2GB/);
      await terminal.shows(/Does your trainer shift the labels itself\?[\s\S]*Labels: shifted or hf \[shifted\]:$/m);
      terminal.keys('hf\r');
      await terminal.shows(/Shared cache on S3.*\[none\]:$/m);
      terminal.keys('\r');
      await terminal.shows(/GitHub Actions: github or none \[none\]:$/m);
      terminal.keys('github\r');
      assert.is(await terminal.done, 0);
      assert.match(terminal.scrollback, /wrote {2}\.github\/workflows\/datasets\.yml/);
      assert.match(terminal.scrollback, /The tokenizer is a toy/);
    });
    assert.match(project.read('datasets.config.ts'), "maxSeqLength: 64, labels: 'hf', shardSize: '100MB'");
    assert.not.match(project.read('datasets.config.ts'), 'pairs');
    assert.is((await project.build()).code, 0);
  }));

for (const [what, keys] of [
  ['Ctrl-C', '\u0003'],
  ['the end of the input', '\u0004'],
] as const) {
  test(`${what} at a question ends it, and nothing is written`, () =>
    inProject(async (project) => {
      await inTerminal(project, async (terminal) => {
        await terminal.shows(/Where is your data/);
        terminal.keys(keys);
        assert.is(await terminal.done, 130);
      });
      assert.equal(project.list('.'), []);
    }));
}

test('without a terminal nothing is asked', () =>
  inProject(async (project) => {
    const run = project.startText('init');
    assert.is(await run.done, 0);
    assert.not.match(run.text, /\?/);
    assert.ok(project.has('datasets.config.ts'));
  }));

test.run();
