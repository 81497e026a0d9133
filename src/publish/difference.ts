import type { Digest } from '../base/digest.ts';

interface NamedBytes {
  readonly name: string;
  readonly digest: Digest;
}

/** What was put there last, as it is on record. */
export interface Held {
  /** Digest of all that was wanted then; '' where that was only part of it, or is not known. */
  readonly wanted: Digest;
  readonly files: Iterable<NamedBytes>;
}

/** What is wanted there now. */
export interface WantedNow {
  /** Digest of all of it; undefined where not all that publishes there is known. */
  readonly wanted: Digest | undefined;
  /** Files of what is known. Only asked for where digests do not tell that nothing differs. */
  files(): readonly NamedBytes[];
}

/** What publishing would do to an `out` that nobody touched, because it was published for something else; undefined where that is nothing. */
export function difference(held: Held, now: WantedNow): string | undefined {
  if (now.wanted !== undefined && now.wanted === held.wanted) return undefined;
  const lies = new Map(Array.from(held.files, ({ name, digest }) => [name, digest]));
  const files = now.files();
  const written = files.filter(({ name, digest }) => lies.get(name) !== digest).length;
  for (const { name } of files) lies.delete(name);
  const removed = now.wanted === undefined ? 0 : lies.size;
  const words = [
    ...(written > 0 ? [`${counted(written)} to be written`] : []),
    ...(removed > 0 ? [`${counted(removed)} to be removed`] : []),
  ];
  return words.length === 0 ? undefined : `holds what another build published: ${words.join(', ')}`;
}

const counted = (files: number): string => `${files} ${files === 1 ? 'file is' : 'files are'}`;
