import type { Part } from './part.ts';
import type { UserFunction } from './user-function.ts';

const sourceMark: unique symbol = Symbol.for('dsbuild.source');

/** Where one group's data comes from, with more said than a string can. */
export interface SourceValue {
  readonly [sourceMark]: true;
  readonly patterns: readonly string[];
  readonly adapt?: UserFunction;
  /** Digest that the remote bytes must have: `blake3:<hex>` or `sha256:<hex>`. */
  readonly pin?: string;
  readonly endpoint?: string;
  readonly region?: string;
  readonly versions?: boolean;
}

export interface SourceOptions {
  /** Turns one record of the source into a document; made by `defineAdapter`. */
  adapt?: UserFunction;
}

/** Local files by path or glob, relative to the config that declares them. */
export function files(patterns: string | readonly string[], options: SourceOptions = {}): SourceValue {
  return { [sourceMark]: true, patterns: typeof patterns === 'string' ? [patterns] : patterns, ...options };
}

/** What is no text stays as it is, for whoever checks options to refuse. */
const pinOf = (hash: string, hex: string): string => (typeof hex === 'string' ? `${hash}:${hex}` : hex);

/** One file behind `http://` or `https://`; `blake3` or `sha256` (hex) refuses any other bytes. */
export function url(address: string, options: SourceOptions & { blake3?: string; sha256?: string } = {}): SourceValue {
  const { blake3, sha256, ...rest } = options;
  const pin = blake3 ? pinOf('blake3', blake3) : sha256 ? pinOf('sha256', sha256) : undefined;
  return { [sourceMark]: true, patterns: [address], ...rest, ...(pin && { pin }) };
}

export interface S3Options extends SourceOptions {
  endpoint?: string;
  region?: string;
  /** With a glob, in a bucket that keeps versions: objects that were replaced or removed since are still had as they were pinned. */
  versions?: boolean;
}

/** One object of S3 or a server that speaks its protocol, or with a glob all that match. */
export function s3(address: `s3://${string}`, options: S3Options = {}): SourceValue {
  return { [sourceMark]: true, patterns: [address], ...options };
}

export const isSourceValue = (value: unknown): value is SourceValue => typeof value === 'object' && value !== null && sourceMark in value;

/** How a source's bytes are wrapped, read off its name. */
export type SourceFormat = 'jsonl' | 'jsonl.gz' | 'jsonl.zst';

/** Which content of an object is meant: what a bucket's listing said of it when it was pinned. */
export interface ObjectIdentity {
  readonly etag: string;
  readonly bytes: number;
  readonly version?: string;
}

/** A piece of a source as `download`'s plan sees it, in the order of the config. */
export type SourceItem =
  /** A chunk of a plain local file, by reference. */
  | { readonly item: 'chunk'; readonly part: Part; readonly adapt?: UserFunction }
  /** A whole local file that has to be unwrapped first. */
  | { readonly item: 'file'; readonly part: Part; readonly format: SourceFormat; readonly adapt?: UserFunction }
  /** A remote file; `pin` is the BLAKE3 digest that the lock or an earlier fetch gives it, `object` what a listing says of it. */
  | {
      readonly item: 'remote';
      readonly address: string;
      readonly group: string;
      readonly format: SourceFormat;
      readonly pin?: string;
      readonly declaredPin?: string;
      readonly object?: ObjectIdentity;
      readonly endpoint?: string;
      readonly region?: string;
      readonly adapt?: UserFunction;
    };

export interface Sources extends AsyncIterable<SourceItem> {
  readonly groups: readonly string[];
}
