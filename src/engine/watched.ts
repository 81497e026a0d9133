import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { isRemote } from '../base/address.ts';
import type { GraphTarget } from '../graph/graph.ts';
import { patternFiles } from '../source/watched.ts';
import type { BuildOptions } from './api.ts';
import { wantedTargets } from './build.ts';
import { declaredSources } from './declared-sources.ts';
import type { Project } from './project.ts';

/** The files whose change can change a build. */
export interface WatchedFiles {
  /** The config, and what it imports: a change means that the project is opened anew. */
  readonly config: readonly string[];
  /** Files and folders to look at; all of them exist. */
  readonly roots: readonly string[];
  includes(path: string): boolean;
  enters(folder: string): boolean;
}

/** Plain paths among a target's options: tokenizers, word lists, tools of programs. */
function optionFiles({ rule, options, base }: GraphTarget): string[] {
  return Object.entries(options).flatMap(([name, value]) => {
    const type = rule.options[name]?.shape.type;
    if (type === 'file' || type === 'tokenizer') return [resolve(base, value as string)];
    return type === 'files' ? (value as readonly string[]).map((path) => resolve(base, path)) : [];
  });
}

function sourcePatterns(target: GraphTarget): { patterns: readonly string[]; base: string } {
  const patterns = declaredSources(target).map(({ pattern }) => pattern);
  return { patterns: patterns.filter((pattern) => !isRemote(pattern)), base: target.base };
}

/** What `watch` looks at: local sources of the targets that are wanted, files that options name, the config. */
export function watchedFiles(project: Project, options: BuildOptions): WatchedFiles {
  const targets = wantedTargets(project, options);
  const sources = patternFiles(targets.map(sourcePatterns));
  // A tokenizer may be named by package or Hub: only what lies here can change here. A folder stands for all files in it.
  const named = targets.flatMap(optionFiles).filter((path) => existsSync(path));
  const config = [...project.configFiles];
  const files = new Set([...named, ...config]);
  const isNamed = (path: string): boolean => files.has(path) || named.some((folder) => path.startsWith(`${folder}/`));
  return {
    config,
    roots: [...new Set([...sources.folders, ...files])],
    includes: (path) => isNamed(path) || sources.includes(path),
    enters: (folder) => isNamed(folder) || sources.enters(folder),
  };
}
