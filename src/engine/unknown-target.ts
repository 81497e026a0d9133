import { BuildError } from '../base/errors.ts';
import { didYouMean } from '../base/names.ts';
import { listedTargets } from '../graph/select.ts';
import type { Project } from './project.ts';

/** What a command says that was given the name of no target. */
export const unknownTarget = (name: string, { graph }: Project): BuildError =>
  new BuildError('unknown-target', {
    message: `there is no target "${name}".${didYouMean(name, graph.outputs.keys())}`,
    hint: `Targets: ${listedTargets(graph)}.`,
  });
