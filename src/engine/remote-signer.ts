import { BuildError } from '../base/errors.ts';
import { type Signer, signerOf } from '../cache/remote/signing.ts';
import type { Trust } from '../cache/remote/trust.ts';
import type { Project } from './project.ts';

/** Who signs what a build uploads. `maySign`: whether others would believe it; if not, nothing is uploaded. */
export function signerFor({ config, env }: Project, trust: Trust): { signer: Signer | undefined; maySign: boolean } {
  const variable = config.cache?.signing?.key?.variable;
  const key = variable === undefined ? undefined : env[variable];
  if (variable === undefined || !key) return { signer: undefined, maySign: variable === undefined && trust.accepts(undefined) };
  const signer = signerOf(key, variable);
  if (trust.accepts(signer.publicKey)) return { signer, maySign: true };
  throw new BuildError('bad-signing-key', {
    message: `what ${variable} signs would be believed by nobody: cache.signing.accept does not list its public key`,
    where: variable,
    hint: `Add '${signer.publicKey}' to cache.signing.accept, or use the key that belongs to one of those listed.`,
  });
}
