import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { dice, sentence } from './matrix.ts';
import { errorsOf, ran, TestProject, tinyTokenizer } from './project.ts';

const test = suite('many small files');

const files = 10_000;
const bytesEach = 5_000;
const chunkBytes = 1_000_000;
const config = `import { defineConfig, download, files, index, shard, tokenize } from 'dsbuild';
const raw = download({ sources: { 'docs/all': files('in/**/*.jsonl') } });
const tokens = tokenize(raw, { tokenizer: 'tokenizer/tokenizer.json' });
const shards = shard(tokens, { maxSeqLength: 64, packTokens: 400_000, out: 'out' });
export default defineConfig({ targets: { raw, tokens, shards, train: index(shards) }, chunking: { chunkSize: '1MB' } });
`;

test('10,000 files of 5 KB: no more chunks than their bytes warrant, padding below 0.1 %, and nothing to do the second time', async () => {
  const project = new TestProject();
  try {
    project.write('datasets.config.ts', config);
    project.copyIn(tinyTokenizer, 'tokenizer');
    const roll = dice(3);
    let bytes = 0;
    for (let i = 0; i < files; i++) {
      const body = `${sentence(roll)} `.repeat(40).slice(0, bytesEach - 40);
      const text = `${JSON.stringify({ id: `f${i}`, text: body })}\n`;
      bytes += text.length;
      project.write(`in/${String(i % 100).padStart(2, '0')}/${i}.jsonl`, text);
    }
    const outcome = await project.build();
    assert.equal(errorsOf(outcome), []);
    const chunks = ran(outcome)['raw check'] as number;
    assert.ok(chunks >= bytes / (2 * chunkBytes) && chunks <= bytes / (chunkBytes / 2) + 1, `${chunks} chunks for ${bytes} bytes`);
    const stats = JSON.parse(project.read('out/all_stats.json')) as { sequences: number; samples: number; padding: number };
    assert.is(stats.samples, files);
    assert.ok(stats.padding / (stats.sequences * 64) < 0.001, `${stats.padding} of ${stats.sequences * 64} tokens are padding`);
    const again = await project.build();
    assert.equal(again.summary.steps, { ran: 0, hit: 0, restored: 0, failed: 0 });
  } finally {
    project.end();
  }
});

test.run();
