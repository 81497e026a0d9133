import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { write } from '../../rules/write.ts';
import type { Part } from '../../src/rule/part.ts';
import { chunksOf, documentsPart, identitiesOf, planRule, selectedFrom, textOf } from './harness.ts';

const test = suite('write');

async function written(documents: readonly Part[]): Promise<Record<string, string>> {
  const { outputs } = await planRule(write, { documents }, {});
  return Object.fromEntries((outputs['main'] ?? []).map((part) => [part.name, textOf(part)]));
}

async function codeOf(documents: readonly Part[]): Promise<string> {
  return written(documents).then(
    () => 'none',
    (error) => error.code,
  );
}

test('each group becomes a file of its documents in order, and a file of statistics beside it', async () => {
  const parts = [
    documentsPart([{ id: '1', text: 'é😀' }], 'code/apps'),
    documentsPart([{ text: 'c' }], 'web/news'),
    documentsPart([{ text: 'b', source: 's' }, { text: '' }], 'code/apps'),
  ];
  assert.equal(await written(parts), {
    'code/apps.jsonl': '{"id":"1","text":"é😀"}\n{"text":"b","source":"s"}\n{"text":""}\n',
    'code/apps.stats.json': `{
  "records": 3,
  "bytes": 65,
  "characters": 3,
  "fields": {
    "id": 1,
    "source": 1,
    "text": 3
  }
}
`,
    'web/news.jsonl': '{"text":"c"}\n',
    'web/news.stats.json': '{\n  "records": 1,\n  "bytes": 13,\n  "characters": 1,\n  "fields": {\n    "text": 1\n  }\n}\n',
  });
});

test('views are applied', async () => {
  const base = documentsPart(['{"text":"0"}', '{"text":"1"}', '{"text":"2"}', '{"text":"3"}']);
  assert.is(
    (await written([selectedFrom(base, [1, 2]), selectedFrom(base, [0, 3])]))['a/b.jsonl'],
    '{"text":"1"}\n{"text":"2"}\n{"text":"0"}\n{"text":"3"}\n',
  );
});

test('every line ends in one newline, whatever its source ended lines with', async () => {
  const sources = ['{"text":"a"}\r\n{"text":"b"}\r\n', '\ufeff{"text":"c"}\n{"text":"d"}'];
  const files = await written(sources.flatMap((source) => chunksOf(source)));
  assert.is(files['a/b.jsonl'], ['a', 'b', 'c', 'd'].map((text) => `{"text":"${text}"}\n`).join(''));
  assert.is(JSON.parse(files['a/b.stats.json'] as string).bytes, Buffer.byteLength(files['a/b.jsonl'] as string));
});

test('lines stay as they were written', async () => {
  const odd = ['{"text":"a","__proto__":{"x":1}}', '{ "text" : "a", "text":"b" }', '{"id":12345678901234567890,"text":"\\u00e9"}'];
  assert.is((await written([documentsPart(odd)]))['a/b.jsonl'], `${odd.join('\n')}\n`);
});

test('fields are listed by code unit, odd names too', async () => {
  const files = await written([documentsPart(['{"text":"a","__proto__":1,"9":1,"10":1,"Z":1,"a\\"b":1}', '{"text":"b","9":2}'])]);
  const fields = /"fields": \{\n([\s\S]*?)\n {2}\}/.exec(files['a/b.stats.json'] as string)?.[1];
  assert.equal(
    fields?.split('\n').map((field) => field.trim()),
    ['"10": 1,', '"9": 2,', '"Z": 1,', '"__proto__": 1,', '"a\\"b": 1,', '"text": 2'],
  );
});

test('a group without documents is an empty file', async () => {
  const files = await written([selectedFrom(documentsPart(['{"text":"a"}']), [])]);
  assert.is(files['a/b.jsonl'], '');
  assert.equal(JSON.parse(files['a/b.stats.json'] as string), { records: 0, bytes: 0, characters: 0, fields: {} });
});

test('a group that leads outside or is no file name is refused', async () => {
  for (const group of ['../x', 'a/../b', '/etc/x', 'a//b', 'a/', '', 'a\\b', 'a\0b', './a', 'C:/x']) {
    assert.is(await codeOf([documentsPart([{ text: 'a' }], group)]), 'bad-group', JSON.stringify(group));
  }
  assert.is(await codeOf([documentsPart([{ text: 'a' }], 'a..b/.c')]), 'none');
});

test('each chunk is described by itself, so that an edit describes one chunk again', async () => {
  const content = Array.from({ length: 300 }, (_, i) => `{"text":"document ${i}"}\n`).join('');
  const parts = chunksOf(content, { chunkBytes: 1024 });
  const { steps, outputs } = await planRule(write, { documents: parts }, {});
  assert.equal(steps, [...parts.map(() => 'describe'), 'concat', 'merge-stats']);
  assert.is(textOf((outputs['main'] as Part[])[0] as Part), content);
  assert.is((outputs['main'] as Part[])[0]?.facts['records'], 300);
});

test('files come in the same order with the same bytes, whatever step ends first', async () => {
  const parts = ['a/x', 'b/y', 'a/x', 'c/z'].map((group, i) => documentsPart([{ text: `t${i}` }], group));
  assert.is(new Set(await identitiesOf(write, { documents: parts }, {})).size, 1);
});

test.run();
