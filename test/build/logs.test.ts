/** `dsbuild logs`: what runs said, told again from their records. */
import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { RecordedEvent } from '../../src/report/recorded.ts';
import { stable } from '../recordings.ts';
import { TestProject } from './project.ts';

const test = suite('logs');
const program = fileURLToPath(new URL('../../bin/dsbuild.js', import.meta.url));

const config = `import { command, defineConfig, download, exportDataset } from 'dsbuild';
const raw = download({ sources: { 'text/docs': 'in/*.jsonl' } });
const marked = command(raw, { run: ['python3', 'tool.py'], tools: ['tool.py'], version: '1', retries: 1 });
export default defineConfig({ targets: { raw, marked, files: exportDataset(marked, { format: 'jsonl', out: 'out' }) } });
`;

const good = `import sys
for line in sys.stdin:
    sys.stdout.write(line)
`;
const bad = `import sys
sys.exit('the model file is missing')
`;

async function withProject(tool: string, use: (project: TestProject) => Promise<void>): Promise<void> {
  const project = new TestProject();
  try {
    project.write('datasets.config.ts', config);
    project.write('tool.py', tool);
    project.write('in/a.jsonl', `${JSON.stringify({ id: 'a', text: 'one' })}\n{"no": "text"}\n`.repeat(3));
    project.edit('datasets.config.ts', (text) => text.replace("'in/*.jsonl' }", "'in/*.jsonl' }, badRecordShareMax: 1"));
    await use(project);
  } finally {
    project.end();
  }
}

async function said(project: TestProject, ...args: readonly string[]): Promise<{ code: unknown; text: string }> {
  const running = project.startText(...args);
  const code = await running.done;
  return { code, text: running.text };
}

/** Two clocks are read a moment apart, and what takes a second for one may take less for the other. */
const withoutTimes = ({ code, text }: { code: unknown; text: string }) => ({ code, text: stable(text) });

test('it says word for word what the run said, warnings and summary included', async () => {
  await withProject(good, async (project) => {
    const build = await said(project, 'build', '--plain');
    assert.is(build.code, 0);
    assert.match(build.text, /warning .*bad record/);
    assert.equal(withoutTimes(await said(project, 'logs')), withoutTimes(build));
    const again = await said(project, 'build', '--plain');
    assert.match(again.text, /fresh/);
    assert.equal(withoutTimes(await said(project, 'logs')), withoutTimes(again));
  });
});

test('of a target it says what concerns that one, and names those that there are', async () => {
  await withProject(good, async (project) => {
    await said(project, 'build', '--plain');
    const { text } = await said(project, 'logs', 'marked', '--steps');
    assert.match(text, /^\d.* s {2}marked {2}execute ran · /);
    assert.match(text, /\nmarked +built /);
    assert.not.match(text, /raw|done in/);
    assert.equal(await said(project, 'logs', 'markd'), { code: 2, text: '' });
  });
});

test('--failed shows each attempt with the end of stderr, and what to do', async () => {
  await withProject(bad, async (project) => {
    assert.is((await said(project, 'build', '--plain')).code, 1);
    const { code, text } = await said(project, 'logs', '--failed');
    assert.is(code, 0);
    assert.match(
      text,
      /marked {2}step "execute" failed, attempt 1[\s\S]*the model file is missing[\s\S]*attempt 2[\s\S]*the model file is missing/,
    );
    assert.match(text, /files +not built +needs marked/);
    assert.not.match(text, /raw /);
    project.write('datasets.config.ts', 'this is no config');
    assert.match((await said(project, 'logs', 'marked', '--failed')).text, /the model file is missing/, 'a broken config is no hindrance');
  });
});

test('runs are listed, an earlier one is told by the beginning of its name, and one that was cut off too', async () => {
  await withProject(bad, async (project) => {
    await said(project, 'build');
    project.write('tool.py', good);
    await said(project, 'build');
    const [newest, oldest] = (await said(project, 'logs', '--runs')).text.split('\n') as [string, string];
    assert.match(newest, /^\S+ {2}\S+ \S+ {2}done · 3 targets · /);
    assert.match(oldest, /^\S+ {2}\S+ \S+ {2}failed · /);
    const [run] = oldest.split(' ') as [string];
    assert.match((await said(project, 'logs', '--run', run.slice(0, -1))).text, /the model file is missing/);
    assert.is((await said(project, 'logs', '--run', '1999')).code, 2);
    assert.is((await said(project, 'logs', '--run', '2')).code, 2, 'two begin with it');
    project.remove(`.dsbuild/runs/${run}/summary.json`);
    project.append(`.dsbuild/runs/${run}/events.jsonl`, '{"type":"note","mess');
    assert.match((await said(project, 'logs', '--runs')).text, /cut off before its end/);
    assert.is((await said(project, 'logs', '--run', run)).code, 0);
  });
});

test('each event has its time, which never falls; a record without times is told as well', async () => {
  await withProject(good, async (project) => {
    await said(project, 'build');
    const events = (await project.start('logs', '--json').done).events as readonly RecordedEvent[];
    assert.is(events.at(-1)?.type, 'summary');
    const times = events.map(({ ms }) => ms as number);
    assert.equal(
      times,
      [...times].sort((a, b) => a - b),
    );
    const summary = events.at(-1) as { tookMs: number; ms: number };
    assert.ok(summary.ms >= summary.tookMs * 0.5);
    const [run] = readdirSync(project.path('.dsbuild/runs')) as [string];
    project.edit(`.dsbuild/runs/${run}/events.jsonl`, (text) => text.replaceAll(/,"ms":[\d.]+\}/g, '}'));
    assert.match((await said(project, 'logs')).text, /done in/);
  });
});

test('a reader that goes away ends it well, and a project without runs says so', async () => {
  await withProject(good, async (project) => {
    assert.is((await said(project, 'logs')).code, 1);
    await said(project, 'build');
    const [run] = readdirSync(project.path('.dsbuild/runs')) as [string];
    const note = `${JSON.stringify({ type: 'note', message: 'x'.repeat(1000), ms: 1 })}\n`;
    project.append(`.dsbuild/runs/${run}/events.jsonl`, note.repeat(5000));
    const code = await new Promise((resolve) => {
      const pipe = `"${process.execPath}" "${program}" logs --json | head -1; exit \${PIPESTATUS[0]}`;
      execFile('bash', ['-c', pipe], { cwd: project.dir }, (error, stdout, stderr) =>
        resolve([error?.code ?? 0, stdout.length > 0, stderr]),
      );
    });
    assert.equal(code, [0, true, '']);
  });
});

test.run();
