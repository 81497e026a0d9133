import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join, parse } from 'node:path';
import { parseSize } from '../base/bytes.ts';
import type { Emit } from '../base/events.ts';
import { uniqueName } from '../base/files.ts';
import { hostTag, isProcessAlive } from '../base/host.ts';
import { limits } from '../base/limits.ts';
import { moduleUrl } from '../base/program.ts';
import { Claims } from '../cache/claims.ts';
import { LiveBuilds } from '../cache/live-builds.ts';
import { Results } from '../cache/results.ts';
import { Store } from '../cache/store.ts';
import { Uses } from '../cache/uses.ts';
import type { Config } from '../config/define.ts';
import { findConfig } from '../config/find.ts';
import { type LoadedConfig, loadConfig } from '../config/load.ts';
import { buildGraph } from '../graph/build-graph.ts';
import type { Graph } from '../graph/graph.ts';
import type { Settings } from '../plan/manifest.ts';
import { definedRules } from '../rule/rule.ts';
import type { OpenOptions } from './api.ts';

/** What the config loader knows of stacks; for a config made in memory there is nothing to know. */
export type Places = Pick<LoadedConfig, 'locate' | 'moduleOf'>;

/** Everything that belongs to one folder of the user's: its config, its graph, its state. Opened once, closed once. */
export interface Project {
  readonly root: string;
  readonly stateDir: string;
  readonly tmpDir: string;
  readonly lockFile: string;
  readonly config: Config;
  readonly graph: Graph;
  readonly places: Places;
  /** The config and every file that it imports. */
  readonly configFiles: readonly string[];
  readonly settings: Settings;
  /** See `Job`. In no key: it says when to give up, not what comes out. */
  readonly recordMsMax: number;
  readonly store: Store;
  readonly results: Results;
  readonly claims: Claims;
  /** Which versions of targets builds have used, and which builds run: for those who collect garbage. */
  readonly uses: Uses;
  readonly live: LiveBuilds;
  readonly env: NodeJS.ProcessEnv;
  readonly emit: Emit;
  readonly signal: AbortSignal;
  close(): void;
}

/** URL of the module that `import ... from 'dsbuild'` means, as this very program runs it. */
export const faceUrl = moduleUrl('src/index');

function settingsOf({ chunking }: Config): Settings {
  const chunkSize = chunking?.chunkSize;
  return { chunkBytes: (chunkSize && parseSize(chunkSize)) || limits.chunkBytes };
}

/** Opens the project whose config lies in `cwd` or above it. */
export async function openProject(options: OpenOptions): Promise<Project> {
  const file = findConfig(options.cwd, options.configFile);
  const root = join(file, '..');
  const stateDir = join(root, '.dsbuild');
  await import(faceUrl);
  const loaded = await loadConfig({ file, stateDir, faceUrl, params: options.params, env: options.env });
  const { config, base, where } = loaded;
  return assemble({
    ...options,
    root,
    stateDir,
    lockFile: join(root, 'dsbuild.lock'),
    config,
    places: loaded,
    configFiles: loaded.files.map(({ path }) => path),
    base,
    where,
    outRoot: root,
  });
}

/** Opens a project whose targets were made in memory, for one-shot commands. Its state lies in `stateDir`. */
export async function openInline(
  options: OpenOptions & { stateDir: string; config: (face: Record<string, unknown>) => Config },
): Promise<Project> {
  const face = (await import(faceUrl)) as Record<string, unknown>;
  const places: Places = { locate: () => undefined, moduleOf: () => undefined };
  const lockFile = join(options.stateDir, 'dsbuild.lock');
  const { root: outRoot } = parse(options.cwd);
  return assemble({
    ...options,
    root: options.cwd,
    lockFile,
    config: options.config(face),
    places,
    configFiles: [],
    base: options.cwd,
    where: 'the command line',
    outRoot,
  });
}

type Assembly = OpenOptions &
  Pick<Project, 'root' | 'stateDir' | 'lockFile' | 'config' | 'places' | 'configFiles'> & { base: string; where: string; outRoot: string };

/** Temporary files of this machine's processes that are gone: a killed build leaves them behind. */
function removeLeftovers(tmpRoot: string): void {
  for (const name of readdirSync(tmpRoot)) {
    const [host, pid] = name.split('-');
    if (host === hostTag && !isProcessAlive(Number(pid))) removeTemporary(join(tmpRoot, name));
  }
}

function removeTemporary(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true });
  } catch {
    // It may be another user's, or the disk fails; the next build tries again.
  }
}

function assemble(options: Assembly): Project {
  const { root, stateDir, lockFile, config, places, configFiles, base, where, outRoot, env, emit, signal } = options;
  const publishers = { documents: definedRules().get('write')?.rule };
  const graph = buildGraph({ config, base, where, outRoot, locate: places.locate, moduleOf: places.moduleOf, publishers });
  const store = new Store(stateDir);
  const results = new Results(stateDir);
  // Its own: a process may have the folder open more than once, and the first to close it takes this away.
  const tmpDir = join(stateDir, 'tmp', uniqueName(hostTag));
  mkdirSync(tmpDir, { recursive: true });
  removeLeftovers(dirname(tmpDir));
  return {
    root,
    stateDir,
    tmpDir,
    lockFile,
    config,
    graph,
    places,
    configFiles,
    settings: settingsOf(config),
    recordMsMax: (config.recordSecondsMax ?? limits.recordSecondsMax) * 1000,
    store,
    results,
    claims: new Claims(stateDir),
    uses: new Uses(stateDir),
    live: new LiveBuilds(stateDir),
    env,
    emit,
    signal,
    close() {
      results.close();
      store.close();
      removeTemporary(tmpDir);
    },
  };
}
