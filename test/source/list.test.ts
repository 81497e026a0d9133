import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { BuildError } from '../../src/base/errors.ts';
import { parseGlob } from '../../src/source/glob.ts';
import { grouping, listSource } from '../../src/source/list.ts';
import { put, temporaryFolder, unprivileged } from './files.ts';

const test = suite('list of local files');

const folderWith = (...names: string[]): string => {
  const folder = temporaryFolder();
  put(folder, Object.fromEntries(names.map((name) => [name, 'x\n'])));
  return folder;
};

const list = (base: string, ...patterns: string[]): string[] => listSource({ group: 'g', patterns, base }).paths;

test('a star stays in its folder, two stars go to any depth', () => {
  const base = folderWith('a.jsonl', 'b.txt', 'd/c.jsonl', 'd/e/f.jsonl');
  assert.equal(list(base, '*.jsonl'), ['a.jsonl']);
  assert.equal(list(base, '**/*.jsonl'), ['a.jsonl', 'd/c.jsonl', 'd/e/f.jsonl']);
  assert.equal(list(base, '*/*.jsonl'), ['d/c.jsonl']);
  assert.equal(list(base, 'd/**'), ['d/c.jsonl', 'd/e/f.jsonl']);
  assert.equal(list(base, './d/*'), ['d/c.jsonl']);
  assert.equal(list(base, '**/e/*'), ['d/e/f.jsonl']);
});

test('a question mark is one character, braces are alternatives, also across folders', () => {
  const base = folderWith('a1.jsonl', 'a2.jsonl', 'a10.jsonl', 'x/y/a.jsonl', 'z/a.jsonl', 'w/a.jsonl');
  assert.equal(list(base, 'a?.jsonl'), ['a1.jsonl', 'a2.jsonl']);
  assert.equal(list(base, 'a{1,10}.jsonl'), ['a1.jsonl', 'a10.jsonl']);
  assert.equal(list(base, '{x/y,z}/*.jsonl'), ['x/y/a.jsonl', 'z/a.jsonl']);
});

test('brackets, parentheses and other signs are themselves', () => {
  const base = folderWith('a [1] (x)+!@$^.jsonl', 'a 1 x.jsonl');
  assert.equal(list(base, 'a [1] (x)+!@$^*'), ['a [1] (x)+!@$^.jsonl']);
  assert.equal(list(base, 'a [1] (x)+!@$^.jsonl'), ['a [1] (x)+!@$^.jsonl']);
});

test('the order is that of the whole paths by code unit, on every machine', () => {
  const names = ['a.b/x', 'a/x', 'a-b/x', 'A', 'Z/x', 'a', 'é', 'z', '\u{1f600}', '\uff01', 'a0/x', 'a/b/x', 'a/b.x'];
  const base = folderWith(...names.map((name) => `${name}.jsonl`));
  assert.equal(list(base, '**/*.jsonl'), names.map((name) => `${name}.jsonl`).sort());
});

test('several patterns give each file once, in one order', () => {
  const base = folderWith('b.jsonl', 'a/c.jsonl', 'z.jsonl');
  assert.equal(list(base, 'z.jsonl', '*.jsonl', '**/*.jsonl'), ['a/c.jsonl', 'b.jsonl', 'z.jsonl']);
});

test('no pattern, or a glob in a folder that is not there, gives no files', () => {
  const base = folderWith('a.jsonl');
  assert.equal(list(base), []);
  assert.equal(listSource({ group: 'g', patterns: ['absent/**/*.jsonl'], base }), {
    paths: [],
    others: [],
    missing: [],
    linkedFolders: [],
  });
});

test('a plain path that is not a file is missing; a folder is not expanded', () => {
  const base = folderWith('d/a.jsonl');
  const { paths, missing } = listSource({ group: 'g', patterns: ['d', 'gone.jsonl', 'd/a.jsonl'], base });
  assert.equal(paths, ['d/a.jsonl']);
  assert.equal(missing, [
    { group: 'g', pattern: 'd' },
    { group: 'g', pattern: 'gone.jsonl' },
  ]);
});

test('.dsbuild, .git and node_modules are never entered; names with a dot only if the pattern writes it', () => {
  const base = folderWith('.dsbuild/a.jsonl', '.git/a.jsonl', 'd/node_modules/a.jsonl', '.hidden.jsonl', '.h/a.jsonl', 'd/b.jsonl');
  assert.equal(list(base, '**/*.jsonl'), ['d/b.jsonl']);
  assert.equal(list(base, '.h*/*.jsonl'), ['.h/a.jsonl']);
  assert.equal(list(base, '.*'), ['.hidden.jsonl']);
});

test('links to files are followed, links to folders are not, links to nothing are missing', () => {
  const base = folderWith('d/a.jsonl');
  symlinkSync('d/a.jsonl', join(base, 'link.jsonl'));
  symlinkSync('d', join(base, 'folder.jsonl'));
  symlinkSync('nowhere', join(base, 'dangling.jsonl'));
  symlinkSync('loop.jsonl', join(base, 'loop.jsonl'));
  assert.equal(listSource({ group: 'g', patterns: ['**/*.jsonl'], base }), {
    paths: ['d/a.jsonl', 'link.jsonl'],
    others: [],
    missing: [
      { group: 'g', pattern: 'dangling.jsonl' },
      { group: 'g', pattern: 'loop.jsonl' },
    ],
    linkedFolders: ['folder.jsonl'],
  });
  assert.equal(listSource({ group: 'g', patterns: ['*.jsonl'], base }).linkedFolders, [], 'a pattern that enters no folder');
});

