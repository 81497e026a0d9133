import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { download } from '../../rules/download.ts';
import { compress } from '../../rules/lib/compress.ts';
import { LineSplitter } from '../../rules/lib/json-lines.ts';
import { codePoints } from '../../rules/lib/stats.ts';
import { digestHex } from '../../src/base/digest.ts';
import { encodeCollection } from '../../src/rule/collection.ts';
import { linesOf } from '../../src/rule/documents.ts';
import type { Part } from '../../src/rule/part.ts';
import type { SourceItem } from '../../src/rule/source.ts';
import { defineAdapter } from '../../src/rule/user-function.ts';
import { chunkItems, chunksOf, filePart, identitiesOf, linesIn, type Planned, type PlanSettings, planRule, sourcesOf } from './harness.ts';

const test = suite('download');

const bom = '\ufeff';
const line = (text: string, more: object = {}): string => JSON.stringify({ ...more, text });

const downloaded = (items: readonly SourceItem[], settings: PlanSettings = {}): Promise<Planned> =>
  planRule(download, {}, { sources: sourcesOf(items), settings });
const mainOf = ({ outputs }: Planned): readonly Part[] => outputs['main'] as readonly Part[];
const linesOut = (planned: Planned): string[] => mainOf(planned).flatMap(linesIn);
const fromText = (content: string | Uint8Array): Promise<Planned> => downloaded(chunkItems(chunksOf(content)));
const gzipped = (content: string, more: Partial<SourceItem> = {}): SourceItem =>
  ({ item: 'file', part: filePart(gzipSync(content)), format: 'jsonl.gz', ...more }) as SourceItem;

test('a chunk of good records is given as it is', async () => {
  const [chunk] = chunksOf(`${line('a')}\n${line('b')}\n`);
  const planned = await downloaded(chunkItems([chunk as Part]));
  assert.equal(mainOf(planned), [chunk]);
  assert.equal(planned.steps, ['check']);
  assert.equal(planned.counters, { characters: 2 });
});

test('bad records are quarantined with the line and the reason, the others are a view on the chunk', async () => {
  const bad: [string, string | Uint8Array][] = [
    ['not-json', '{"text": "cut'],
    ['not-an-object', '["text"]'],
    ['not-an-object', 'null'],
    ['no-text', '{"body":"x"}'],
    ['text-not-a-string', '{"text":5}'],
    ['text-not-a-string', '{"text":null}'],
    ['id-not-a-string', '{"text":"x","id":{}}'],
    ['invalid-utf8', Buffer.from([...Buffer.from('{"text":"'), 0xc3, 0x28, ...Buffer.from('"}')])],
    ['chat-record', '{"messages":[{"role":"user","content":"hi"}]}'],
  ];
  const pieces = [line('first'), ...bad.map(([, content]) => content), line('last')];
  const content = Buffer.concat(pieces.flatMap((piece) => [Buffer.from(piece as Uint8Array), Buffer.from('\n')]));
  const planned = await fromText(content);
  assert.equal(linesOut(planned), [line('first'), line('last')]);
  assert.equal(
    planned.quarantined.map(({ record, reason }) => [record, reason]),
    bad.map(([reason], i) => [i + 1, reason]),
  );
  const [part] = mainOf(planned) as [Part];
  assert.is(part.form, 'view');
  assert.is(part.facts['records'], 2);
  assert.is(part.facts['u'], chunksOf(content)[0]?.facts['u']);
});

test('a chat record is named with the field it has, and the hint to adapt', async () => {
  const { quarantined } = await fromText('{"conversations":[]}\n');
  assert.match(quarantined[0]?.detail ?? '', /conversations.*adapt/);
});

test('blank lines are counted and left out', async () => {
  const planned = await fromText(`${line('a')}\n\n \t\n${line('b')}\n\n`);
  assert.equal(linesOut(planned), [line('a'), line('b')]);
  assert.is(planned.counters['blank'], 3);
});

test('an empty file gives nothing', async () => {
  const planned = await fromText('');
  assert.equal([planned.steps, mainOf(planned)], [[], []]);
});

