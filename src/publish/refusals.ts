import { BuildError } from '../base/errors.ts';

/** @param ours it was ours before it was changed. */
export const edited = (where: string, ours: boolean): BuildError =>
  new BuildError('edited', {
    message: ours
      ? 'this published file was changed by someone else'
      : 'a file that dsbuild did not write lies where one is to be published',
    where,
    hint: 'Move it away, or give --overwrite to replace it.',
  });

export const overSource = (where: string, target: string): BuildError =>
  new BuildError('over-source', {
    message: `"${target}" would be published over a file that this build reads as a source`,
    where,
    hint: 'Give the target another "out", or keep the source elsewhere.',
  });

/** Of a file that is ours no more. */
export const staysEdited = (where: string): { code: string; message: string; where: string; hint: string } => ({
  code: 'edited',
  message: 'this file is no longer wanted, but someone changed it: it stays',
  where,
  hint: 'Remove it by hand if you do not need it.',
});

/**
 * A name from a rule, an archive or a listing must stay below `out`, whatever it holds.
 *
 * @param reserved a name there that is dsbuild's own.
 */
export function assertBelow(out: string, name: string, reserved?: string): void {
  const parts = name.split('/');
  if (
    name !== '' &&
    name !== reserved &&
    !name.includes('\0') &&
    !name.includes('\\') &&
    !parts.some((part) => ['', '.', '..'].includes(part))
  )
    return;
  throw new BuildError('bad-name', {
    message: `a file would be published under the name ${JSON.stringify(name)}, which ${name === reserved ? 'is taken' : 'leads outside its folder'}`,
    where: out,
  });
}
