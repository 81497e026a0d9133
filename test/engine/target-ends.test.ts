import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { BuildEvent, BuildSummary } from '../../src/base/events.ts';
import { build } from '../../src/engine/build.ts';
import { openProject } from '../../src/engine/project.ts';
import { apply, emptyView } from '../../src/report/state.ts';
import { outcomeLine } from '../../src/report/summary.ts';
import { inlineRunner, Rig } from './rig.ts';

const test = suite('how targets end');

/** Passes documents on, or goes wrong as its options say. */
const rule = `import { defineRule, defineStep, integer, many, text } from 'dsbuild';
const work = defineStep('work', { version: 1 }, async ({ chunk }, { pace, fault }, io) => {
  for (let i = 0; i < pace; i++) await new Promise((resolve) => setImmediate(resolve));
  if (fault === 'step') throw new Error('the step broke');
  const records = io.records();
  for (const { line } of io.documents(chunk)) records.write(line);
  records.close();
});
export const node = defineRule({
  name: 'node', version: 1, inputs: { from: many('documents') }, output: 'documents', steps: [work],
  options: { pace: integer(), fault: text(), salt: integer() },
  async plan({ from }, options, build) {
    if (options.fault === 'never') await new Promise(() => {});
    if (options.fault === 'plan') throw new Error('the plan broke');
    for (const input of Object.values(from)) for await (const chunk of input) build.emit(build.step(work, { chunk }, options));
    if (options.fault === 'end') throw new Error('the plan broke at its end');
  },
});
`;

/** A graph of them, from a parameter. */
const config = `import { defineConfig, download, param } from 'dsbuild';
import { node } from './node.ts';
const raw = download({ sources: { 'x/a': 'in/a.jsonl', 'x/b': 'in/b.jsonl', 'x/c': 'in/c.jsonl' } });
const targets = { raw };
for (const [i, { needs, ...options }] of JSON.parse(param('nodes', '[]')).entries()) {
  const from = Object.fromEntries(needs.map((need) => ['n' + need, need === 0 ? raw : targets['t' + need]]));
  targets['t' + (i + 1)] = node(from, options);
}
export default defineConfig({ targets });
`;

interface Node {
  /** 0 is the source, others are the nodes before it, from 1. */
  readonly needs: readonly number[];
  readonly pace: number;
  readonly fault: 'none' | 'plan' | 'step' | 'end' | 'never';
  /** Nodes of equal salt and pace ask for equal steps. */
  readonly salt: number;
}

const nodes = fc
  .array(
    fc.record({
      needs: fc.array(fc.nat(100), { minLength: 1, maxLength: 3 }),
      pace: fc.nat(4),
      fault: fc.constantFrom<Node['fault']>('none', 'none', 'none', 'plan', 'step', 'end'),
      salt: fc.nat(1),
    }),
    { minLength: 1, maxLength: 7 },
  )
  .map((all): Node[] => all.map((node, i) => ({ ...node, needs: [...new Set(node.needs.map((need) => need % (i + 1)))] })));

interface Told {
  readonly events: readonly BuildEvent[];
  readonly summary: BuildSummary;
}

/** @param interruptAt the event, from 0, at which Ctrl-C is pressed. */
async function told(graph: readonly Node[], { keepGoing, interruptAt }: { keepGoing: boolean; interruptAt: number }): Promise<Told> {
  const rig = new Rig();
  const lines = (word: string): string => `${JSON.stringify({ text: word })}\n`.repeat(3);
  rig.write({ 'datasets.config.ts': config, 'node.ts': rule });
  rig.write({ 'in/a.jsonl': lines('apple'), 'in/b.jsonl': lines('berry'), 'in/c.jsonl': lines('cherry') });
  const events: BuildEvent[] = [];
  const interrupt = new AbortController();
  const emit = (event: BuildEvent): void => {
    events.push(event);
    if (events.length === interruptAt + 1) interrupt.abort();
  };
  const params = { nodes: JSON.stringify(graph) };
  const project = await openProject({ cwd: rig.root, params, env: {}, emit, signal: interrupt.signal });
  try {
    const summary = await build(project, { targets: [], keepGoing }, () => inlineRunner());
    for (let i = 0; i < 10; i++) await new Promise((resolve) => setImmediate(resolve));
    return { events, summary };
  } finally {
    project.close();
  }
}

type End = Extract<BuildEvent, { type: 'target-finished' | 'target-failed' | 'target-blocked' | 'target-stopped' }>;
const isEnd = (event: BuildEvent): event is End =>
  ['target-finished', 'target-failed', 'target-blocked', 'target-stopped'].includes(event.type);

function wordsOf(event: End): string {
  if (event.type === 'target-blocked') return `${event.target} blocked by ${event.by}`;
  return event.type === 'target-stopped' ? `${event.target} stopped: ${event.because}` : `${event.target} ${event.type}`;
}

