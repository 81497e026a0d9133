import { BuildError, messageOf } from '../base/errors.ts';

export function diskFull(cause: unknown): BuildError {
  return new BuildError('disk-full', {
    message: `there is no space left on the disk: ${messageOf(cause)}`,
    hint: 'Free some space and build again: finished steps are kept. A smaller shardSize needs less at a time; `dsbuild clean` frees the cache.',
    cause,
  });
}
