// time limit: 180 s
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { TestProject, tinyTokenizer } from './project.ts';
import { PtyTerminal } from './pty.ts';

const test = suite('watch in a terminal');

const config = `import { defineConfig, download, files, shard, tokenize } from 'dsbuild';
const raw = download({ sources: { 'custom/notes': files('in/**/*.jsonl') } });
const tokens = tokenize(raw, { tokenizer: ${JSON.stringify(tinyTokenizer)} });
export default defineConfig({ targets: { raw, tokens, shards: shard(tokens, { maxSeqLength: 16, out: 'out' }) } });
`;
const line = (text: string): string => `${JSON.stringify({ id: text, text })}\n`;

async function watched(use: (project: TestProject, terminal: PtyTerminal) => Promise<void>): Promise<void> {
  const project = new TestProject();
  project.write('datasets.config.ts', config);
  project.write('in/a.jsonl', line('the first note') + line('a second one'));
  const terminal = new PtyTerminal(['watch'], { cwd: project.dir, env: { HOME: project.home } });
  try {
    await use(project, terminal);
  } finally {
    terminal.end();
    project.end();
  }
}

test('an edit is seen and built, a built target can be opened with its rows, and q ends with 0', () =>
  watched(async (project, terminal) => {
    await terminal.shows(/^watching in/m);
    await terminal.shows(/^dsbuild {2}.*\n> . raw .*\n {2}. └ tokens .*\n {2}. {3}└ shards /m);
    project.append('in/a.jsonl', line('and a third'));
    await terminal.shows(/raw: \+1 document/);
    await terminal.shows(/tokens: \+1 document, \+\d+ tokens?/);
    await terminal.shows(/^watching in[^\n]*\ndsbuild {2}/m);
    terminal.keys('\r');
    await terminal.shows(
      /raw {2}download {2}datasets\.config\.ts:2[\s\S]*3 records[\s\S]*first rows[\s\S]*the first note[\s\S]*and a third/,
    );
    terminal.keys('q');
    assert.is(await terminal.done, 0);
    assert.not.match(terminal.screen, /q quit/);
    assert.match(terminal.scrollback, /changed: in\/a\.jsonl/);
  }));

test('r builds again, and a mistake in the config is shown above the view', () =>
  watched(async (project, terminal) => {
    await terminal.shows(/^watching in/m);
    project.remove('out');
    terminal.keys('r');
    await terminal.until(() => project.has('out'), 'what was taken away is there again');
    project.write('datasets.config.ts', config.replace('{ raw, tokens', '{ raw, tokns'));
    await terminal.shows(/tokns/);
    await terminal.shows(/q quit/);
    project.write('datasets.config.ts', config.replace('maxSeqLength: 16', 'maxSeqLength: 32'));
    await terminal.shows(/option maxSeqLength: 16 -> 32/);
    terminal.keys('\u0003');
    assert.is(await terminal.done, 130);
  }));

test.run();
