import { cpSync } from 'node:fs';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openProject } from '../../src/engine/project.ts';
import { why } from '../../src/engine/why.ts';
import { checkout, Rig } from './rig.ts';

const test = suite('why');

const sources = ['one', 'two', 'three'] as const;

const config = `import { defineConfig, download, filter, param, shard, tokenize } from 'dsbuild';
import { long } from './long.ts';
const raw = download({ sources: { 'a/one': 'in/one.jsonl', 'a/two': 'in/two.jsonl', 'a/three': 'in/three.jsonl' } });
const clean = filter(raw, { use: long({ charsMin: param('charsMin', 2) }) });
const tokens = tokenize(clean, { tokenizer: 'tokenizer', specialTokens: param('specialTokens', true) });
const shards = shard(tokens, { maxSeqLength: param('maxSeqLength', 16), labels: param('labels', 'shifted') === 'hf' ? 'hf' : 'shifted', out: 'out' });
export default defineConfig({ targets: { raw, clean, tokens, shards } });
`;
const filterModule = (comment: string): string => `import { defineFilter, drop, integer, keep } from 'dsbuild';
export const long = defineFilter({ name: 'long', options: { charsMin: integer() },
  decide: ({ text }, { charsMin }) => text.length < charsMin ? drop('${comment}') : keep });
`;
const line = (id: string, text: string): string => `${JSON.stringify({ id, text })}\n`;
const sourceText = (name: string, edits: number): string =>
  line(`${name}-1`, `the first line of ${name}`) + line(`${name}-2`, `its second, ${edits}`);

/** What goes into the project; each part of it belongs to the target that must name it, and to the words by which it names it. */
interface State {
  readonly edits: Readonly<Record<(typeof sources)[number], number>>;
  readonly params: Readonly<Record<'charsMin' | 'specialTokens' | 'maxSeqLength' | 'labels', string>>;
  readonly filter: string;
  readonly tokenizer: number;
}

const states = fc.record<State>({
  edits: fc.record({ one: fc.nat({ max: 2 }), two: fc.nat({ max: 2 }), three: fc.nat({ max: 2 }) }),
  params: fc.record({
    charsMin: fc.constantFrom('2', '5'),
    specialTokens: fc.constantFrom('true', 'false'),
    maxSeqLength: fc.constantFrom('16', '32'),
    labels: fc.constantFrom('shifted', 'hf'),
  }),
  filter: fc.constantFrom('short', 'too-short'),
  tokenizer: fc.nat({ max: 1 }),
});

type Names = Record<'raw' | 'clean' | 'tokens' | 'shards', string[]>;

/** The inputs and options that differ, by target. */
function changed(before: State, after: State): Names {
  const param = (name: keyof State['params'], shown: string): string[] => (before.params[name] === after.params[name] ? [] : [shown]);
  return {
    raw: sources.filter((name) => before.edits[name] !== after.edits[name]).map((name) => `in/${name}.jsonl`),
    clean: [...(before.filter === after.filter ? [] : ['long.ts']), ...param('charsMin', 'use[0].options.charsMin')],
    tokens: [...param('specialTokens', 'specialTokens'), ...(before.tokenizer === after.tokenizer ? [] : ['tokenizer/tokenizer.json'])],
    shards: [...param('labels', 'labels'), ...param('maxSeqLength', 'maxSeqLength')],
  };
}

function lay(rig: Rig, { edits, filter, tokenizer }: State): void {
  for (const name of sources) rig.write({ [`in/${name}.jsonl`]: sourceText(name, edits[name]) });
  const model = rigTokenizer('tokenizer.json');
  rig.write({
    'long.ts': filterModule(filter),
    // Another file with the same tokens: white space behind it changes its bytes.
    'tokenizer/tokenizer.json': Buffer.concat([model, Buffer.from('\n'.repeat(tokenizer))]),
    'tokenizer/tokenizer_config.json': rigTokenizer('tokenizer_config.json'),
  });
}

const tokenizerRig = new Rig(checkout('fixtures/tokenizers/tiny'));
const rigTokenizer = (name: string): Buffer => tokenizerRig.read(name);

const order = ['raw', 'clean', 'tokens', 'shards'] as const;

async function named(rig: Rig, target: string, { params }: State): Promise<{ fresh: boolean; names: string[]; input: boolean }> {
  const signal = new AbortController().signal;
  const project = await openProject({ cwd: rig.root, params, env: {}, emit() {}, signal });
  try {
    const { state, reasons } = await why(project, target);
    if (state === 'fresh') return { fresh: true, names: [], input: false };
    const names = reasons.filter((reason) => !/^input | is stale: /.test(reason)).map(nameIn);
    return { fresh: false, names: names.sort(), input: reasons.some((reason) => reason.startsWith('input ')) };
  } finally {
    project.close();
  }
}

function nameIn(reason: string): string {
  const found = /^source changed: (\S+\.jsonl)|^option (\S+): \S.* -> \S|^(\S+) changed$/.exec(reason);
  return found?.[1] ?? found?.[2] ?? found?.[3] ?? reason;
}

