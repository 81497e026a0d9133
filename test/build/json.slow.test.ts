// time limit: 120 s
/** What each command writes with `--json`, by the real program, is as its schema in schemas/ says. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { faults } from '../schema-check.ts';
import { schemaFile, schemaFiles, schemaOf } from '../schemas.ts';
import { TestProject, tinyTokenizer } from './project.ts';

const test = suite('json');

const config = (charsMin: number): string => `import { defineConfig, download, filter, index, shard, tokenize } from 'dsbuild';
import { long } from './long.ts';
const raw = download({ sources: { 'text/docs': 'in/docs.jsonl' }, badRecordShareMax: 0.5 });
const clean = filter(raw, { use: long({ charsMin: ${charsMin} }) });
const tokens = tokenize(clean, { tokenizer: ${JSON.stringify(tinyTokenizer)} });
const shards = shard(tokens, { maxSeqLength: 16, out: 'out' });
export default defineConfig({ targets: { raw, clean, tokens, shards, manifest: index(shards) } });
`;
const filterModule = `import { defineFilter, drop, integer, keep } from 'dsbuild';
export const long = defineFilter({ name: 'long', options: { charsMin: integer() },
  decide: ({ text }, { charsMin }) => text.length < charsMin ? drop('short') : keep });
`;
const line = (id: string, text: string): string => `${JSON.stringify({ id, text })}\n`;
const documents = Array.from({ length: 40 }, (_, i) => line(`d${i}`, i % 9 === 0 ? 'tiny' : `document number ${i} of some length`)).join(
  '',
);

/** Commands that were held against their schemas. */
const seen = new Set<string>();

function assertFits(command: string, value: unknown): void {
  seen.add(command);
  assert.equal(faults(value, schemaOf(command)), [], `${command}: ${JSON.stringify(value)?.slice(0, 500)}`);
}

/** Runs a command line; each line that it writes fits the schema of its command. */
async function write(project: TestProject, ...args: readonly string[]): Promise<void> {
  const run = project.startText(...args, '--json');
  await run.done;
  const [first = '', second = ''] = args;
  const command = first === 'cache' && second !== '' ? `cache ${second}` : first;
  assert.ok(run.text !== '', `${args.join(' ')} wrote nothing`);
  // A trace for Perfetto is one object over many lines.
  const values = command === 'profile' ? [run.text] : run.text.trimEnd().split('\n');
  for (const value of values) assertFits(command, JSON.parse(value));
}

async function withProject(use: (project: TestProject) => Promise<void>): Promise<void> {
  const project = new TestProject();
  try {
    project.write('datasets.config.ts', config(8));
    project.write('long.ts', filterModule);
    project.write('in/docs.jsonl', `${documents}no record\n`);
    await use(project);
  } finally {
    project.end();
  }
}

/** Each command, in all the ways in which what it writes differs. */
const lines: readonly string[] = [
  'status',
  'build',
  'build -n --force',
  'build shards --force -j 1',
  'build nothing-of-that-name',
  'status',
  'why raw',
  'graph',
  'head clean -n 2',
  'head clean --rejected',
  'head raw --rejected',
  'head tokens -n 1',
  'head shards --random --seed 1',
  'trace shards:0',
  'trace in/docs.jsonl:1',
  'trace in/docs.jsonl:2',
  'stats',
  'stats clean shards',
  'verify --rebuild 50%',
  'diff',
  'logs',
  'logs --runs',
  'profile',
  'profile -o trace.json',
  'update',
  'clean -n',
  'doctor',
  'cache',
  'cache stats',
  'cache gc -n',
  'cache ls',
  'cache push',
  'cache pull',
  'cache keygen',
  'run tokenize --input in --output run-out --tokenizer ./nowhere',
];

test('what each command writes fits its schema, errors included', () =>
  withProject(async (project) => {
    for (const given of lines) await write(project, ...given.split(' '));
    project.write('datasets.config.ts', config(9));
    project.edit('in/docs.jsonl', (text) => text.replace('number 7', 'number seven'));
    for (const given of ['status', 'why raw', 'why clean', 'build', 'diff', 'verify']) await write(project, ...given.split(' '));
    project.remove('out/docs');
    await write(project, 'status');
    await write(project, 'verify');
    project.remove('datasets.config.ts');
    await write(project, 'init', '--yes');
    await write(project, 'init', '--yes');
    const watching = project.start('watch', '--json');
    await watching.says(({ type }) => type === 'watching');
    watching.interrupt();
    for (const event of (await watching.done).events) assertFits('watch', event);
    assert.equal([...seen].map(schemaFile).sort(), schemaFiles(), 'none was left out');
  }));

test.run();
