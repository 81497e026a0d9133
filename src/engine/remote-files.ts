import type { Digest } from '../base/digest.ts';
import type { Lock } from '../cache/lock.ts';
import type { ListingFiles } from '../source/listing-files.ts';
import { parseObjectPattern } from '../source/object-pattern.ts';

/** Every remote file whose content the lock and its listings know: address and digest. */
export function* remoteFiles(lock: Lock, files: ListingFiles): Generator<readonly [address: string, digest: Digest]> {
  for (const { kind, address, values } of lock.entries()) {
    if (values.blake3 === undefined) continue;
    if (kind === 'source') yield [address, values.blake3];
    if (kind !== 'listing') continue;
    const { folder } = parseObjectPattern(address);
    for (const { name, blake3 } of files.read(values.blake3)?.objects ?? []) if (blake3 !== undefined) yield [folder + name, blake3];
  }
}
