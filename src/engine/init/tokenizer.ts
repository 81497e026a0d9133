import { BuildError } from '../../base/errors.ts';
import { lookForTokenizer } from '../../source/tokenizer.ts';

/** What is wrong with a tokenizer that a config is to name, as far as it can be told without a network. */
export function tokenizerProblem(reference: string, cwd: string): BuildError | undefined {
  try {
    lookForTokenizer(reference, cwd);
    return undefined;
  } catch (error) {
    if (error instanceof BuildError) return error;
    throw error;
  }
}

/** What is to be known of one that lies elsewhere. @throws {BuildError} `tokenizer-not-found`, `bad-tokenizer-reference` */
export function tokenizerNotes(reference: string, cwd: string): string[] {
  const place = lookForTokenizer(reference, cwd);
  if (place === 'here') return [];
  const from = place === 'npm' ? 'by npm' : 'from the Hub';
  return [`${reference} was not looked for: it is fetched ${from} at the first build, or when dsbuild doctor --online is asked for it`];
}
