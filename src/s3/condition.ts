import { S3Error } from './errors.ts';

/** When an object may be written: only if there is none, only over the one that was seen, or in any case. */
export type Condition = 'absent' | { readonly etag: string } | 'any';

/** `exists`: the condition did not hold; nothing was written. */
export type Written = 'written' | 'exists';

export const headersOf = (condition: Condition): { IfNoneMatch?: '*'; IfMatch?: string } => {
  if (condition === 'absent') return { IfNoneMatch: '*' };
  return condition === 'any' ? {} : { IfMatch: condition.etag };
};

/** 412; 409 if another is just writing it; 404 if what was to be replaced is gone. */
export const conditionFailed = (error: unknown): boolean =>
  error instanceof S3Error && (error.kind === 'conflict' || error.kind === 'missing');
