import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { digestHex } from '../../src/base/digest.ts';
import { BuildError } from '../../src/base/errors.ts';
import { FileDigests } from '../../src/engine/file-digests.ts';
import { temporaryFolder } from '../source/files.ts';

const test = suite('digests of whole files');

test('a file has the digest of its bytes; a named pipe in its place is an error at once', async () => {
  const folder = temporaryFolder();
  const [file, pipe] = [join(folder, 'a.jsonl.gz'), join(folder, 'b.jsonl.gz')];
  writeFileSync(file, 'bytes');
  execFileSync('mkfifo', [pipe]);
  const digests = new FileDigests(join(folder, '.dsbuild'));
  // Whether its identity is to be trusted yet depends on how long ago it was written.
  const { digest, bytes } = await digests.digest(file);
  assert.equal([digest, bytes], [digestHex('bytes'), 5]);
  try {
    await digests.digest(pipe);
    assert.unreachable();
  } catch (error) {
    assert.instance(error, BuildError);
    const { code, where, message } = error as BuildError;
    assert.equal([code, where, message], ['no-file', pipe, 'the file can not be read: it is a named pipe, not a file']);
  }
});

test.run();