test('a file of only bad records gives a part without records', async () => {
  const planned = await fromText('x\ny\n');
  assert.equal(linesOut(planned), []);
  assert.is(mainOf(planned)[0]?.facts['records'], 0);
  assert.is(planned.counters['quarantined:not-json'], 2);
});

test('a byte order mark, carriage returns and a missing last newline change nothing', async () => {
  const planned = await fromText(`${bom}${line('a')}\r\n${line('b')}`);
  assert.equal(
    linesOut(planned).map((text) => text.trimEnd()),
    [line('a'), line('b')],
  );
  assert.equal(planned.quarantined, []);
  assert.is(mainOf(planned)[0]?.form, 'lines');
});

test('a byte order mark in the middle of a shared chunk is left out', async () => {
  const planned = await fromText(`${line('a')}\n${bom}${line('b')}\nbad\n${bom}\n`);
  assert.equal(linesOut(planned), [line('a'), line('b')]);
  assert.equal(planned.counters, { characters: 2, blank: 1, 'quarantined:not-json': 1 });
  assert.is(planned.quarantined[0]?.record, 2);
});

test('a byte order mark before any record of a compressed file is left out, as when members were joined', async () => {
  const members = [`${bom}${line('a')}\n`, `${bom}${line('b')}\r\n${bom}\n`].map((text) => gzipSync(text));
  const planned = await downloaded([{ item: 'file', part: filePart(Buffer.concat(members)), format: 'jsonl.gz' }]);
  assert.equal(linesOut(planned), [line('a'), line('b')]);
  assert.equal(planned.counters, { characters: 2, blank: 1, recordsIn: 2 });
});

test('a file of nothing but a byte order mark is blank', async () => {
  assert.is((await fromText(bom)).counters['blank'], 1);
});

test('characters are Unicode code points, whatever the spelling', async () => {
  const planned = await fromText(`${line('aé😀')}\n{"text":"\\ud83d\\ude00\\ud800"}\n`);
  assert.is(planned.counters['characters'], 5);
});

test('codePoints counts as iterating does', () => {
  const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }), fc.constantFrom('\ud800', '\udc00\ud800', 'ab'));
  fc.assert(fc.property(text, (given) => codePoints(given) === [...given].length));
});

test('unknown fields, __proto__ keys, duplicate keys and numbers as id stay as they were written', async () => {
  const odd = ['{"text":"a","__proto__":{"x":1},"constructor":2}', '{"text":"a","text":"b"}', '{"id":12345678901234567890,"text":"n"}'];
  const planned = await fromText(`${odd.join('\n')}\n`);
  assert.equal(linesOut(planned), odd);
});

test('a record over 64 MiB is quarantined without being read', async () => {
  const part: Part = { ...(chunksOf('x\n')[0] as Part), bytes: 65 * 1024 * 1024 };
  const planned = await downloaded(chunkItems([part]));
  assert.equal(mainOf(planned), []);
  assert.equal(planned.counters, { 'quarantined:too-long': 1 });
});

test('compressed files are unwrapped, checked, and their good lines cut into chunks', async () => {
  const texts = Array.from({ length: 300 }, (_, i) => line(`text ${i} ${'x'.repeat(i % 50)}`, { n: i }));
  const content = [...texts.slice(0, 100), '', 'bad', ...texts.slice(100)].join('\n');
  const zstd: Uint8Array[] = [];
  for await (const piece of compress('jsonl.zst', [Buffer.from(content)])) zstd.push(piece);
  const items: SourceItem[] = [gzipped(content), { item: 'file', part: filePart(Buffer.concat(zstd), 'c/d'), format: 'jsonl.zst' }];
  const planned = await downloaded(items, { chunkBytes: 2048 });
  assert.equal(planned.steps, ['decode', 'decode']);
  assert.equal(linesOut(planned), [...texts, ...texts]);
  assert.ok(mainOf(planned).length > 10);
  const perGroup = mainOf(planned).map((part) => part.group);
  assert.equal(perGroup, [...perGroup].sort());
  assert.is(planned.counters['recordsIn'], 602);
  assert.is(planned.counters['blank'], 2);
  assert.equal(
    planned.quarantined.map(({ record }) => record),
    [101, 101],
  );
});

