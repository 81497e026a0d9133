import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openProject } from '../../src/engine/project.ts';
import { status } from '../../src/engine/status.ts';
import { why } from '../../src/engine/why.ts';
import { type Built, checkout, Rig } from './rig.ts';

const test = suite('what is wrong in out');

const config = `import { defineConfig, download, exportDataset, filter, index, param, shard, tokenize } from 'dsbuild';
import { long } from './long.ts';
const raw = download({ sources: { 'a/one': 'in/one.jsonl', 'b/two': 'in/two.jsonl' } });
const clean = filter(raw, { use: long({ charsMin: param('charsMin', 2) }), out: 'out/clean' });
const text = exportDataset(clean, { format: 'jsonl', each: 'group', out: 'out/text' });
const shards = shard(tokenize(clean, { tokenizer: 'tokenizer' }), { maxSeqLength: 16, out: 'out/shards' });
export default defineConfig({ targets: { raw, clean, text, shards, train: index(shards) } });
`;
const filterModule = `import { defineFilter, drop, integer, keep } from 'dsbuild';
export const long = defineFilter({ name: 'long', options: { charsMin: integer() },
  decide: ({ text }, { charsMin }) => text.length < charsMin ? drop('short') : keep });
`;
const line = (id: string, text: string): string => `${JSON.stringify({ id, text })}\n`;

function project(): Rig {
  const rig = new Rig();
  const tokenizer = new Rig(checkout('fixtures/tokenizers/tiny'));
  rig.write({
    'datasets.config.ts': config,
    'long.ts': filterModule,
    'in/one.jsonl': line('1', 'short') + line('2', 'a line that is long enough'),
    'in/two.jsonl': line('3', 'also long enough to stay'),
    'tokenizer/tokenizer.json': tokenizer.read('tokenizer.json'),
    'tokenizer/tokenizer_config.json': tokenizer.read('tokenizer_config.json'),
  });
  return rig;
}

interface Asked {
  readonly params?: Readonly<Record<string, string>>;
  readonly targets?: readonly string[];
}

async function asked<T>(rig: Rig, { params = {} }: Asked, use: (project: Awaited<ReturnType<typeof openProject>>) => Promise<T>) {
  const signal = new AbortController().signal;
  const opened = await openProject({ cwd: rig.root, params, env: {}, emit() {}, signal });
  try {
    return await use(opened);
  } finally {
    opened.close();
  }
}

/** What `status` says of the folders, by target; paths from the project. */
const problems = (rig: Rig, given: Asked = {}): Promise<Record<string, string[]>> =>
  asked(rig, given, async (opened) => {
    const { targets } = await status(opened, { targets: given.targets ?? [] });
    const wrong = targets.filter(({ outProblems }) => outProblems.length > 0);
    return Object.fromEntries(
      wrong.map(({ target, outProblems }) => [target, outProblems.map((text) => text.replaceAll(`${rig.root}/`, ''))]),
    );
  });

const published = ({ events }: Built): string[] =>
  events.flatMap((event) => (event.type === 'published' ? [`${event.target} ${event.files} ${event.removed}`] : []));

const strict = { params: { charsMin: '10' } };

test('while out holds another variant no target that publishes there is called fresh, until a build has published its own', async () => {
  const rig = project();
  assert.equal((await rig.build()).errors, []);
  assert.equal(await problems(rig), {});
  await rig.build(strict);
  assert.equal(await problems(rig, strict), {});
  const other = 'holds what another build published';
  assert.equal(await problems(rig), {
    'clean/files': [`out/clean ${other}: 2 files are to be written`],
    text: [`out/text ${other}: 1 file is to be written`],
    shards: [`out/shards ${other}: 3 files are to be written`],
    train: [`out/shards ${other}: 3 files are to be written`],
  });
  assert.equal(await asked(rig, {}, async (opened) => (await why(opened, 'text')).outProblems), [
    `${rig.path('out/text')} ${other}: 1 file is to be written`,
  ]);
  const again = await rig.build();
  assert.equal([again.ran, published(again)], [[], ['clean/files 2 0', 'text 1 0', 'train 3 0']]);
  assert.equal(await problems(rig), {});
});

test('a folder that was published in pieces is fresh as soon as it holds what is wanted', async () => {
  const rig = project();
  await rig.build();
  await rig.build(strict);
  await rig.build({ targets: ['shards'] });
  assert.equal(await problems(rig, { targets: ['shards'] }), {}, 'its own files lie there');
  await rig.build({ targets: ['train'] });
  await rig.build({ targets: ['shards'] });
  assert.equal(Object.keys(await problems(rig)), ['text']);
});

test('files that nobody wants any more are told, as are those of another config that publishes there', async () => {
  const rig = project();
  await rig.build();
  rig.write({ 'datasets.config.ts': config.replace("each: 'group'", "each: 'collection'") });
  await rig.build({ targets: ['text'] });
  rig.write({ 'datasets.config.ts': config });
  assert.equal((await problems(rig))['text'], [
    'out/text holds what another build published: 2 files are to be written, 1 file is to be removed',
  ]);
});

test('a sample is published apart, and says nothing of the real folder', async () => {
  const rig = project();
  await rig.build();
  await rig.build({ sample: 1 });
  assert.equal(await problems(rig), {});
});

test.run();
