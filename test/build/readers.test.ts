import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { python, runPython } from '../python.ts';
import { records } from './matrix.ts';
import { TestProject, tinyTokenizer } from './project.ts';

const test = suite('readers of what a build publishes');
const length = 64;

interface Row {
  readonly input_ids: readonly number[];
  readonly attention_mask: readonly number[];
  readonly labels: readonly number[];
}

interface FullRow extends Row {
  readonly position_ids: readonly number[];
  readonly document_ids: readonly number[];
}

const config = `import { defineConfig, download, exportDataset, index, shard, tokenize } from 'dsbuild';
const raw = download({ sources: { 'books/one': 'in/one.jsonl', 'books/two': 'in/two.jsonl' } });
const shards = shard(tokenize(raw, { tokenizer: 'tokenizer/tokenizer.json' }), { maxSeqLength: ${length}, out: 'out/shards' });
const table = exportDataset(raw, { format: 'parquet', out: 'out/table' });
export default defineConfig({ targets: { raw, shards, train: index(shards), table } });
`;

/** labels[i] = ids[i + 1] where mask[i + 1] is 1, else -100; -100 at the end. Said again here, so that a mistake in the product is not repeated. */
const shifted = ({ input_ids, attention_mask }: Row): number[] =>
  input_ids.map((_, i) => (attention_mask[i + 1] === 1 ? (input_ids[i + 1] as number) : -100));

for (const reader of ['pyarrow', 'datasets']) {
  test(`${reader} reads the shards of a build: as many rows as the manifest says, of the length asked for, with shifted labels`, async () => {
    const interpreter = python(reader);
    if (!interpreter) return;
    const project = new TestProject();
    try {
      project.write('datasets.config.ts', config);
      project.copyIn(tinyTokenizer, 'tokenizer');
      project.write('in/one.jsonl', records(1, 40));
      project.write('in/two.jsonl', records(2, 3));
      const { code, summary } = await project.build();
      assert.is(code, 0);
      const manifest = JSON.parse(project.read('out/shards/manifest.json')) as {
        splits: Record<string, { sequences: number; tokens: number }>;
      };
      assert.equal(Object.keys(manifest.splits), ['one', 'two']);
      let tokens = 0;
      for (const [split, { sequences, tokens: counted }] of Object.entries(manifest.splits)) {
        const rows = runPython(interpreter, 'rows.py', [reader, project.path(`out/shards/${split}/shard_0000.parquet`)]) as Row[];
        assert.is(rows.length, sequences);
        for (const row of rows) {
          assert.is(row.input_ids.length, length);
          assert.equal(row.labels, shifted(row));
        }
        const real = rows.reduce((sum, row) => sum + row.attention_mask.reduce((ones, bit) => ones + bit, 0), 0);
        assert.ok(real > counted, 'an EOS stands behind each document');
        tokens += counted;
      }
      assert.is(summary.targets['shards']?.tokens, tokens);
    } finally {
      project.end();
    }
  });
}

const bestFit = `import { defineConfig, download, index, shard, tokenize } from 'dsbuild';
const tokens = tokenize(download({ sources: { 'books/one': 'in/one.jsonl' } }), { tokenizer: 'tokenizer/tokenizer.json' });
const columns = ['position_ids', 'document_ids'];
const shards = shard(tokens, { maxSeqLength: ${length}, packing: 'best-fit', acrossDocuments: false, columns, codec: 'zstd', out: 'out' });
export default defineConfig({ targets: { shards, train: index(shards) } });
`;

test('best-fit rows with all columns and zstd: pyarrow and `head` read the same, and every document stands apart', async () => {
  const interpreter = python('pyarrow');
  if (!interpreter) return;
  const project = new TestProject();
  try {
    project.write('datasets.config.ts', bestFit);
    project.copyIn(tinyTokenizer, 'tokenizer');
    project.write('in/one.jsonl', records(1, 60));
    assert.is((await project.build()).code, 0);
    const rows = runPython(interpreter, 'rows.py', ['pyarrow', project.path('out/one/shard_0000.parquet')]) as FullRow[];
    const { events } = await project.start('head', 'shards', '-n', '1000').done;
    assert.equal(events as unknown, rows);
    for (const { input_ids, attention_mask, labels, position_ids, document_ids } of rows) {
      const goesOn = (i: number): boolean => i > 0 && document_ids[i] === document_ids[i - 1];
      assert.equal(
        attention_mask,
        document_ids.map((number) => Math.min(number, 1)),
      );
      assert.equal(
        position_ids,
        position_ids.map((_, i) => (goesOn(i) ? (position_ids[i - 1] as number) + 1 : 0)),
      );
      assert.equal(
        labels,
        labels.map((_, i) => (attention_mask[i] === 1 && goesOn(i + 1) ? input_ids[i + 1] : -100)),
      );
    }
  } finally {
    project.end();
  }
});

test('pyarrow reads exported documents: every text as it was', async () => {
  const interpreter = python('pyarrow');
  if (!interpreter) return;
  const project = new TestProject();
  try {
    project.write('datasets.config.ts', config);
    project.copyIn(tinyTokenizer, 'tokenizer');
    const text = records(1, 40);
    project.write('in/one.jsonl', text);
    project.write('in/two.jsonl', records(2, 3));
    assert.is((await project.build()).code, 0);
    const file = project.list('out/table').find((name) => name.includes('one')) as string;
    const rows = runPython(interpreter, 'rows.py', ['pyarrow', project.path(file)]) as { id: string; text: string }[];
    const written = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { id: string; text: string });
    assert.equal(
      rows.map(({ id, text }) => ({ id, text })),
      written,
    );
  } finally {
    project.end();
  }
});

test.run();
