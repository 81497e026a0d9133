import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { engine } from '../../src/cli/engine.ts';
import { graphDot, graphJson, graphMermaid, graphTree } from '../../src/cli/show-graph.ts';
import type { GraphTarget } from '../../src/graph/graph.ts';
import { run, words } from './console.ts';

const test = suite('graph');

interface Need {
  readonly from: GraphTarget;
  readonly output: string;
}

const target = (name: string, rule: string, { needs = [], out }: { needs?: readonly Need[]; out?: string } = {}): GraphTarget =>
  ({
    name,
    rule: { name: rule, output: rule === 'filter' ? { kept: 'documents', rejected: 'documents' } : 'documents' },
    where: `datasets.config.ts:${name.length}`,
    out,
    inputs: needs,
  }) as unknown as GraphTarget;

const main = (from: GraphTarget): Need => ({ from, output: from.rule.name === 'filter' ? 'kept' : 'main' });

const raw = target('raw', 'download');
const clean = target('clean', 'filter', { needs: [main(raw)] });
const shards = target('shards', 'shard', { needs: [main(clean)], out: '/project/out' });
const dropped = target('dropped', 'export', { needs: [{ from: clean, output: 'rejected' }, main(raw)], out: '/project/a "b"' });
const all = [raw, clean, shards, dropped];

interface Drawn {
  /** Lines of text in each box. */
  readonly boxes: string[][];
  readonly arrows: [from: string, to: string, label: string][];
}

/** Reads the part of DOT that is written: statements of nodes and edges with a label, between the braces. */
function readDot(lines: readonly string[]): Drawn {
  assert.is(lines[0], 'digraph dsbuild {');
  assert.is(lines.at(-1), '}');
  const label = String.raw`(?: \[label="((?:[^"\\]|\\["\\n])*)"\])?`;
  const node = new RegExp(`^  (t\\d+)${label};$`);
  const edge = new RegExp(`^  (t\\d+) -> (t\\d+)${label};$`);
  const plain = (text = ''): string => text.replace(/\\(["\\])/g, '$1');
  const drawn: Drawn = { boxes: [], arrows: [] };
  for (const line of lines.slice(1, -1)) {
    if (/^ {2}(rankdir=LR|node \[shape=box\]);$/.test(line)) continue;
    const [, from, to, text] = edge.exec(line) ?? [];
    if (from !== undefined) drawn.arrows.push([from, to as string, plain(text)]);
    else {
      const found = node.exec(line);
      assert.ok(found, line);
      drawn.boxes.push((found[2] as string).split(/(?<=(?:^|[^\\])(?:\\\\)*)\\n/).map(plain));
    }
  }
  return drawn;
}

/** Reads the part of Mermaid's flowcharts that is written, where nothing in quotes may be a quote, and entities stand for characters. */
function readMermaid(lines: readonly string[]): Drawn {
  assert.is(lines[0], 'flowchart LR');
  const plain = (text = ''): string => text.replace(/#(\d+);/g, (_, code) => String.fromCodePoint(Number(code)));
  const drawn: Drawn = { boxes: [], arrows: [] };
  for (const line of lines.slice(1)) {
    const [, from, text, to] = /^ {2}(t\d+) -->(?:\|"([^"|]*)"\|)? (t\d+)$/.exec(line) ?? [];
    if (from !== undefined) drawn.arrows.push([from, to as string, plain(text)]);
    else {
      const found = /^ {2}(t\d+)\["([^"[\]]*)"\]$/.exec(line);
      assert.ok(found, line);
      drawn.boxes.push((found[2] as string).split('<br>').map(plain));
    }
  }
  return drawn;
}

const expected: Drawn = {
  boxes: [
    ['raw', 'download'],
    ['clean', 'filter'],
    ['shards', 'shard', '-> out'],
    ['dropped', 'export', '-> a "b"'],
  ],
  arrows: [
    ['t0', 't1', ''],
    ['t1', 't2', ''],
    ['t1', 't3', 'rejected'],
    ['t0', 't3', ''],
  ],
};

test('each target is drawn with what it needs below it, and nothing twice', () => {
  assert.equal(graphTree(all, '/project'), [
    'shards  shard -> out  (datasets.config.ts:6)',
    '└─ clean  filter  (datasets.config.ts:5)',
    '   └─ raw  download  (datasets.config.ts:3)',
    'dropped  export -> a "b"  (datasets.config.ts:7)',
    '├─ clean  (above)',
    '└─ raw  download  (datasets.config.ts:3)',
  ]);
});

test('Mermaid and DOT have a box for each target, and an arrow the way the data goes, named where it is not the main output', () => {
  assert.equal(readMermaid(graphMermaid(all, '/project')), expected);
  assert.equal(readDot(graphDot(all, '/project')), expected);
});

test('no name can end a text in Mermaid or DOT, or begin another one', () => {
  const name = fc.string({ unit: fc.constantFrom('a', '"', '\\', '[', ']', '|', '<', '#', ';', '`', '{', '\n', 'é', '中', ' ') });
  fc.assert(
    fc.property(name, name, (first, second) => {
      const from = target(first, 'download');
      const both = [from, target(second, 'shard', { needs: [main(from)] })];
      const oneLine = (text: string): string => text.replaceAll('\n', ' ');
      const boxes = [
        [first, 'download'],
        [second, 'shard'],
      ];
      assert.equal(readMermaid(graphMermaid(both, '/project')), { boxes, arrows: [['t0', 't1', '']] });
      assert.equal(
        readDot(graphDot(both, '/project')).boxes,
        boxes.map((box) => box.map(oneLine)),
      );
    }),
  );
});

test('JSON has each target with its rule, place, folder and inputs', () => {
  assert.equal(graphJson([raw, dropped], '/project'), {
    targets: [
      { target: 'raw', rule: 'download', where: 'datasets.config.ts:3', inputs: [] },
      {
        target: 'dropped',
        rule: 'export',
        where: 'datasets.config.ts:7',
        out: 'a "b"',
        inputs: [
          { target: 'clean', output: 'rejected' },
          { target: 'raw', output: 'main' },
        ],
      },
    ],
  });
});

test("this repository's own graph is shown in each form", async () => {
  const cwd = new URL('../..', import.meta.url).pathname;
  const said = async (line: string): Promise<string[]> => {
    const { code, stdout } = await run(words(line), { engine, cwd });
    assert.is(code, 0);
    return stdout.trimEnd().split('\n');
  };
  assert.match((await said('graph shards')).join('\n'), /^shards {2}shard -> out\/shards {2}\(datasets\.config\.ts:\d+\)\n└─ tokens/m);
  const drawn = readMermaid(await said('graph --format mermaid'));
  assert.equal(readDot(await said('graph --format dot')), drawn);
  const { targets } = JSON.parse((await said('graph --json')).join('')) as { targets: { inputs: unknown[] }[] };
  assert.is(targets.length, drawn.boxes.length);
  assert.is(targets.flatMap(({ inputs }) => inputs).length, drawn.arrows.length);
  assert.ok(drawn.arrows.some(([, , label]) => label === 'rejected'));
});

test('a form that there is not is an error', async () => {
  const { code, stderr } = await run(words('graph --format mermaids'), { engine });
  assert.is(code, 2);
  assert.match(stderr, '--format must be one of tree, mermaid, dot, but is "mermaids". Did you mean "mermaid"?');
});

test.run();
