import { BuildError } from '../base/errors.ts';
import { type Signer, signerOf } from '../cache/remote/signing.ts';
import type { Trust } from '../cache/remote/trust.ts';
import type { Project } from './project.ts';

export interface Signing {
  readonly signer: Signer | undefined;
  /** Why nothing is uploaded: others would not believe it. */
  readonly unsigned?: RemoteReason;
}

/** In words, why a remote does not do what is asked. */
export interface RemoteReason {
  readonly message: string;
  readonly hint?: string;
}

const noKeyNamed: RemoteReason = {
  message: 'cache.signing.accept asks for signatures, but the config names no key to sign with',
  hint: "Name the variable that holds it: cache: { signing: { key: secret('DSBUILD_SIGNING_KEY'), accept: [...] } }.",
};
const noKey = (variable: string): RemoteReason => ({
  message: `the environment has no ${variable}, which holds the key that signs`,
  hint: 'Without it the remote cache is only read; give it where builds of main run.',
});

/** Who signs what a build uploads. */
export function signerFor({ config, env }: Pick<Project, 'config' | 'env'>, trust: Trust): Signing {
  const variable = config.cache?.signing?.key?.variable;
  const key = variable === undefined ? undefined : env[variable];
  if (variable === undefined) return { signer: undefined, ...(!trust.accepts(undefined) && { unsigned: noKeyNamed }) };
  if (!key) return { signer: undefined, unsigned: noKey(variable) };
  const signer = signerOf(key, variable);
  if (trust.accepts(signer.publicKey)) return { signer };
  throw new BuildError('bad-signing-key', {
    message: `what ${variable} signs would be believed by nobody: cache.signing.accept does not list its public key`,
    where: variable,
    hint: `Add '${signer.publicKey}' to cache.signing.accept, or use the key that belongs to one of those listed.`,
  });
}
