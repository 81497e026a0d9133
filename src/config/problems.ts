import { BuildError } from '../base/errors.ts';

/** One thing that is wrong in a config. */
export interface Problem {
  /** `file:line` */
  readonly where: string;
  readonly target?: string;
  readonly option?: string;
  /** The end of a sentence that begins with the option, or a sentence. */
  readonly message: string;
}

const sentence = ({ target, option, message }: Problem): string =>
  [target === undefined ? '' : `${target}: `, option === undefined ? '' : `${option} `, message].join('');

/**
 * All problems of a config as one error: whoever mends one wants to see the others too.
 * @param problems At least one, in the order in which they are to be shown.
 */
function problemsError(problems: readonly [Problem, ...Problem[]]): BuildError {
  const [first, ...others] = problems;
  if (others.length === 0) return new BuildError('bad-config', { message: sentence(first), where: first.where });
  const lines = problems.map((problem) => `  ${problem.where}  ${sentence(problem)}`);
  return new BuildError('bad-config', { message: `the config has ${problems.length} problems:\n${lines.join('\n')}` });
}

/** @throws {BuildError} `bad-config` if there is any problem. */
export function throwIfAny(problems: readonly Problem[]): void {
  const [first, ...others] = problems;
  if (first) throw problemsError([first, ...others]);
}