test('the inputs and options that it names are exactly those that were changed, whatever was changed', async () => {
  await fc.assert(
    fc.asyncProperty(fc.tuple(states, states), async ([before, after]) => {
      const rig = new Rig();
      rig.write({ 'datasets.config.ts': config });
      lay(rig, before);
      assert.equal((await rig.build({ params: before.params })).errors, []);
      lay(rig, after);
      const expected = changed(before, after);
      let upstream = false;
      for (const target of order) {
        const isStale: boolean = upstream || expected[target].length > 0;
        assert.equal(await named(rig, target, after), { fresh: !isStale, names: [...expected[target]].sort(), input: upstream }, target);
        upstream = isStale;
      }
    }),
    { numRuns: 25 },
  );
});

test('an option is named with what it was and what it is, a source with its lines', async () => {
  const rig = new Rig();
  const state: State = {
    edits: { one: 0, two: 0, three: 0 },
    params: { charsMin: '2', specialTokens: 'true', maxSeqLength: '16', labels: 'shifted' },
    filter: 'short',
    tokenizer: 0,
  };
  rig.write({ 'datasets.config.ts': config });
  lay(rig, state);
  await rig.build({ params: state.params });
  lay(rig, { ...state, edits: { ...state.edits, two: 1 } });
  const project = await openProject({
    cwd: rig.root,
    params: { ...state.params, maxSeqLength: '32' },
    env: {},
    emit() {},
    signal: new AbortController().signal,
  });
  try {
    assert.equal((await why(project, 'raw')).reasons, ['source changed: in/two.jsonl:2']);
    assert.ok((await why(project, 'shards')).reasons.includes('option maxSeqLength: 16 -> 32'));
  } finally {
    project.close();
  }
});

const manyLines = `import { defineConfig, download, filter, tokenize } from 'dsbuild';
import { long } from './long.ts';
const raw = download({ sources: { 'a/big': 'in/big.jsonl', 'b/*': 'in/small/*.jsonl' } });
const clean = filter(raw, { use: long({ charsMin: 2 }) });
export default defineConfig({ targets: { raw, clean }, chunking: { chunkSize: '8KB' } });
`;
const big = Array.from({ length: 600 }, (_, i) => line(`big-${i}`, `line ${i} of a large file, ${'of some length '.repeat(i % 7)}`));
const small = ['first', 'second'].map((name) => Array.from({ length: 5 }, (_, i) => line(`${name}-${i}`, `line ${i} of ${name}`)));

function layLines(rig: Rig, lines: readonly string[], [first = [], second = []]: readonly (readonly string[])[] = small): void {
  rig.write({
    'datasets.config.ts': manyLines,
    'long.ts': filterModule('short'),
    'in/big.jsonl': lines.join(''),
    'in/small/first.jsonl': first.join(''),
    'in/small/second.jsonl': second.join(''),
  });
}

const reasonsOf = (rig: Rig): Promise<readonly string[]> => rig.withProject(async (project) => (await why(project, 'raw')).reasons);

/** Runs of lines as places. */
function placesOf(path: string, numbers: readonly number[]): string[] {
  const isStart = (n: number): boolean => !numbers.includes(n - 1);
  const lastOf = (n: number): number => (numbers.includes(n + 1) ? lastOf(n + 1) : n);
  return numbers.filter(isStart).map((n) => `source changed: ${path}:${n}${lastOf(n) > n ? `-${lastOf(n)}` : ''}`);
}

test('of an edited source exactly the lines are named that were edited, as long as they are a few', async () => {
  const built = new Rig();
  layLines(built, big);
  assert.equal((await built.build()).errors, []);
  const edited = fc.uniqueArray(fc.nat({ max: big.length - 1 }), { minLength: 1, maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(edited, fc.string({ maxLength: 300 }), async (rows, text) => {
      layLines(
        built,
        big.map((old, i) => (rows.includes(i) ? line(`big-${i}`, `another ${i} ${text}`) : old)),
      );
      const numbers = rows.map((row) => row + 1).sort((a, b) => a - b);
      assert.equal(await reasonsOf(built), placesOf('in/big.jsonl', numbers));
    }),
    { numRuns: 15 },
  );
  layLines(built, [...big.slice(0, 300), line('new', 'an inserted line'), ...big.slice(300)]);
  assert.equal(await reasonsOf(built), ['source changed: in/big.jsonl:301']);
  layLines(built, [...big.slice(0, 300), ...big.slice(301)]);
  assert.equal(await reasonsOf(built), ['source changed: in/big.jsonl: 1 line is gone behind line 300']);
  layLines(built, big, [small[0] as string[], [...(small[1] as string[]).slice(0, 4), line('second-4', 'edited')]]);
  assert.equal(await reasonsOf(built), ['source changed: in/small/second.jsonl:5'], 'a file that shares its chunk with another');
  layLines(
    built,
    big.map((old, i) => (i % 60 === 0 ? line(`big-${i}`, 'edited') : old)),
  );
  const [first, ...others] = await reasonsOf(built);
  assert.equal([first, others.length, others.at(-1)], ['source changed: in/big.jsonl:1', 5, 'source changed: 5 more places']);
});

test('where nothing tells what the lines were the lines of the chunk are named', async () => {
  const rig = new Rig();
  layLines(rig, big);
  await rig.build({ targets: ['raw'] });
  layLines(rig, [line('big-0', 'edited'), ...big.slice(1)]);
  const [reason, ...others] = await reasonsOf(rig);
  assert.equal(others, []);
  assert.match(reason as string, /^source changed: in\/big\.jsonl, in lines 1-\d+$/, 'no target that reads them was built');
  layLines(rig, ['no record\n', ...big.slice(1)]);
  await rig.build();
  layLines(rig, ['no record\n', line('big-1', 'edited'), ...big.slice(2)]);
  assert.match((await reasonsOf(rig))[0] as string, /^source changed: in\/big\.jsonl, in lines 1-\d+$/, 'a bad line is in no memo');
});

/** Files by what they hold; none is empty. */
const texts = fc.constantFrom('first', 'second', 'third', 'fourth');
const folders = fc.uniqueArray(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd', 'e'), texts), {
  minLength: 1,
  maxLength: 5,
  selector: ([name]) => name,
});

