import { chmodSync, mkdirSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { compress } from '../../rules/lib/compress.ts';
import { readNote, writeNote } from '../../src/base/notes.ts';
import { FileDigests } from '../../src/engine/file-digests.ts';
import { tableFileOf } from '../../src/engine/resolve-sources.ts';
import { readTable, writeTable } from '../../src/source/table.ts';
import { unprivileged } from '../source/files.ts';
import { errorsOf, type Outcome, ran, TestProject, warningsOf } from './project.ts';

const test = suite('sources of every kind');

const config = (options = ''): string => `import { defineConfig, download, exportDataset, files } from 'dsbuild';
const raw = download({ sources: { 'm/*': files('in/**/*.jsonl*') }, badRecordShareMax: 0.9 });
const text = exportDataset(raw, { format: 'jsonl', each: 'group', out: 'out'${options} });
export default defineConfig({ targets: { raw, text }, chunking: { chunkSize: '8KB' } });
`;

type Files = Readonly<Record<string, string | Uint8Array>>;

async function withFiles(files: Files, use: (project: TestProject) => Promise<void>): Promise<void> {
  const project = new TestProject();
  try {
    project.write('datasets.config.ts', config());
    for (const [name, content] of Object.entries(files)) project.write(name, content);
    await use(project);
  } finally {
    project.end();
  }
}

const line = (id: number | string, text = `text ${id}`): string => JSON.stringify({ id: String(id), text });
const lines = (from: number, count: number, text?: string): string[] => Array.from({ length: count }, (_, i) => line(from + i, text));
const bom = Buffer.from([0xef, 0xbb, 0xbf]);

async function zstd(text: string): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of compress('jsonl.zst', [Buffer.from(text)])) pieces.push(piece);
  return Buffer.concat(pieces);
}

async function built(project: TestProject, ...args: string[]): Promise<Outcome> {
  const outcome = await project.build(...args);
  assert.is(outcome.code, 0, JSON.stringify(errorsOf(outcome)));
  return outcome;
}

/** The lines that come out of a source, by its name; undefined where no file is written. */
const published = (project: TestProject, name: string): string[] | undefined =>
  project.has(`out/m/${name}.jsonl`) ? project.read(`out/m/${name}.jsonl`).split('\n').slice(0, -1) : undefined;

/** Each source's bytes, and the lines that should come of it. */
const kinds: Readonly<Record<string, readonly [string | Uint8Array, readonly string[]]>> = {
  'windows.jsonl': [Buffer.concat([bom, Buffer.from(lines(0, 40).join('\r\n'))]), lines(0, 40)],
  'windows-big.jsonl': [Buffer.concat([bom, Buffer.from(lines(0, 400, 'w'.repeat(90)).join('\r\n'))]), lines(0, 400, 'w'.repeat(90))],
  'alike.jsonl': [`${line(1)}\n`.repeat(3000), Array.from({ length: 3000 }, () => line(1))],
  'periodic.jsonl': [`${lines(0, 7).join('\n')}\n`.repeat(200), Array.from({ length: 200 }, () => lines(0, 7)).flat()],
  'tiny.jsonl': [`${line(1, '')}\n`.repeat(2000), Array.from({ length: 2000 }, () => line(1, ''))],
  'long.jsonl': [[line(1), line(2, 'L'.repeat(60_000)), line(3)].join('\n'), [line(1), line(2, 'L'.repeat(60_000)), line(3)]],
  'nul.jsonl': [`${line(1, 'a\0b')}\n\0\0\n{"id":"x","text":"a\0b"}\n${line(2)}`, [line(1, 'a\0b'), line(2)]],
  'invalid.jsonl': [
    Buffer.concat([Buffer.from(`${line(1)}\n{"text":"`), Buffer.from([0xff, 0xc0]), Buffer.from(`"}\n${line(2)}\n`)]),
    [line(1), line(2)],
  ],
  'blank.jsonl': [`\n \r\n${line(1)}\n\t\n\n`, [line(1)]],
  'line\nbreak "q" \'s.jsonl': [line(1), [line(1)]],
  'e\u0301.jsonl': [line('decomposed'), [line('decomposed')]],
  '\u00e9.jsonl': [line('composed'), [line('composed')]],
  'members.jsonl.gz': [
    Buffer.concat([gzipSync(`${lines(0, 30).join('\r\n')}\r\n`), gzipSync(Buffer.concat([bom, Buffer.from(line(30))])), Buffer.alloc(512)]),
    lines(0, 31),
  ],
  'frames.jsonl.zst': [Buffer.concat([await zstd(`${lines(0, 30).join('\n')}\n`), await zstd(line(30))]), lines(0, 31)],
};