test('unwrapped lines are cut as the plain file is cut', async () => {
  const content = Array.from({ length: 500 }, (_, i) => `${line(`text ${i} ${'x'.repeat(i % 90)}`)}\n`).join('');
  const planned = await downloaded([gzipped(content)], { chunkBytes: 4096 });
  assert.equal(mainOf(planned), chunksOf(content, { chunkBytes: 4096 }));
});

test('a line of a compressed file over 64 MiB is quarantined, and its neighbours are kept', async () => {
  const content = Buffer.concat([Buffer.from(`${line('a')}\n`), Buffer.alloc(64 * 1024 * 1024 + 1, 'x'), Buffer.from(`\n${line('b')}\n`)]);
  const planned = await downloaded([{ item: 'file', part: filePart(gzipSync(content, { level: 1 })), format: 'jsonl.gz' }]);
  assert.equal(linesOut(planned), [line('a'), line('b')]);
  assert.equal(
    planned.quarantined.map(({ record, reason }) => [record, reason]),
    [[1, 'too-long']],
  );
});

test('a truncated file fails, with nothing of it kept', async () => {
  const half = gzipSync(`${line('a')}\n`.repeat(1000)).subarray(0, 40);
  let code = '';
  await downloaded([{ item: 'file', part: filePart(half), format: 'jsonl.gz' }]).catch((error) => {
    code = error.code;
  });
  assert.is(code, 'bad-input');
});

const turns = defineAdapter({
  name: 'turns',
  adapt(record) {
    const { messages } = record as { messages?: { content: string }[] };
    if (!messages) throw new Error('no turns here');
    if (messages.length === 0) return null;
    return { text: messages.map(({ content }) => content).join('\n'), metadata: { turns: messages.length } };
  },
});
const chats = ['{"messages":[{"content":"a"},{"content":"b"}]}', '{"messages":[]}', '{"text":"x"}', 'bad', '', '{"messages":[{}]}'].join(
  '\n',
);

test('an adapter makes documents of other records; what it leaves out or throws on is counted', async () => {
  for (const item of [{ item: 'chunk', part: chunksOf(chats)[0] as Part }, gzipped(chats)] as const) {
    const planned = await downloaded([{ ...item, adapt: turns }]);
    assert.equal(
      linesOut(planned).map((text) => JSON.parse(text)),
      [
        { text: 'a\nb', metadata: { turns: 2 } },
        { text: '', metadata: { turns: 1 } },
      ],
    );
    const { characters: _, recordsIn: __, ...counters } = planned.counters;
    assert.equal(counters, { blank: 1, 'dropped:adapted-away': 1, 'quarantined:adapter-threw': 1, 'quarantined:not-json': 1 });
    assert.is(planned.quarantined.find(({ reason }) => reason === 'adapter-threw')?.detail, 'no turns here');
  }
});

test('what an adapter gives must be a document', async () => {
  const gives = defineAdapter({ name: 'gives', adapt: (record) => record['give'] as object });
  const content = ['{"give":{"text":5}}', '{"give":7}', '{"give":[]}', '{}', '{"give":{"body":""}}', '{"give":{"text":"ok"}}'].join('\n');
  const planned = await downloaded([{ item: 'chunk', part: chunksOf(content)[0] as Part, adapt: gives }]);
  assert.equal(linesOut(planned), ['{"text":"ok"}']);
  assert.equal(
    planned.quarantined.map(({ reason }) => reason),
    ['text-not-a-string', 'not-an-object', 'not-an-object', 'not-an-object', 'no-text'],
  );
});

const address = 'https://example.org/a.jsonl.gz';
const remote = (more: object = {}): SourceItem => ({ item: 'remote', address, group: 'web/a', format: 'jsonl.gz', ...more }) as SourceItem;
const remoteBytes = gzipSync(`${line('far')}\n`);