test('the files of sources that are edited, new, gone and renamed are all named, and no other, whatever became of them', async () => {
  const contentOf = (text: string): string => Array.from({ length: 3 }, (_, i) => line(`${text}-${i}`, `line ${i} of ${text}`)).join('');
  await fc.assert(
    fc.asyncProperty(folders, folders, async (first, second) => {
      const rig = new Rig();
      const lay = (files: readonly (readonly [string, string])[]): void =>
        rig.write(Object.fromEntries(files.map(([name, text]) => [`in/${name}.jsonl`, contentOf(text)])));
      rig.write({
        'datasets.config.ts': `import { defineConfig, download, filter } from 'dsbuild';
import { long } from './long.ts';
const raw = download({ sources: { 'a/*': 'in/*.jsonl' } });
export default defineConfig({ targets: { raw, clean: filter(raw, { use: long({ charsMin: 2 }) }) } });
`,
        'long.ts': filterModule('short'),
      });
      lay(first);
      assert.equal((await rig.build()).errors, []);
      rig.remove('in');
      lay(second);
      const reasons = await reasonsOf(rig);
      const [before, now] = [new Map(first), new Map(second)];
      const names = [...new Set([...before.keys(), ...now.keys()])].sort();
      const differing = names.filter((name) => before.get(name) !== now.get(name)).map((name) => `in/${name}.jsonl`);
      assert.equal([...new Set(reasons.join(' ').match(/in\/\w\.jsonl/g) ?? [])].sort(), differing, reasons.join('; '));
      assert.ok(reasons.length > 0);
    }),
    { numRuns: 20 },
  );
});

test('a renamed, copied or removed source is named, in a build as in why', async () => {
  const rig = new Rig();
  const [first, second] = ['in/small/first.jsonl', 'in/small/second.jsonl'];
  const reset = (): void => {
    rig.remove('in');
    layLines(rig, big);
  };
  layLines(rig, big);
  await rig.build();
  const said = async (): Promise<readonly string[]> => {
    const reasons = await reasonsOf(rig);
    const { events } = await rig.build();
    assert.equal(
      events.flatMap((event) => (event.type === 'target-started' && event.target === 'raw' ? event.why : [])),
      reasons,
    );
    return reasons;
  };
  rig.write({ 'in/small/first2.jsonl': rig.read(first) });
  rig.remove(first);
  assert.equal(await said(), [`source renamed: ${first} -> in/small/first2.jsonl`]);
  reset();
  await rig.build();
  rig.remove(second);
  assert.equal(await said(), [`source gone: ${second} (5 lines)`]);
  reset();
  await rig.build();
  rig.write({ 'in/small/0.jsonl': rig.read(first) });
  assert.equal(await said(), ['source new: in/small/0.jsonl (5 lines)']);
});

test('a source that changed after its whole project was moved is that source, and no other one', async () => {
  const before = new Rig();
  layLines(before, big);
  await before.build();
  const rig = new Rig();
  cpSync(before.root, rig.root, { recursive: true, preserveTimestamps: true });
  before.remove('.');
  layLines(rig, [line('big-0', 'edited'), ...big.slice(1)]);
  assert.equal(await reasonsOf(rig), ['source changed: in/big.jsonl:1']);
});

test('behind a target that changed the root is named, with its lines', async () => {
  const rig = new Rig();
  layLines(rig, big);
  await rig.build();
  layLines(rig, [line('big-0', 'edited'), ...big.slice(1)]);
  const reasons = await rig.withProject(async (project) => (await why(project, 'clean')).reasons);
  assert.equal(reasons, ['input documents: raw is not fresh', 'raw is stale: source changed: in/big.jsonl:1']);
});

test.run();
