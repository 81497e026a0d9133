import fc from 'fast-check';
import type { Manifest, ManifestValue } from '../../src/plan/manifest.ts';

const names = fc.oneof(
  fc.constantFrom('a', 'b', 'maxSeqLength', 'a.b', 'a[0]', '__proto__', '10', '9', ''),
  fc.string({ unit: 'binary', maxLength: 4 }),
);
const scalar: fc.Arbitrary<ManifestValue> = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => (value === 0 ? 0 : value)),
  fc.boolean(),
  fc.constantFrom(null, 'list of 1', 'nothing in it', '"', '\n', 'true', '1'),
);

const { value } = fc.letrec<{ value: ManifestValue; manifest: Manifest }>((tie) => ({
  value: fc.oneof({ maxDepth: 3, withCrossShrink: true }, scalar, fc.array(tie('value'), { maxLength: 3 }), tie('manifest')),
  manifest: fc.dictionary(names, tie('value'), { maxKeys: 4 }),
}));

export const manifest: fc.Arbitrary<Manifest> = fc.dictionary(names, value, { maxKeys: 5 });

/** Equal for equal manifests, whatever the order of names: written without the code that is tested. */
export function canonical(of: ManifestValue): string {
  if (Array.isArray(of)) return `[${of.map((one) => canonical(one as ManifestValue)).join()}]`;
  if (typeof of !== 'object' || of === null) return `${typeof of}:${JSON.stringify(of)}`;
  const entries = Object.entries(of).filter(([, inner]) => inner !== undefined);
  return `{${entries
    .map(([name, inner]) => `${JSON.stringify(name)}=${canonical(inner as ManifestValue)}`)
    .sort()
    .join()}}`;
}
