import type { Build } from '../../src/rule/rule.ts';

function problemOf(path: string): string | undefined {
  if (path.includes('\0')) return 'it holds a NUL';
  if (path.includes('\\')) return 'it holds a backslash';
  if (path.startsWith('/') || /^[A-Za-z]:/.test(path)) return 'it is an absolute path';
  const segments = path.split('/');
  if (segments.includes('')) return 'one of its segments is empty';
  if (segments.includes('..') || segments.includes('.')) return 'it leads to another folder';
  return undefined;
}

/** A path below `out` made from a group's name, which may come from a remote listing: it never leads outside. */
export function fileOfGroup(build: Build, group: string, extension: string): string {
  const problem = problemOf(group);
  if (problem === undefined) return `${group}.${extension}`;
  return build.fail('bad-group', {
    message: `the group ${JSON.stringify(group)} can not be the name of a file: ${problem}`,
    hint: "Name sources '<category>/<name>'.",
  });
}

/** A path below `out` that a config gave. */
export function fileNamed(build: Build, name: string): string {
  const problem = problemOf(name);
  if (problem === undefined) return name;
  return build.fail('bad-name', {
    message: `${JSON.stringify(name)} can not be the name of a file: ${problem}`,
    hint: 'Give a path below "out".',
  });
}
