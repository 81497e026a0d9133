import { defineConfig, download, exportDataset, files, filter, index, param, shard, tokenize } from 'dsbuild';
import { chat } from './fixtures/filters/chat.ts';
import { worthReading } from './fixtures/filters/worth-reading.ts';

// Where documents come from, keyed by '<category>/<name>': a file, a compressed file, a pattern over many, and chats that an adapter turns
// into documents. With `out` the checked documents are written as out/data/<category>/<name>.jsonl, with statistics beside each.
const raw = download({
  sources: {
    'recipes/kitchen': 'fixtures/data/recipes/kitchen.jsonl',
    'code/functions': 'fixtures/data/code/functions.jsonl.gz',
    'weather/stations': files('fixtures/data/weather/**/*.jsonl'),
    'chat/support': files('fixtures/data/chat/support.jsonl', { adapt: chat }),
  },
  out: 'out/data',
});

// A filter is a module of yours: what it does and its options are in the key. `--set wordsMin=40` tries another value.
const clean = filter(raw, { use: worthReading({ wordsMin: param('wordsMin', 25) }) });

const tokens = tokenize(clean, { tokenizer: 'fixtures/tokenizers/tiny/tokenizer.json' });
// Tiny shards, as there is little data: '2GB' is the default.
const shards = shard(tokens, { maxSeqLength: 256, shardSize: '10KB', out: 'out/shards' });

// manifest.json in the shards' folder, published with them.
const train = index(shards);

// The same documents for people and other programs, and apart from them what the filter dropped.
const text = exportDataset(clean, { format: 'jsonl.gz', out: 'out/text' });
const rejected = exportDataset(clean.rejected, { format: 'jsonl', each: 'collection', name: 'rejected.jsonl', out: 'out/rejected' });

export default defineConfig({
  targets: { raw, clean, tokens, shards, train, text, rejected },
  // 200 KB of fixtures would be a handful of chunks; real data leaves this out.
  chunking: { chunkSize: '8KB', packTokens: 8_000 },
});
