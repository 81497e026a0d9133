import { BuildError } from '../base/errors.ts';

/** Why an object's name can not be taken for a path, as the end of a sentence; undefined for most. */
function problemOf(name: string): string | undefined {
  if (/\p{Cc}/u.test(name)) return 'holds a control character';
  if (/[\ufffd\p{Cs}]/u.test(name)) return 'is not valid UTF-8';
  if (name.includes('\\')) return 'holds a backslash';
  if (/^[a-z]:/i.test(name)) return 'begins like a drive of Windows';
  const segments = name.split('/');
  if (segments.includes('')) return segments[0] === '' ? 'is an absolute path' : 'has an empty segment';
  return segments.some((segment) => segment === '.' || segment === '..') ? 'leads to another folder' : undefined;
}

/**
 * Refuses names that could lead elsewhere or fall together once they are groups, splits or files: buckets take any name.
 *
 * @param names below the folder that the pattern begins in.
 * @param where the pattern.
 * @throws {BuildError} `bad-object-name` with the first name in question.
 */
export function assertSafeNames(names: Iterable<string>, where: string): void {
  const seen = new Map<string, string>();
  for (const name of names) {
    const problem = problemOf(name);
    if (problem !== undefined) throw badName(`the object ${JSON.stringify(name)} can not be read as a file: its name ${problem}`, where);
    const plain = name.normalize('NFC');
    const twin = seen.get(plain);
    if (twin !== undefined && twin !== name)
      throw badName(
        `two objects differ in the form of Unicode only: ${escaped(twin)} and ${escaped(name)}; on some disks they are one file`,
        where,
      );
    seen.set(plain, name);
  }
}

const badName = (message: string, where: string): BuildError =>
  new BuildError('bad-object-name', { message, where, hint: 'Rename the object, or write a pattern that leaves it out.' });

/** Both look alike in print. */
const escaped = (name: string): string =>
  JSON.stringify(name).replace(/[^ -~]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