test('documents of files of every kind come out as they are in their files, and bad lines are named', () =>
  withFiles(Object.fromEntries(Object.entries(kinds).map(([name, [bytes]]) => [`in/${name}`, bytes])), async (project) => {
    project.write('in/empty.jsonl', '');
    project.write('in/nothing.jsonl.gz', gzipSync(''));
    const outcome = await built(project);
    for (const [name, [, expected]] of Object.entries(kinds)) {
      assert.equal(published(project, name.replace(/\.jsonl.*$/, '')), [...expected], name);
    }
    assert.equal([published(project, 'empty'), published(project, 'nothing')], [undefined, undefined]);
    assert.is(outcome.summary.targets['raw']?.quarantined, 3);
    assert.is(warningsOf(outcome).length, 1);
    assert.is((await project.build()).summary.steps.ran, 0);
  }));

test('a compressed file that can not be unpacked is named with what to do, and what had been unpacked of others stays', async () => {
  const good = `${lines(0, 300).join('\n')}\n`;
  const packed = { gz: gzipSync(good), zst: await zstd(good) };
  const broken: readonly (readonly [keyof typeof packed, Uint8Array, RegExp])[] = [
    ['gz', packed.gz.subarray(0, 300), /truncated: it ends at compressed byte 300/],
    ['gz', Buffer.concat([packed.gz, Buffer.from('trailing')]), /corrupt/],
    ['gz', Buffer.from(good), /corrupt near compressed byte 0/],
    ['gz', packed.gz.with(packed.gz.length - 6, (packed.gz.at(-6) as number) ^ 1), /corrupt/],
    ['gz', new Uint8Array(), /truncated: it ends at compressed byte 0/],
    ['zst', packed.zst.subarray(0, 300), /truncated: it ends at compressed byte 300/],
    ['zst', Buffer.concat([packed.zst, Buffer.from('trailing')]), /no frame begins here/],
    ['zst', new Uint8Array(), /truncated: it ends at compressed byte 0/],
  ];
  await withFiles({ 'in/good.jsonl.gz': packed.gz }, async (project) => {
    await built(project);
    for (const [format, bytes, message] of broken) {
      project.write(`in/bad.jsonl.${format}`, bytes);
      const failed = await project.build();
      const [error] = errorsOf(failed);
      assert.equal([failed.code, error?.code, failed.summary.steps.ran], [1, 'bad-input', 0]);
      assert.match(error?.message ?? '', message);
      assert.match(error?.where ?? '', `in/bad.jsonl.${format}`);
      assert.match(error?.hint ?? '', /download the file again/);
      project.remove(`in/bad.jsonl.${format}`);
    }
    assert.is((await built(project)).summary.steps.ran, 0);
  });
});

test('of compressed files only one that changed is unpacked again, also when it grew by a member', () =>
  withFiles(
    { 'in/a.jsonl.gz': gzipSync(lines(0, 500).join('\n')), 'in/b.jsonl.gz': gzipSync(`${lines(1000, 50).join('\n')}\n`) },
    async (project) => {
      assert.is(ran(await built(project))['raw decode'], 2);
      project.append('in/b.jsonl.gz', gzipSync(lines(1050, 3).join('\n')));
      const grown = await built(project);
      assert.is(ran(grown)['raw decode'], 1);
      assert.equal(published(project, 'b'), lines(1000, 53));
      assert.equal(
        grown.events.flatMap((event) => (event.type === 'target-started' && event.target === 'raw' ? event.why : [])),
        ['source changed: in/b.jsonl.gz'],
      );
      project.move('in/a.jsonl.gz', 'in/c.jsonl.gz');
      assert.is(ran(await built(project))['raw decode'], undefined);
      assert.equal([published(project, 'a'), published(project, 'c')], [undefined, lines(0, 500)]);
    },
  ));

