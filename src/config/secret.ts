import { inspect } from 'node:util';
import { BuildError } from '../base/errors.ts';

const secretMark: unique symbol = Symbol.for('dsbuild.secret');

/** The name of a secret. The value stays in the environment until a step asks for it, so nothing that prints or hashes this can leak it. */
export interface Secret {
  readonly [secretMark]: true;
  /** The environment variable that holds the value. */
  readonly variable: string;
}

/** A pasted token reads like a variable's name to a pattern, but not to its owner. */
const tokenLike = /^(hf_|sk_|gh[pousr]_|github_pat_|AKIA)\w{12,}$/;

function shown(this: Secret): string {
  return `secret(${this.variable})`;
}

const prototype = { [secretMark]: true, toString: shown, toJSON: shown, [Symbol.toPrimitive]: shown, [inspect.custom]: shown } as const;

/**
 * A secret by the name of the environment variable that holds it: the only type that secret options take.
 * @throws {BuildError} `bad-secret` when it is no name of a variable; the text is not shown, as it may be the secret itself.
 */
export function secret(variable: string): Secret {
  if (typeof variable !== 'string' || !/^[A-Za-z_][A-Za-z0-9_]*$/.test(variable) || tokenLike.test(variable)) {
    throw new BuildError('bad-secret', {
      message: 'secret() takes the name of an environment variable, and this is none',
      hint: "Write secret('HF_TOKEN'), and put the value into the environment.",
    });
  }
  return Object.freeze(Object.create(prototype, { variable: { value: variable, enumerable: true } })) as Secret;
}

export const isSecret = (value: unknown): value is Secret => typeof value === 'object' && value !== null && secretMark in value;
