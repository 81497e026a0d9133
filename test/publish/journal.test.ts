/** Publishing is killed before each single change of the file system; the next build must go on without help. */
import { writeFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { digestHex } from '../../src/base/digest.ts';
import { hasJournal, readJournal, removeJournal, writeJournal } from '../../src/publish/journal.ts';
import { recordOf } from '../../src/publish/published.ts';
import { removeFolders, temporaryFolder } from '../cache/folders.ts';
import { killedAt } from './crash.ts';
import { type Files, Folder, large, sorted } from './folder.ts';

const test = suite('journal');
test.after.each(removeFolders);

const [one, two, three, four]: readonly [Files, Files, Files, Files] = [
  { a: large('a'), b: 'b', 'deep/c': large('c'), gone: large('gone'), same: large('s'), manifest: '1' },
  {
    a: large('a2'),
    stays: 'as it is',
    b: 'b',
    'deep/c': 'c2',
    new: large('gone'),
    'deep/same': large('s'),
    same: large('s'),
    manifest: '2',
  },
  { a: large('a'), stays: 'as it is', b: large('b3'), new: 'n', other: large('a2'), manifest: '3' },
  { a: large('a4'), stays: 'now other', manifest: '4' },
];

/** No file but old ones, new ones, and what a copy that was cut off left under a name of its own. */
function assertNothingPartial(folder: Folder, ...states: readonly Files[]): void {
  for (const [name, content] of Object.entries(folder.files())) {
    if (name === 'notes' || /(^|\/)\.dsbuild-[^/]*\.tmp$/.test(name)) continue;
    assert.ok(
      states.some((state) => state[name] === content),
      `${name} is neither as before nor as after`,
    );
  }
}

async function published(files: Files): Promise<Folder> {
  const folder = new Folder();
  await folder.publish(files);
  folder.write('notes', 'mine');
  return folder;
}

/** Publishes over `before`, killed before change number `at`. @returns undefined when it ended before. */
async function killedWhilePublishing(before: Files, after: Files, at: number): Promise<Folder | undefined> {
  const folder = await published(before);
  if (!(await killedAt(at, () => folder.publish(after)))) return undefined;
  folder.restart();
  return folder;
}

const withNotes = (files: Files): Record<string, string> => sorted({ ...files, notes: 'mine' });

test('killed before any of its changes, what was being published is published by the next build', async () => {
  let kills = 0;
  for (; ; kills++) {
    const folder = await killedWhilePublishing(one, two, kills);
    if (!folder) break;
    assertNothingPartial(folder, one, two);
    await folder.publish(two);
    assert.equal(folder.files(), withNotes(two));
    assert.equal(await folder.publish(two), { written: 0, removed: 0, bytes: 0 });
    assert.not.ok(hasJournal(folder.stateDir, folder.out));
  }
  assert.ok(kills > 20);
});

test('the next build may want what was there before, or something else', async () => {
  for (const next of [one, three, {}]) {
    for (let at = 0; ; at++) {
      const folder = await killedWhilePublishing(one, two, at);
      if (!folder) break;
      await folder.publish(next);
      assert.equal(folder.files(), withNotes(next));
    }
  }
});

test('going on may be killed in turn, at any change', async () => {
  for (let first = 2; ; first += 5) {
    if (!(await killedWhilePublishing(one, two, first))) break;
    for (let second = first % 4; ; second += 4) {
      const folder = (await killedWhilePublishing(one, two, first)) as Folder;
      if (!(await killedAt(second, () => folder.publish(three)))) break;
      folder.restart();
      assertNothingPartial(folder, one, two, three);
      await folder.publish(four);
      assert.equal(folder.files(), withNotes(four));
    }
  }
});

test('what was edited after the kill is neither lost nor taken for ours', async () => {
  for (let at = 0; ; at++) {
    const folder = await killedWhilePublishing(one, two, at);
    if (!folder) break;
    folder.write('a', 'edited');
    const error = await folder.publish(two).then(
      () => undefined,
      (thrown: { code?: string; where?: string }) => thrown,
    );
    assert.equal([error?.code, error?.where, folder.read('a')], ['edited', folder.path('a'), 'edited']);
  }
});

test('a journal comes back as it was written, and is gone when it is removed', () => {
  const dir = temporaryFolder();
  const entries = [
    { name: 'a', before: null, after: digestHex('a') },
    { name: 'b"\n', before: digestHex('b'), after: null },
  ];
  assert.equal([hasJournal(dir, '/out'), readJournal(dir, '/out')], [false, []]);
  writeJournal(dir, '/out', entries);
  assert.equal([hasJournal(dir, '/out'), readJournal(dir, '/out'), readJournal(dir, '/other')], [true, entries, []]);
  removeJournal(dir, '/out');
  assert.equal(readJournal(dir, '/out'), []);
});

test('a journal that is damaged tells nothing', () => {
  const dir = temporaryFolder();
  writeJournal(dir, '/out', [{ name: 'a', before: null, after: digestHex('a') }]);
  const path = recordOf(dir, '/out', 'journal');
  for (const text of ['', 'x', `${digestHex('other')}\n{"entries":[]}`]) {
    writeFileSync(path, text);
    assert.equal(readJournal(dir, '/out'), []);
  }
});

test.run();