test('a remote file is fetched, pinned with what its server said, and decoded in its group', async () => {
  const planned = await downloaded([remote()], { remotes: { [address]: { bytes: remoteBytes, etag: '"e"', lastModified: 'yesterday' } } });
  assert.equal(planned.steps, ['fetch', 'decode']);
  assert.equal(linesOut(planned), [line('far')]);
  assert.is(mainOf(planned)[0]?.group, 'web/a');
  const blake3 = digestHex(remoteBytes);
  assert.equal(planned.pins, { [address]: { blake3, bytes: String(remoteBytes.length), etag: '"e"', 'last-modified': 'yesterday' } });
});

test('the params of a fetch are all that decides which bytes come', async () => {
  const pin = digestHex(remoteBytes);
  const settings = { remotes: { [address]: { bytes: remoteBytes } } };
  const plain = await downloaded([remote()], settings);
  assert.equal(plain.params['fetch'], [{ address, pin: null, declaredPin: null, endpoint: null, region: null }]);
  const more = { pin, declaredPin: `blake3:${pin}`, endpoint: 'http://localhost', region: 'eu' };
  assert.equal((await downloaded([remote(more)], settings)).params['fetch'], [{ address, ...more }]);
});

test('a remote file that is no longer the pinned one is refused', async () => {
  let failed = { code: '', hint: '' };
  await downloaded([remote({ pin: '0'.repeat(64) })], { remotes: { [address]: { bytes: remoteBytes } } }).catch((error) => {
    failed = error;
  });
  assert.is(failed.code, 'source-changed-remotely');
  assert.match(failed.hint, /update/);
});

test('a password in an address is refused without being shown', async () => {
  let failed = new Error();
  await downloaded([remote({ address: 'https://me:hunter2@example.org/a.jsonl' })]).catch((error) => {
    failed = error;
  });
  assert.is((failed as Error & { code?: string }).code, 'secret-in-address');
  assert.not.match(JSON.stringify({ ...failed, message: failed.message }), /hunter2/);
});

test('parts come in the order declared, twice the same, whatever step ends first', async () => {
  const many = Array.from({ length: 200 }, (_, i) => `${line(`t${i}`)}\n`).join('');
  const items: SourceItem[] = [
    gzipped(many),
    remote(),
    ...chunkItems(chunksOf(`${many}bad\n`, { group: 'x/y', chunkBytes: 512 })),
    gzipped('bad'),
  ];
  const settings = { chunkBytes: 512, remotes: { [address]: { bytes: remoteBytes } } };
  const seen = await identitiesOf(download, {}, { sources: sourcesOf(items), settings });
  assert.is(new Set(seen).size, 1);
  const planned = await downloaded(items, settings);
  assert.equal([...new Set(mainOf(planned).map((part) => part.group))], ['a/b', 'web/a', 'x/y']);
  assert.ok(encodeCollection(mainOf(planned)).length > 0);
});

test('lines of pieces cut anywhere are the lines of the whole', () => {
  const content = fc.array(fc.constantFrom('a', '\n', '\r\n', bom, 'é', ''), { maxLength: 12 }).map((parts) => Buffer.from(parts.join('')));
  fc.assert(
    fc.property(content, fc.integer({ min: 1, max: 5 }), (bytes, step) => {
      const splitter = new LineSplitter();
      const found: [number, string][] = [];
      const add = (lines: Iterable<{ index: number; line: Buffer | undefined }>): void => {
        for (const { index, line: text } of lines) found.push([index, String(text)]);
      };
      for (let at = 0; at < bytes.length; at += step) add(splitter.split(bytes.subarray(at, at + step)));
      add(splitter.end());
      assert.equal(
        found,
        [...linesOf(bytes)].map(({ index, line: text }) => [index, String(text)]),
      );
    }),
  );
});

test('a line that is too long is counted, not held', () => {
  const splitter = new LineSplitter(8);
  const lines = [...splitter.split(Buffer.from('short\n123456789')), ...splitter.split(Buffer.from('0123\nend')), ...splitter.end()];
  assert.equal(
    lines.map(({ index, bytes, line: text }) => [index, bytes, text?.toString()]),
    [
      [0, 5, 'short'],
      [1, 13, undefined],
      [2, 3, 'end'],
    ],
  );
});

test.run();
