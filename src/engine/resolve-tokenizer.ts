import { join } from 'node:path';
import type { GraphTarget } from '../graph/graph.ts';
import type { Manifest } from '../plan/manifest.ts';
import type { TokenizerParts } from '../rule/step.ts';
import { locateTokenizer, type TokenizerPin } from '../source/tokenizer.ts';
import type { BuildRun } from './build-run.ts';
import { filePart } from './file-part.ts';

const lockKind = 'tokenizer';

/** A tokenizer's files as parts: their bytes are in the key, and the lock pins what a package or Hub name meant. */
export async function resolveTokenizer(
  reference: string,
  target: GraphTarget,
  run: BuildRun,
): Promise<{ seen: TokenizerParts; manifest: Manifest }> {
  const { stateDir, env, signal } = run.project;
  const { lock } = run;
  const entry = lock.get(lockKind, reference);
  const pinned = entry && ({ reference, ...entry } as unknown as TokenizerPin);
  const cacheDir = join(stateDir, 'tokenizers');
  const located = await locateTokenizer(reference, {
    base: target.base,
    cacheDir,
    // Saying what would be done must not fetch anything.
    offline: (run.options.offline ?? false) || (run.options.dryRun ?? false),
    env,
    signal,
    ...(pinned && { pinned }),
  });
  if (located.pin) {
    const { reference: _, ...values } = located.pin;
    lock.add(lockKind, reference, values);
  }
  const model = filePart(run, located.modelFile);
  const config = located.configFile === undefined ? undefined : filePart(run, located.configFile);
  return { seen: { model, ...(config && { config }) }, manifest: { model: model.digest, config: config?.digest } };
}
