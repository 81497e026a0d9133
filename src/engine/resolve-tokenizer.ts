import { join } from 'node:path';
import { readPart } from '../cache/part-reader.ts';
import type { GraphTarget } from '../graph/graph.ts';
import type { Manifest } from '../plan/manifest.ts';
import type { OptionShape, TokenizerEngines } from '../rule/options.ts';
import type { Part } from '../rule/part.ts';
import type { TokenizerParts } from '../rule/step.ts';
import type { LocatedTokenizer, TokenizerPin } from '../source/tokenizer.ts';
import type { BuildRun } from './build-run.ts';
import { filePart } from './file-part.ts';
import { shownPath } from './places.ts';
import { chooseEngine } from './tokenizer-engine.ts';

const lockKind = 'tokenizer';

/** A tokenizer's files as parts: their bytes are in the key, and the lock pins what a package or Hub name meant. So is the engine that is to run it. */
export async function resolveTokenizer(
  reference: string,
  { target, run, shape }: { target: GraphTarget; run: BuildRun; shape?: OptionShape },
): Promise<{ seen: TokenizerParts; manifest: Manifest }> {
  const { stateDir, env, signal } = run.project;
  const { lock } = run;
  const entry = lock.get(lockKind, reference);
  const pinned = entry && ({ reference, ...entry } as unknown as TokenizerPin);
  const cacheDir = join(stateDir, 'tokenizers');
  const { locateTokenizer } = await import('../source/tokenizer.ts');
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
  for (const file of [model, config]) if (file) run.contents.add(file.digest, { name: nameOf(file, { model, located }, run) });
  const engine = shape?.engines && (await engineOf(model, shape.engines, { target, run }));
  const seen = { model, ...(config && { config }), ...(engine !== undefined && { engine }) };
  return { seen, manifest: { model: model.digest, config: config?.digest, engine } };
}

/** What came from elsewhere is known by what it was asked for as, not by where it is kept. */
function nameOf(file: Part, { model, located }: { model: Part; located: LocatedTokenizer }, { project }: BuildRun): string {
  const { pin, modelFile, configFile } = located;
  if (pin) return `${pin.reference} (${pin.resolved})`;
  return shownPath(project.root, file === model ? modelFile : (configFile as string));
}

async function engineOf(model: Part, engines: TokenizerEngines, { target, run }: { target: GraphTarget; run: BuildRun }): Promise<string> {
  const { store, stateDir } = run.project;
  const chosen = await chooseEngine({
    engines,
    model: { digest: model.digest, read: () => readPart(model.digest, store.locate(model.digest) ?? []) },
    base: target.base,
    stateDir,
    remember: !run.options.dryRun,
  });
  if (chosen.folder !== undefined) run.packages.set(chosen.engine, chosen.folder);
  return chosen.engine;
}