test('paths outside the base folder and absolute ones are relative to it', () => {
  const outer = folderWith('data/a.jsonl', 'project/b.jsonl');
  const base = join(outer, 'project');
  assert.equal(list(base, '../data/*.jsonl', `${outer}/data/a.jsonl`, `${outer}/project/*`), ['../data/a.jsonl', 'b.jsonl']);
});

test('a source may set files apart that are read in another way', () => {
  const base = folderWith('a.jsonl', 'b.jsonl.gz');
  const accepts = (path: string): boolean => !path.endsWith('.gz');
  for (const patterns of [['*'], ['a.jsonl', 'b.jsonl.gz']]) {
    assert.equal(listSource({ group: 'g', patterns, base, accepts }), {
      paths: ['a.jsonl'],
      others: ['b.jsonl.gz'],
      missing: [],
      linkedFolders: [],
    });
  }
});

test('a folder that can not be listed is an error that names it, where a pattern leads into it', async () => {
  const base = folderWith('d/a.jsonl');
  mkdirSync(join(base, 'closed'));
  chmodSync(join(base, 'closed'), 0);
  await unprivileged(base, () => {
    assert.throws(
      () => list(base, '**/*'),
      (error: BuildError) =>
        error.code === 'source-unreadable' && error.where === `${base}/closed/` && /can not be listed/.test(error.message),
    );
    assert.equal(list(base, 'd/*'), ['d/a.jsonl']);
  });
  chmodSync(join(base, 'closed'), 0o700);
});

test('a file name that is not UTF-8 is an error, not a file that is passed over', () => {
  const base = folderWith('a.jsonl');
  writeFileSync(Buffer.concat([Buffer.from(`${base}/`), Buffer.from([0x62, 0xff]), Buffer.from('.jsonl')]), 'x');
  assert.throws(
    () => list(base, '*.jsonl'),
    (error: BuildError) => error.code === 'source-unreadable' && /not valid UTF-8/.test(error.message),
  );
  assert.equal(list(base, 'a*'), ['a.jsonl']);
});

test('names with a newline, quotes, or in two Unicode forms are names like others', () => {
  const names = ['e\u0301.jsonl', 'line\nbreak.jsonl', 'q"u\'o`te.jsonl', '\u00e9.jsonl'];
  const base = folderWith(...names);
  assert.equal(list(base, '*.jsonl'), names.toSorted());
  for (const name of names) assert.equal(list(base, name), [name]);
});

test('only folders that can hold a match are entered', () => {
  const glob = parseGlob('runs/2026-*/{out,log}/**/*.jsonl');
  assert.is(glob.folder, 'runs');
  assert.equal([glob.enters('2026-11', 0), glob.enters('2025-11', 0)], [true, false]);
  assert.equal([glob.enters('out', 1), glob.enters('tmp', 1), glob.enters('any', 2), glob.enters('any', 9)], [true, false, true, true]);
  assert.equal([parseGlob('*.jsonl').enters('d', 0), parseGlob('/data/*/x').folder, parseGlob('/*/x').folder], [false, '/data', '/']);
});

test('entering only some folders loses no match', () => {
  const segment = fc.constantFrom('a', 'b', '*', '**', 'a*', '{a,b}', '?', '{a/b,b}');
  const paths = ['a', 'b', 'ab'].flatMap((x) => [
    x,
    ...['a', 'b'].flatMap((y) => [`${x}x/${y}`, ...['a', 'b'].map((z) => `${x}/${y}y/${z}`)]),
  ]);
  const nested = paths.map((path) => `${path}.f`);
  const base = folderWith(...nested);
  fc.assert(
    fc.property(fc.array(segment, { maxLength: 3 }), fc.constantFrom('*.f', 'a.f', '?.f'), (folders, name) => {
      const pattern = [...folders, name].join('/');
      const glob = parseGlob(pattern);
      const below = (path: string): string => (glob.folder === '' ? path : path.slice(glob.folder.length + 1));
      const inside = nested.filter((path) => glob.folder === '' || path.startsWith(`${glob.folder}/`));
      if (!/[*?{]/.test(pattern)) return;
      assert.equal(list(base, pattern), inside.filter((path) => glob.matches(below(path))).sort());
    }),
    { numRuns: 150 },
  );
});

test('a group without a star holds all files', () => {
  assert.is(grouping({ group: 'chat/all', patterns: ['*.jsonl'], base: '/b' })('x/a.jsonl'), 'chat/all');
});

test('a group with a star is a group for each file, named below the fixed part of its pattern', () => {
  const custom = grouping({ group: 'custom/*', patterns: ['data/custom/**/*.jsonl', 'more/one.jsonl.gz'], base: '/b' });
  assert.is(custom('data/custom/a.jsonl'), 'custom/a');
  assert.is(custom('data/custom/x/b.v2.jsonl.zst'), 'custom/x/b.v2');
  assert.is(custom('more/one.jsonl.gz'), 'custom/one');
  assert.is(custom('data/custom/$&.txt'), 'custom/$&.txt');
});

test.run();
