/** JSONL as nobody should write it: each line becomes a document or is counted as a bad record, and no line goes missing. */

import { cpSync } from 'node:fs';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkout, Rig } from './rig.ts';

const test = suite('any lines');

const config = `import { defineConfig, download, exportDataset, files, tokenize } from 'dsbuild';
const raw = download({ sources: { 'a/b': files('in.jsonl') }, badRecordShareMax: 1 });
export default defineConfig({ targets: { raw, tokens: tokenize(raw, { tokenizer: 'tokenizer' }), text: exportDataset(raw, { format: 'jsonl', each: 'collection', out: 'out' }) }, chunking: { chunkSize: '1KB' } });
`;

const deep = (levels: number): string => `${'['.repeat(levels)}${']'.repeat(levels)}`;
const oddLines = [
  '{"text":"sound"}',
  '{"id":"x","text":"sound"}\r',
  '{"text":"\\ud800 alone"}',
  '{"text":"\\u0000"}',
  '{"text":"a\0b"}',
  '{"__proto__":{"text":"x"}}',
  '{"__proto__":null,"text":"own"}',
  '{"constructor":1,"toString":2,"text":"x"}',
  '{"text":"big","id":123456789012345678901234567890}',
  '{"text":"huge","n":1e999,"m":-0,"k":0.1e-400}',
  '{"text":"twice","text":7}',
  '{"text":7,"text":"twice"}',
  `{"text":"deep","metadata":${deep(3000)}}`,
  deep(20_000),
  '{"text":"\ufeff inside"}',
  '\ufeff{"text":"marked"}',
  '{"id":null,"text":""}',
  '{"id":{},"text":"x"}',
  '{"text":"\u2028 a line of its own to some"}',
  'null',
  'NaN',
  '"text"',
  ' \t\r',
  '',
];
const anyLine = fc.oneof(
  { arbitrary: fc.constantFrom(...oddLines).map((line) => Buffer.from(line)), weight: 3 },
  { arbitrary: fc.json({ maxDepth: 3 }).map((line) => Buffer.from(line)), weight: 1 },
  { arbitrary: fc.string({ unit: 'binary' }).map((text) => Buffer.from(JSON.stringify({ text }))), weight: 2 },
  { arbitrary: fc.uint8Array({ maxLength: 30 }).map((bytes) => Buffer.from(bytes.filter((byte) => byte !== 10))), weight: 1 },
  // Cut anywhere, also within a character.
  {
    arbitrary: fc
      .tuple(fc.constantFrom(...oddLines, '{"text":"äöü🦊"}'), fc.nat())
      .map(([line, at]) => Buffer.from(line).subarray(0, at % 40)),
    weight: 2,
  },
);

/** Text of a line's document, by the definition; undefined for a bad record, null for a blank line. */
function textOf(line: Buffer): string | null | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(line);
    if (/^[ \t\r]*$/.test(text)) return null;
    const value = JSON.parse(text) as { id?: unknown; text?: unknown } | null;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    const hasId = value.id === undefined || value.id === null || ['string', 'number'].includes(typeof value.id);
    return Object.hasOwn(value, 'text') && typeof value.text === 'string' && hasId ? value.text : undefined;
  } catch {
    return undefined;
  }
}

test('each line is a document or a bad record or blank, in any file: all are counted, and what is published are the documents', async () => {
  const rig = new Rig();
  cpSync(checkout('fixtures/tokenizers/tiny'), rig.path('tokenizer'), { recursive: true });
  rig.write({ 'datasets.config.ts': config });
  await fc.assert(
    fc.asyncProperty(fc.array(anyLine, { minLength: 1, maxLength: 25 }), fc.boolean(), async (some, ends) => {
      // A file without one good record is an error of its own.
      const lines = [Buffer.from('{"text":"good"}'), ...some];
      const bytes = Buffer.concat(lines.flatMap((line, i) => [line, Buffer.from(ends || i + 1 < lines.length ? '\n' : '')]));
      rig.write({ 'in.jsonl': bytes });
      const { summary, errors, events } = await rig.build();
      assert.equal(errors, [], JSON.stringify(events.filter(({ type }) => type === 'target-failed')));
      const texts = lines.map(textOf);
      const documents = texts.filter((text) => typeof text === 'string');
      const published = Object.keys(rig.tree('out')).flatMap((name) => rig.read(`out/${name}`).toString().split('\n'));
      const found = published.filter((line) => line !== '').map((line) => (JSON.parse(line) as { text: string }).text);
      assert.equal(found, documents);
      const { quarantined, documentsOut } = summary.targets['raw'] as (typeof summary.targets)[string];
      assert.equal([documentsOut, quarantined], [documents.length, texts.filter((text) => text === undefined).length]);
    }),
    { numRuns: 120 },
  );
});

test.run();
