import type { Digest } from '../base/digest.ts';
import { BuildError } from '../base/errors.ts';
import { readPart } from '../cache/part-reader.ts';
import type { GraphTarget } from '../graph/graph.ts';
import type { Manifest } from '../plan/manifest.ts';
import type { TokenDecoder, TokenizerEngines } from '../rule/options.ts';
import type { Project } from './project.ts';

interface Named {
  readonly target: GraphTarget;
  readonly option: string;
  readonly engines: TokenizerEngines;
}

/** The nearest target, itself included, whose tokenizer made the ids of this one. */
function tokenizerAbove(target: GraphTarget): Named | undefined {
  const found = new Set([target]);
  for (const one of found) {
    const [option, engines] = Object.entries(one.rule.options)
      .map(([name, { shape }]) => [name, shape.engines] as const)
      .find(([name, known]) => known !== undefined && one.options[name] !== undefined) ?? [undefined, undefined];
    if (option !== undefined && engines) return { target: one, option, engines };
    for (const { from } of one.inputs) found.add(from);
  }
  return undefined;
}

/** What turns a target's ids back into text, by the tokenizer that manifests name; undefined where that is not known or not kept. */
export async function decoderFor(
  project: Project,
  target: GraphTarget,
  manifestOf: (target: GraphTarget) => Manifest | undefined,
): Promise<TokenDecoder | undefined> {
  const named = tokenizerAbove(target);
  const options = named && (manifestOf(named.target)?.['options'] as ModelOptions | undefined);
  const digest = named && options?.[named.option]?.model;
  const location = digest === undefined ? undefined : project.store.locate(digest);
  if (!named || digest === undefined || !location) return undefined;
  try {
    return await named.engines.decoder(readPart(digest, location));
  } catch (error) {
    // Text is shown for comfort: without it ids are shown alone.
    if (error instanceof BuildError) return undefined;
    throw error;
  }
}

type ModelOptions = Readonly<Record<string, { readonly model?: Digest } | undefined>>;
