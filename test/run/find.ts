import { resolve } from 'node:path';
import { parse } from 'uvu/parse';

export interface TestFile {
  name: string;
  file: string;
}

const slow = [/^build\//, /^e2e\//, /^services\//, /\.slow\.test\.tsx?$/];
const isSlow = (name: string): boolean => slow.some((pattern) => pattern.test(name));

/**
 * The test files under a folder, in order of name.
 *
 * @param filters parts of paths, any of which must be in a file's name; none means all.
 */
export async function findTests(folder: string, { fast, filters }: { fast: boolean; filters: readonly string[] }): Promise<TestFile[]> {
  const { suites } = await parse(resolve(folder), '\\.test\\.tsx?$', { ignore: ['(^|/)fixtures(/|$)'] });
  return suites
    .filter(({ name }) => !(fast && isSlow(name)))
    .filter(({ name }) => filters.length === 0 || filters.some((part) => name.includes(part.replace(/^test\//, ''))))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Slowest first, so that the last file to end is a short one; files never timed come first when they are of the slow kind. */
export function slowestFirst(files: readonly TestFile[], tookMs: Readonly<Record<string, number>>): TestFile[] {
  const expected = ({ name }: TestFile): number => tookMs[name] ?? (isSlow(name) ? Number.MAX_VALUE : 0);
  return [...files].sort((a, b) => expected(b) - expected(a));
}