function assertEndsOnce({ events, summary }: Told): void {
  assert.is(events.at(-1), summary, 'nothing is told after the summary');
  const [started] = events;
  assert.ok(started?.type === 'build-started');
  for (const name of started.targets) {
    const own = events.filter((event) => 'target' in event && event.target === name && (isEnd(event) || event.type === 'target-started'));
    assert.is(own.filter(isEnd).length, 1, `${name}: ${own.map(({ type }) => type).join(' ') || 'nothing'}`);
    assert.ok(isEnd(own.at(-1) as BuildEvent), `${name} is begun before it ends`);
  }
}

function assertCounts({ events, summary }: Told): void {
  const { steps } = summary;
  const count = (is: (event: BuildEvent) => boolean): number => events.filter(is).length;
  assert.is(
    steps.ran,
    count((event) => event.type === 'step-finished' && event.how === 'ran'),
  );
  assert.is(
    steps.failed,
    count((event) => event.type === 'step-failed' && event.final),
  );
  const view = emptyView();
  for (const event of events) apply(view, event, 0);
  const line = outcomeLine(view, summary);
  const said = (word: string): number =>
    Number(new RegExp(`(\\d+)(?: targets?)? ${word}`).exec(line.replace(/.*? steps? ran/, ''))?.[1] ?? 0);
  assert.is(
    said('built'),
    count((event) => event.type === 'target-finished' && event.how === 'built'),
    line,
  );
  assert.is(
    said('failed'),
    count((event) => event.type === 'target-failed'),
    line,
  );
  assert.is(
    said('not built'),
    count((event) => event.type === 'target-blocked'),
    line,
  );
  assert.is(
    said('stopped'),
    count((event) => event.type === 'target-stopped'),
    line,
  );
}

/** Who is said to have failed has a fault, and who is said to be blocked needs one that can not be built. */
function assertTrue({ events, summary }: Told, graph: readonly Node[], { keepGoing }: { keepGoing: boolean }): void {
  const ends = new Map(events.filter(isEnd).map((event) => [event.target, event]));
  const isBad = (name: string): boolean => ['target-failed', 'target-blocked'].includes(ends.get(name)?.type ?? '');
  for (const [i, { needs, fault }] of graph.entries()) {
    const end = ends.get(`t${i + 1}`) as End;
    const bad = needs.map((need) => (need === 0 ? 'raw' : `t${need}`)).filter(isBad);
    if (end.type === 'target-failed') assert.is.not(fault, 'none', end.error.message);
    if (end.type === 'target-blocked') assert.ok(bad.includes(end.by), `${end.target} is blocked by ${end.by}`);
    if (end.type === 'target-finished') assert.equal([fault, bad], ['none', []]);
    if (end.type === 'target-stopped') assert.ok(summary.interrupted || !keepGoing, `${end.target} is stopped by nothing`);
    if (end.type === 'target-stopped') assert.equal(bad, [], `${end.target} is blocked, not stopped`);
  }
  const hasFailed = [...ends.values()].some(({ type }) => type === 'target-failed');
  assert.is(summary.ok, [...ends.values()].every(({ type }) => type === 'target-finished') && !summary.interrupted);
  if (!hasFailed) assert.is(summary.steps.failed, 0, 'no step failed where no target did');
}

test('whatever fails in whatever graph, and whenever it is interrupted, each target ends once, before the summary, which counts them', async () => {
  const interruptAt = fc.option(fc.nat(30), { nil: Number.POSITIVE_INFINITY });
  const cases = fc.asyncProperty(nodes, fc.boolean(), interruptAt, async (graph, keepGoing, at) => {
    const outcome = await told(graph, { keepGoing, interruptAt: at });
    assertEndsOnce(outcome);
    assertCounts(outcome);
    assertTrue(outcome, graph, { keepGoing });
  });
  await fc.assert(cases, { numRuns: 20, includeErrorInReport: true });
});

test('a plan that waits for ever when another target fails is stopped, and what needs it too', async () => {
  const node = { pace: 0, salt: 0 } as const;
  const graph: Node[] = [
    { ...node, needs: [0], fault: 'never' },
    { ...node, needs: [0], fault: 'step' },
    { ...node, needs: [1], fault: 'none' },
    { ...node, needs: [1, 2], fault: 'none' },
  ];
  const outcome = await told(graph, { keepGoing: false, interruptAt: Number.POSITIVE_INFINITY });
  assertEndsOnce(outcome);
  assert.equal(outcome.events.filter(isEnd).map(wordsOf), [
    'raw target-finished',
    't2 target-failed',
    't1 stopped: t2 failed',
    't3 stopped: t2 failed',
    't4 blocked by t2',
  ]);
});

test('nothing has failed in a build that was interrupted', async () => {
  const graph: Node[] = [{ needs: [0], pace: 4, fault: 'none', salt: 0 }];
  const first = await told(graph, { keepGoing: false, interruptAt: Number.POSITIVE_INFINITY });
  const interruptAt = first.events.findIndex((event) => event.type === 'step-started');
  const { events, summary } = await told(graph, { keepGoing: false, interruptAt });
  assert.equal([summary.ok, summary.interrupted, summary.steps.failed], [false, true, 0]);
  assert.equal(
    events.filter(({ type }) => type === 'target-failed' || type === 'step-failed'),
    [],
  );
  assert.equal(events.filter(isEnd).map(wordsOf).at(-1), 't1 stopped: the build was interrupted');
});

test.run();
