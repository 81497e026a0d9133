/** What every error of dsbuild carries: where it happened, what to do, and a stable code for machines. */
export interface ErrorDetails {
  message: string;
  /** `file:line`, a target's name, or both. */
  where?: string;
  /** The next thing to try, as a sentence. */
  hint?: string;
  cause?: unknown;
}

/** An error that a user can cause or mend; printed without a stack. Anything else that is thrown is a bug of dsbuild or of a rule. */
export class BuildError extends Error {
  readonly code: string;
  readonly where: string | undefined;
  readonly hint: string | undefined;

  constructor(code: string, details: ErrorDetails) {
    super(details.message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'BuildError';
    this.code = code;
    this.where = details.where;
    this.hint = details.hint;
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
