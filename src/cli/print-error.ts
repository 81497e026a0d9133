import { publicText } from '../base/address.ts';
import { BuildError, explained, messageOf } from '../base/errors.ts';
import type { ShownError } from '../base/events.ts';
import { showError } from '../report/show-error.ts';
import type { CliContext } from './context.ts';
import { paintFor, widthOfScreen } from './context.ts';

export const shownOf = ({ code, message, where, hint }: BuildError): ShownError => ({
  code,
  message,
  ...(where !== undefined && { where }),
  ...(hint !== undefined && { hint }),
});

/** On GitHub Actions the line that is wrong is marked, and the page of the job says why. */
async function tellGithubOf(shown: ShownError, context: CliContext, cwd: string): Promise<void> {
  if (context.env['GITHUB_ACTIONS'] !== 'true') return;
  const { githubOptions, tellGithub } = await import('../report/github.ts');
  const options = githubOptions(context.env, cwd);
  if (options) tellGithub(context.stderr, shown, options);
}

/**
 * What a user can mend is said without a stack; anything else is dsbuild's fault, and whoever mends it needs the stack.
 * @param how `cwd` is the folder that the command worked in.
 */
export async function printError(thrown: unknown, context: CliContext, { json, cwd }: { json: boolean; cwd: string }): Promise<void> {
  const error = explained(thrown);
  const shown = error instanceof BuildError ? shownOf(error) : { code: 'bug', message: publicText(messageOf(error)) };
  const stack =
    error instanceof BuildError ? undefined : error instanceof Error && error.stack !== undefined ? publicText(error.stack) : undefined;
  if (json) {
    context.stdout.write(`${JSON.stringify({ type: 'error', ...shown, ...(stack !== undefined && { stack }) })}\n`);
    return;
  }
  const paint = paintFor({ stdout: context.stderr, env: context.env }, undefined);
  if (error instanceof BuildError) context.stderr.write(showError(shown, { paint, columns: widthOfScreen(context.stderr, context.env) }));
  else context.stderr.write(`${paint.red('this is a bug of dsbuild; please report it with these lines:')}\n${stack ?? shown.message}\n`);
  await tellGithubOf(shown, context, cwd);
}
