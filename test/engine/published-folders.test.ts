import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { digestHex } from '../../src/base/digest.ts';
import { type FileIdentity, identityOf } from '../../src/base/files.ts';
import { PublishedFolders } from '../../src/engine/published-folders.ts';
import { Published, writePublished } from '../../src/publish/published.ts';

const test = suite<{ folder: string }>('published folders');
test.before.each((context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'dsbuild-published-'));
});
test.after.each(({ folder }) => rmSync(folder, { recursive: true, force: true }));

/** A folder that holds one published file. */
function published(folder: string): { stateDir: string; out: string; path: string; digest: string } {
  const [stateDir, out] = [join(folder, 'state'), join(folder, 'out')];
  mkdirSync(out);
  const path = join(out, 'a.txt');
  writeFileSync(path, 'published');
  const digest = digestHex('published');
  writePublished(stateDir, Published.of(out, digest, [{ name: 'a.txt', digest, identity: identityOf(path) as FileIdentity }]));
  return { stateDir, out, path, digest };
}

test('bytes are found in a folder that nothing has asked for yet', ({ folder }) => {
  const { stateDir, out, path, digest } = published(folder);
  assert.equal(new PublishedFolders(stateDir, [out]).locate(digest), [{ path, offset: 0, length: 9 }]);
});

test('a published file that somebody touched is no source of bytes', ({ folder }) => {
  const { stateDir, out, path, digest } = published(folder);
  writeFileSync(path, 'edited by hand');
  assert.is(new PublishedFolders(stateDir, [out]).locate(digest), undefined);
});

test.run();
