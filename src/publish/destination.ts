import type { Digest } from '../base/digest.ts';

export interface WantedFile {
  readonly name: string;
  readonly digest: Digest;
  readonly bytes: number;
  readonly target: string;
  /** It says that the others are there: readers look for it first, so it comes last. */
  readonly isLast: boolean;
}

export interface Publication {
  /** An absolute folder, or `s3://bucket/prefix`. */
  readonly out: string;
  readonly files: readonly WantedFile[];
  /** Digest of all that is wanted, to be compared by a build that has nothing to do. */
  readonly wanted: Digest;
  /** Only part of what is published there: what is not named stays. */
  readonly partial: boolean;
  /** Something of the user's that lies at a published place: it is read where it is, and never written, removed or owned. */
  isInPlace(place: string): boolean;
  readonly overwrite: boolean;
}

export interface PublishOutcome {
  readonly written: number;
  readonly removed: number;
  readonly bytes: number;
}

/** Where files of targets are published: a folder, or a prefix of a bucket. */
export interface Destination {
  /** Whether all that is wanted lies there, as it was put there, and nothing is half done. */
  isUpToDate(wanted: Digest): Promise<boolean>;
  /**
   * Brings it to what is wanted, so that after a crash the next build goes on from there, and what someone else put there is neither
   * overwritten nor removed.
   */
  publish(publication: Publication): Promise<PublishOutcome>;
  /** Nothing more is asked of it. */
  close(): void;
}
