import type { Digest } from '../../base/digest.ts';
import type { Publication, WantedFile } from '../destination.ts';
import { edited, overSource } from '../refusals.ts';
import type { BucketState, ComingObject, OwnObject } from './state.ts';

/** An object as a listing shows it. */
export interface SeenObject {
  readonly bytes: number;
  readonly etag: string;
}

/** What lies behind a prefix, by name, and what our state object says of it. */
export interface Seen {
  readonly listed: ReadonlyMap<string, SeenObject>;
  readonly state: BucketState;
}

/** A file that has to be sent: over which object, or where none lies. */
export interface Sending extends WantedFile {
  readonly over: string | undefined;
}

export interface BucketChange {
  /** Objects of ours that stay. */
  readonly kept: readonly OwnObject[];
  readonly sending: readonly Sending[];
  /** Objects of ours that nobody wants any more. */
  readonly leaving: readonly OwnObject[];
  /** Names of objects that were ours until someone changed them, and that nobody wants: they stay. */
  readonly strange: readonly string[];
}

/**
 * Objects that the listing alone does not tell: what they say of themselves has to be asked, one by one. Normally there are none: only
 * after a crash, or where nothing is known of what lies there.
 */
export function doubtful({ listed, state }: Seen, files: readonly WantedFile[]): string[] {
  const noted = new Map(state.files.map((object) => [object.name, object]));
  const coming = new Set(state.coming.map(({ name }) => name));
  const names = new Set([...files.map(({ name }) => name), ...coming]);
  return [...names].filter((name) => {
    const seen = listed.get(name);
    const own = noted.get(name);
    return seen !== undefined && own?.etag !== seen.etag && (own === undefined || coming.has(name));
  });
}

/**
 * What has to happen behind a prefix. Pure: all that is known is given.
 *
 * @param said the digests that doubtful objects say they hold.
 * @throws {BuildError} `edited`, `over-source`.
 */
export function bucketChange(
  seen: Seen,
  { out, said, ...publication }: Publication & { readonly said: ReadonlyMap<string, Digest> },
): BucketChange {
  const standing = new Standing(seen, said);
  const kept: OwnObject[] = [];
  const sending: Sending[] = [];
  for (const file of publication.files) {
    const place = `${out}/${file.name}`;
    const object = seen.listed.get(file.name);
    const own = standing.own(file.name, file);
    if (!standing.wasOurs(file.name) && publication.isInPlace(place)) throw overSource(place, file.target);
    if (own?.digest === file.digest) kept.push(own);
    else if (object && !own && !publication.overwrite) throw edited(place, standing.wasOurs(file.name));
    else sending.push({ ...file, over: object?.etag });
  }
  const wanted = new Set(publication.files.map(({ name }) => name));
  const [leaving, strange]: [OwnObject[], string[]] = [[], []];
  for (const name of standing.names()) {
    if (wanted.has(name) || !seen.listed.has(name)) continue;
    const own = standing.own(name, undefined);
    if (!own && standing.isNoted(name)) strange.push(name);
    if (!own) continue;
    if (publication.partial) kept.push(own);
    else leaving.push(own);
  }
  return { kept, sending, leaving, strange: publication.partial ? [] : strange };
}

/** Whose an object is. */
class Standing {
  readonly #seen: Seen;
  readonly #said: ReadonlyMap<string, Digest>;
  readonly #files: ReadonlyMap<string, OwnObject>;
  readonly #coming = new Map<string, ComingObject[]>();

  constructor(seen: Seen, said: ReadonlyMap<string, Digest>) {
    this.#seen = seen;
    this.#said = said;
    this.#files = new Map(seen.state.files.map((object) => [object.name, object]));
    for (const object of seen.state.coming) this.#coming.set(object.name, [...(this.#coming.get(object.name) ?? []), object]);
  }

  *names(): Generator<string> {
    yield* this.#files.keys();
    for (const name of this.#coming.keys()) if (!this.#files.has(name)) yield name;
  }

  /** It was there when we last looked. */
  isNoted(name: string): boolean {
    return this.#files.has(name);
  }

  wasOurs(name: string): boolean {
    return this.#files.has(name) || this.#coming.has(name);
  }

  /**
   * The object of this name, if it is one that we wrote: as the state says; or as it says itself, if that is what was coming, or what is
   * wanted and nothing is known of it. One that was noted and has another ETag was changed, whatever it says: not all servers take what
   * it says away with its bytes.
   */
  own(name: string, wanted: ComingObject | undefined): OwnObject | undefined {
    const object = this.#seen.listed.get(name);
    const file = this.#files.get(name);
    if (!object) return undefined;
    if (file?.etag === object.etag) return file;
    const digest = this.#said.get(name);
    const expected = [...(this.#coming.get(name) ?? []), ...(wanted && !file ? [wanted] : [])];
    const found = expected.find((one) => one.digest === digest && one.bytes === object.bytes);
    return found && { name, digest: found.digest, ...object };
  }
}

/** Whether nothing is left to do, as far as one listing tells. */
export function isAsWanted({ listed, state }: Seen, wanted: Digest): boolean {
  if (state.wanted !== wanted || state.coming.length > 0) return false;
  return state.files.every(({ name, etag, bytes }) => listed.get(name)?.etag === etag && listed.get(name)?.bytes === bytes);
}

/** Objects of ours by how they stand, as far as one listing tells. */
export interface StandingObjects {
  readonly missing: readonly OwnObject[];
  readonly changed: readonly OwnObject[];
  readonly unchanged: readonly OwnObject[];
}

export function standingObjects({ listed, state: { files } }: Seen): StandingObjects {
  const isSame = ({ name, etag }: OwnObject): boolean => listed.get(name)?.etag === etag;
  return {
    missing: files.filter(({ name }) => !listed.has(name)),
    changed: files.filter((object) => listed.has(object.name) && !isSame(object)),
    unchanged: files.filter(isSame),
  };
}
