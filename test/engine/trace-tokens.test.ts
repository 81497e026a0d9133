import { cpSync, readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { shardRows } from '../../rules/lib/parquet/preview.ts';
import { loadTokenizer } from '../../rules/lib/tokenizer.ts';
import type { TraceItem } from '../../src/engine/trace/items.ts';
import { numbers } from '../source/files.ts';
import { checkout, Rig } from './rig.ts';
import { itemsOf } from './trace-project.ts';

const test = suite('trace of tokens');

const engine = loadTokenizer({ model: readFileSync(checkout('fixtures/tokenizers/tiny/tokenizer.json')) });
const { before, after } = engine.around;
/** With the EOS of this tokenizer, which is its first token. */
const specials: ReadonlySet<number> = new Set([...before, ...after, 0]);
const idsOf = (line: string): number[] => [...engine.encode((JSON.parse(line) as { text: string }).text, { addSpecialTokens: true })];

const config = ({
  tokenize,
  shard,
}: {
  tokenize: string;
  shard: string;
}): string => `import { defineConfig, download, files, filter, shard, tokenize } from 'dsbuild';
import { short } from './short.ts';
const raw = download({ sources: { 'a/big': 'in/big.jsonl', 'a/few': files('in/few/*.jsonl') }, badRecordShareMax: 1 });
const tokens = tokenize(filter(raw, { use: short() }), { tokenizer: 'tokenizer'${tokenize} });
const shards = shard(tokens, { maxSeqLength: 24, packTokens: 500, shardSize: '8KB', out: 'train'${shard} });
export default defineConfig({ targets: { raw, tokens, shards }, chunking: { chunkSize: '2KB' } });
`;
const filter = `import { defineFilter, drop, keep } from 'dsbuild';
export const short = defineFilter({ name: 'short', options: {}, decide: ({ text }) => (text.length < 12 ? drop('too-short') : keep) });
`;

const words = 'the of and data set line by hash chunk shard token edit build again every one more than a few'.split(' ');

/** Documents of 1 to 40 words, with lines between them that are none. */
function lines(count: number, seed: number): string[] {
  const next = numbers(seed);
  return Array.from({ length: count }, (_, i) => {
    const text = Array.from({ length: 1 + (next() % 40) }, () => words[next() % words.length]).join(' ');
    return next() % 12 === 0 ? '' : JSON.stringify({ id: `d${i}`, text });
  });
}

type Span = Extract<TraceItem, { type: 'span' }>;
type Held = Extract<TraceItem, { type: 'held' }>;

const choices: readonly { readonly name: string; readonly tokenize: string; readonly shard: string }[] = [
  { name: 'concatenated', tokenize: '', shard: '' },
  { name: 'in windows', tokenize: ', window: { length: 10, stride: 3 }', shard: '' },
  { name: 'packed by best fit', tokenize: '', shard: ", packing: 'best-fit'" },
  { name: 'truncated', tokenize: '', shard: ", packing: 'best-fit', longDocuments: 'truncate'" },
];

for (const { name, ...options } of choices) {
  test(`the tokens of every row are those of the lines that it names, ${name}, and each line names these rows`, async () => {
    const rig = new Rig();
    cpSync(checkout('fixtures/tokenizers/tiny'), rig.path('tokenizer'), { recursive: true });
    const sources = new Map([
      ['in/big.jsonl', lines(60, 3)],
      ['in/few/a.jsonl', lines(5, 4)],
      ['in/few/b.jsonl', lines(7, 5)],
    ]);
    rig.write({ 'datasets.config.ts': config(options), 'short.ts': filter });
    for (const [path, content] of sources) rig.write({ [path]: `${content.join('\n')}\n` });
    assert.ok((await rig.build()).summary.ok);
    await rig.withProject(async (project) => {
      const back: string[] = [];
      let row = 0;
      for (const file of Object.keys(rig.tree('train')).filter((path) => path.endsWith('.parquet'))) {
        for await (const { input_ids = [], attention_mask = [] } of shardRows(rig.path(`train/${file}`))) {
          const real = attention_mask.filter((one) => one === 1).length;
          const [head, ...rest] = await itemsOf(project, `shards:${row}`);
          assert.is((head as { file: string }).file, `train/${file}`);
          const seen: number[] = [];
          for (const span of rest as Span[]) {
            const { start = 0, length = 0 } = span.documentTokens ?? {};
            const ids = idsOf(sources.get(span.source?.file as string)?.[(span.source?.line as number) - 1] as string);
            assert.equal([span.how, span.tokens], ['exact', { start: seen.length, length }]);
            for (let i = start; i < start + length; i++) {
              const id = input_ids[seen.length] as number;
              // The end of a document, and both ends of a window, are no tokens of its text.
              seen.push(specials.has(id) ? id : (ids[i] as number));
            }
            assert.ok(start + length <= ids.length + 1);
            back.push(`${span.source?.file}:${span.source?.line} ${row} ${span.tokens?.start} ${start} ${length}`);
          }
          assert.equal(seen, input_ids.slice(0, real));
          row++;
        }
      }
      const forward: string[] = [];
      for (const [path, content] of sources) {
        for (const i of content.keys()) {
          const held = (await itemsOf(project, `${path}:${i + 1}`)).filter(
            (item) => item.type === 'held' && item.target === 'shards',
          ) as Held[];
          for (const { row: at, tokens, documentTokens } of held) {
            forward.push(`${path}:${i + 1} ${at} ${tokens?.start} ${documentTokens?.start} ${documentTokens?.length}`);
          }
        }
      }
      assert.ok(back.length > 40);
      assert.equal(forward.sort(), back.sort());
    });
  });
}

test.run();
