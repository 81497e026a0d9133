import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readSeen, seenAgain } from '../../src/config/identity.ts';
import { createProject, removeProjects } from './project.ts';

const test = suite('config/identity');
test.after(removeProjects);

/** A file that was installed, and so did not change within the last seconds. */
const old = fileURLToPath(import.meta.resolve('uvu'));

test('an old file is known by size, times and inode, without being read', () => {
  const { seen } = readSeen(old);
  assert.match(seen.identity, /^\d+ \d+ \d+ \d+ \d+$/);
  const pretended = { ...seen, digest: 'not read' };
  assert.is(seenAgain(pretended), pretended);
});

test('a file with another identity is read, and known again by its bytes', () => {
  const { seen } = readSeen(old);
  assert.equal(seenAgain({ ...seen, identity: '1 2 3 4 5' }), seen);
  assert.is(seenAgain({ ...seen, identity: '1 2 3 4 5', digest: 'other bytes' }), undefined);
});

test('a file that changed just now has no identity to trust', () => {
  const project = createProject();
  project.write({ 'a.ts': 'a' }, 'fresh');
  const { seen } = readSeen(project.path('a.ts'));
  assert.is(seen.identity, '');
  assert.equal(seenAgain(seen), seen);
  project.write({ 'a.ts': 'b' }, 'fresh');
  assert.is(seenAgain(seen), undefined);
});

test('a file that is gone is not seen again', () => {
  assert.is(seenAgain({ path: `${old}.gone`, digest: '', identity: '' }), undefined);
});

test.run();
