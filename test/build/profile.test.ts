/** `dsbuild profile`: the trace of a run as a viewer reads it. */
import { readdirSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { TraceEvent } from '../../src/report/profile.ts';
import { TestProject, tinyTokenizer } from './project.ts';

const test = suite('profile');

const config = `import { command, defineConfig, download, shard, tokenize } from 'dsbuild';
const raw = download({ sources: { 'text/docs': 'in/*.jsonl' } });
const tokens = tokenize(command(raw, { run: ['python3', 'tool.py'], tools: ['tool.py'], version: '1' }), { tokenizer: ${JSON.stringify(tinyTokenizer)} });
export default defineConfig({ targets: { raw, tokens, shards: shard(tokens, { maxSeqLength: 16, out: 'out' }) }, chunking: { chunkSize: '1KB' } });
`;

const good = `import sys
for line in sys.stdin:
    sys.stdout.write(line)
`;

async function withProject(tool: string, use: (project: TestProject) => Promise<void>): Promise<void> {
  const project = new TestProject();
  try {
    project.write('datasets.config.ts', config);
    project.write('tool.py', tool);
    const line = (i: number): string => `${JSON.stringify({ id: `d${i}`, text: `document number ${i} says hello` })}\n`;
    project.write('in/a.jsonl', Array.from({ length: 60 }, (_, i) => line(i)).join(''));
    await use(project);
  } finally {
    project.end();
  }
}

interface Trace {
  readonly displayTimeUnit: string;
  readonly traceEvents: readonly TraceEvent[];
}

async function profileOf(project: TestProject, ...args: readonly string[]): Promise<Trace> {
  const running = project.startText('profile', ...args);
  assert.is(await running.done, 0);
  return JSON.parse(running.text) as Trace;
}

/** Complete events of a lane of steps. */
const stepsOf = ({ traceEvents }: Trace): TraceEvent[] => traceEvents.filter(({ ph, tid }) => ph === 'X' && tid >= 10);

test('every step that ran is in a lane with target, bytes and counters; scans, publishing and targets are beside them', async () => {
  await withProject(good, async (project) => {
    const { summary } = await project.build();
    const trace = await profileOf(project);
    const steps = stepsOf(trace);
    assert.is(steps.length, summary.steps.ran);
    const encode = steps.find(({ name }) => name === 'encode');
    assert.is(encode?.cat, 'tokens');
    assert.equal(Object.keys(encode?.args ?? {}), ['target', 'how', 'bytesIn', 'bytesOut', 'counters']);
    assert.ok((encode?.args?.['bytesIn'] as number) > 0 && (encode?.dur as number) > 0);
    for (const tid of new Set(steps.map(({ tid }) => tid))) {
      const lane = steps.filter((step) => step.tid === tid).sort((a, b) => (a.ts as number) - (b.ts as number));
      // Times are rounded to microseconds.
      for (const [i, { ts }] of lane.entries())
        assert.ok(i === 0 || (ts as number) + 2 >= (lane[i - 1]?.ts as number) + (lane[i - 1]?.dur as number));
    }
    const { traceEvents } = trace;
    const begun = traceEvents.filter(({ ph }) => ph === 'b');
    assert.equal(begun.map(({ name }) => name).sort(), ['raw', 'shards', 'tokens', 'tokens/command']);
    for (const { id, ts } of begun)
      assert.ok((traceEvents.find((event) => event.ph === 'e' && event.id === id)?.ts as number) >= (ts as number));
    assert.ok(traceEvents.some(({ ph, name }) => ph === 'X' && name === 'scan raw'));
    assert.ok(traceEvents.some(({ ph, name }) => ph === 'X' && /^publish .*out$/.test(name)));
    const named = new Set(traceEvents.filter(({ name }) => name === 'thread_name').map(({ tid }) => tid));
    assert.ok(traceEvents.every(({ ph, tid }) => ph === 'M' || named.has(tid)));
    const endUs = Math.max(...traceEvents.map(({ ts = 0, dur = 0 }) => ts + dur));
    // Microseconds, not milliseconds, whatever the machine did in between.
    assert.ok(endUs <= (summary.tookMs + 60_000) * 1000);
  });
});

test('a failed step and a failed target are seen as such, and --output writes a file', async () => {
  await withProject("import sys\nsys.exit('no')\n", async (project) => {
    assert.is((await project.build()).code, 1);
    const running = project.startText('profile', '--output', 'trace.json');
    assert.is(await running.done, 0);
    assert.match(running.text, /trace\.json: open it in ui\.perfetto\.dev/);
    const { traceEvents } = JSON.parse(project.read('trace.json')) as Trace;
    assert.ok(
      traceEvents.some(
        ({ name, args }) => name === 'execute (failed)' && (args?.['error'] as { code: string } | undefined)?.code === 'command-failed',
      ),
    );
    assert.is(traceEvents.find(({ ph, name }) => ph === 'b' && name === 'tokens/command')?.args?.['how'], 'failed');
    assert.is((await project.start('profile', '-o', 'no/such/folder/x.json').done).code, 2);
  });
});

test('an earlier run is found by its name, a record that was cut off is shown, and one without times is refused', async () => {
  await withProject(good, async (project) => {
    await project.build();
    await project.build();
    const [first] = readdirSync(project.path('.dsbuild/runs')).sort() as [string];
    assert.ok(stepsOf(await profileOf(project, first)).length > 0);
    assert.is(stepsOf(await profileOf(project)).length, 0);
    const file = `.dsbuild/runs/${first}/events.jsonl`;
    const lines = project.read(file).split('\n');
    const cut = lines.findIndex((line) => line.includes('"step-started"'));
    project.write(file, `${lines.slice(0, cut + 1).join('\n')}\n{"type":"step-fin`);
    assert.match(stepsOf(await profileOf(project, first))[0]?.name ?? '', /\(not ended\)$/);
    project.edit(file, (text) => text.replaceAll(/,"ms":[\d.]+\}/g, '}'));
    assert.is((await project.start('profile', first).done).code, 1);
  });
});

test.run();