/** Makes the remembered identities of all sources those that the files have now: as if an edit had left no trace in size and times. */
function forgetEdits(project: TestProject): void {
  const file = tableFileOf(project.path('.dsbuild'), 'raw');
  const table = readTable(file, 8000);
  assert.ok(table);
  const names = ['in/big.jsonl', 'in/small.jsonl'];
  for (const [i, name] of names.entries()) {
    const { mtimeNs, ctimeNs } = statSync(project.path(name), { bigint: true });
    table?.mtimesNs.set([mtimeNs], i);
    table?.ctimesNs.set([ctimeNs], i);
  }
  if (table) writeTable(file, 8000, { ...table, fileFlags: table.fileFlags.map((flags) => flags & ~1) });
  const packed = project.path('in/packed.jsonl.gz');
  const { dev, ino, size, mtimeNs, ctimeNs } = statSync(packed, { bigint: true });
  const note = project.path('.dsbuild/sources/files.json');
  const seen = readNote<Record<string, object>>(note) ?? {};
  writeNote(note, { ...seen, [packed]: { ...seen[packed], identity: `${dev}:${ino}:${size}:${mtimeNs}:${ctimeNs}` } });
}

const ofWord = (word: string): Files => ({
  'in/big.jsonl': `${lines(0, 300, word).join('\n')}\n`,
  'in/small.jsonl': `${line(1, word)}\n`,
  'in/packed.jsonl.gz': gzipSync(`${line(2, word)}\n`, { level: 0 }),
});

const allPublished = (project: TestProject): string => ['big', 'small', 'packed'].map((name) => published(project, name)?.[0]).join();
const expected = (...words: string[]): string => [line(0, words[0]), line(1, words[1]), line(2, words[2])].join();

test('an edit that neither size nor times tell of is found by --paranoid, which is the default in CI, and by nothing else', () =>
  withFiles(ofWord('one'), async (project) => {
    await built(project);
    for (const [word, look] of [
      ['two', () => built(project, '--paranoid')],
      [
        'six',
        () => {
          project.env['CI'] = 'true';
          return built(project);
        },
      ],
    ] as const) {
      const before = allPublished(project);
      for (const [name, bytes] of Object.entries(ofWord(word))) project.write(name, bytes);
      forgetEdits(project);
      await built(project);
      assert.is(allPublished(project), before);
      await look();
      assert.is(allPublished(project), expected(word, word, word));
    }
  }));

test('a step that reads such a file finds it edited: it is read again, whatever its times say', () =>
  withFiles(ofWord('one'), async (project) => {
    // Not the whole lines: else the old ones could be read where they are published.
    project.write('datasets.config.ts', config(", fields: ['id']"));
    await built(project);
    for (const [name, bytes] of Object.entries(ofWord('two'))) project.write(name, bytes);
    forgetEdits(project);
    project.write('datasets.config.ts', config(", fields: ['text']"));
    await built(project);
    const text = (word: string): string => JSON.stringify({ text: word });
    assert.equal([published(project, 'big')?.[0], published(project, 'small')?.[0]], [text('two'), text('two')]);
  }));

test('a path that is no file is told as what it is', () =>
  withFiles({ 'in/a.jsonl': line(1) }, async (project) => {
    const messageFor = async (pattern: string): Promise<string> => {
      project.write('datasets.config.ts', config().replace('in/**/*.jsonl*', pattern));
      const failed = await project.build();
      assert.equal([failed.code, errorsOf(failed)[0]?.code], [1, 'no-source']);
      return errorsOf(failed)[0]?.message ?? '';
    };
    mkdirSync(project.path('data'));
    symlinkSync('nowhere', project.path('in/link.jsonl'));
    assert.match(await messageFor('gone.jsonl'), /there is no file gone.jsonl/);
    assert.match(await messageFor('data'), /data is a folder; its files are data\/\*\*\/\*.jsonl/);
    assert.match(await messageFor('in/*.jsonl'), /the link in\/link.jsonl leads to no file/);
  }));

test('a compressed source that may not be read is an error that names it', () =>
  withFiles({ 'in/a.jsonl.gz': gzipSync(line(1)) }, async (project) => {
    const path = project.path('in/a.jsonl.gz');
    chmodSync(path, 0);
    for (const folder of [join(project.dir, '..'), project.dir]) chmodSync(folder, 0o755);
    await unprivileged(project.path('in'), async () => {
      const error = await new FileDigests(project.path('.dsbuild')).digest(path).catch((thrown: unknown) => thrown);
      const { code, where, hint } = error as { code: string; where: string; hint: string };
      assert.equal([code, where, hint], ['no-file', path, 'Check its permissions.']);
    });
  }));

test.run();
