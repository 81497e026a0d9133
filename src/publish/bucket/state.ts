import { type Digest, digestHex } from '../../base/digest.ts';

/** An object of ours, as it lay there when we wrote it. */
export interface OwnObject {
  readonly name: string;
  readonly digest: Digest;
  readonly bytes: number;
  /** What the server calls that very content. */
  readonly etag: string;
}

/** One that is being written: if it is there and says that it holds this digest, it is ours. */
export type ComingObject = Omit<OwnObject, 'etag'>;

/** What dsbuild has published behind one prefix; the object that says so lies there itself, so that every machine knows it. */
export interface BucketState {
  /** Digest of all that was to be published; '' while a change is under way, or only part of it was brought up to date. */
  readonly wanted: Digest;
  readonly files: readonly OwnObject[];
  readonly coming: readonly ComingObject[];
}

/** Hidden, so that no glob of whoever reads the data meets it. */
export const stateName = '.dsbuild-published';

const head = '# dsbuild published, format 1: what dsbuild has put behind this prefix. Digest of what follows: ';

/** A line for each object, after one that proves them. */
export function encodeState({ wanted, files, coming }: BucketState): Buffer {
  const lines = [
    { wanted },
    ...files.map(({ name, digest, bytes, etag }) => ({ name, digest, bytes, etag })),
    ...coming.map(({ name, digest, bytes }) => ({ coming: name, digest, bytes })),
  ];
  const body = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
  return Buffer.from(`${head}${digestHex(body)}\n${body}`);
}

/** @returns undefined for what is damaged, or was written by someone else. */
export function decodeState(bytes: Buffer): BucketState | undefined {
  const text = bytes.toString('utf8');
  const end = text.indexOf('\n') + 1;
  const body = text.slice(end);
  if (text.slice(0, end) !== `${head}${digestHex(body)}\n`) return undefined;
  const [first, ...lines] = body.trimEnd().split('\n');
  const { wanted } = JSON.parse(first as string) as { wanted: Digest };
  const objects = lines.map((line) => JSON.parse(line) as OwnObject | { coming: string; digest: Digest; bytes: number });
  return {
    wanted,
    files: objects.flatMap((object) => ('coming' in object ? [] : [object])),
    coming: objects.flatMap((object) => ('coming' in object ? [{ name: object.coming, digest: object.digest, bytes: object.bytes }] : [])),
  };
}
