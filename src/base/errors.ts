import { publicText } from './address.ts';

/** What every error of dsbuild carries: where it happened, what to do, and a stable code for machines. */
export interface ErrorDetails {
  message: string;
  /** `file:line`, a target's name, or both. */
  where?: string;
  /** The next thing to try, as a sentence. */
  hint?: string;
  cause?: unknown;
}

/**
 * An error that a user can cause or mend; printed without a stack. Anything else that is thrown is a bug of dsbuild or of a rule.
 * An address in its words shows no secret, whoever wrote them.
 */
export class BuildError extends Error {
  readonly code: string;
  readonly where: string | undefined;
  readonly hint: string | undefined;

  constructor(code: string, details: ErrorDetails) {
    super(publicText(details.message), details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'BuildError';
    this.code = code;
    this.where = details.where && publicText(details.where);
    this.hint = details.hint && publicText(details.hint);
  }

  /** The same error, with a place put in front of the one it has. */
  at(place: string): BuildError {
    const where = this.where === undefined ? place : `${place} › ${this.where}`;
    return new BuildError(this.code, { message: this.message, where, ...(this.hint && { hint: this.hint }), cause: this.cause });
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The `code` of a Node system error (`ENOENT`, `ENOSPC` ...), if it has one. */
export function systemCodeOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : undefined;
}

interface Trouble {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
}

const permission: Trouble = {
  code: 'no-permission',
  message: 'the system does not permit it',
  hint: 'Check owner and permissions of this path: another user, or a container, may have made it.',
};
const full: Trouble = {
  code: 'disk-full',
  message: 'there is no space left on the disk',
  hint: 'Free some space and build again: finished steps are kept. A smaller shardSize needs less at a time; `dsbuild clean` frees the cache.',
};
const tooManyFiles: Trouble = {
  code: 'too-many-files',
  message: 'too many files are open',
  hint: 'Raise the limit (`ulimit -n`), or give fewer --jobs.',
};

/** What failing system calls mean to people. */
const troubles: ReadonlyMap<string, Trouble> = new Map([
  ['ENOSPC', full],
  ['EDQUOT', full],
  ['EACCES', permission],
  ['EPERM', permission],
  ['EMFILE', tooManyFiles],
  ['ENFILE', tooManyFiles],
  [
    'EROFS',
    { code: 'read-only', message: 'this disk can only be read', hint: 'dsbuild writes to .dsbuild beside the config, and to `out`.' },
  ],
  ['EIO', { code: 'disk-error', message: 'the disk fails', hint: "The system's log says more. Finished steps are kept." }],
]);

const otherTrouble: Trouble = {
  code: 'system-error',
  message: 'the system refuses it',
  hint: 'Something may have changed this path while dsbuild worked on it. Build again: finished steps are kept.',
};

/** Whoever meets the same error again is to know it. */
const explanations = new WeakMap<Error, BuildError>();

/** An error of a system call as one that says what to do; anything else as it is. The same one for the same error. */
export function explained(error: unknown): unknown {
  if (error instanceof BuildError || !(error instanceof Error)) return error;
  const found = explanations.get(error) ?? explain(error);
  if (!found) return error;
  explanations.set(error, found);
  return found;
}

function explain(error: Error): BuildError | undefined {
  const { code, syscall, path } = error as NodeJS.ErrnoException;
  if (code === undefined || syscall === undefined) return undefined;
  const trouble = troubles.get(code) ?? otherTrouble;
  const message = `${trouble.message}: ${error.message}`;
  return new BuildError(trouble.code, { message, hint: trouble.hint, cause: error, ...(path !== undefined && { where: path }) });
}
