import { basename, dirname } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Digest } from '../base/digest.ts';
import { BuildError, explained, messageOf } from '../base/errors.ts';
import { bundleConfig, type ConfigBundle, type ConfigBundleRequest } from './bundle-config.ts';
import { type Config, type Given, isDefinedConfig } from './define.ts';
import type { EvaluatedConfig } from './load-errors.ts';
import { type Loading, loading, type Param } from './loading.ts';
import { refuseUnknownParams } from './param.ts';
import { positionsIn, showPosition } from './positions.ts';

export interface LoadRequest extends ConfigBundleRequest {
  /** Absolute path of the config, see `findConfig`. */
  readonly file: string;
  /** `.dsbuild` of the project: the bundle is kept in its folder `config`. */
  readonly stateDir: string;
  /** URL of the public module of the dsbuild that runs: what `import ... from 'dsbuild'` gives the config. */
  readonly faceUrl: string;
  /** From `--set`. */
  readonly params: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Handed to a config that is a function. */
  readonly given?: Given;
}

export interface LoadedConfig {
  readonly config: Config;
  /** Folder of the config. */
  readonly base: string;
  /** Place of `defineConfig`, for what concerns the config as a whole. */
  readonly where: string;
  /** The config and every file that it imports. */
  readonly files: readonly { readonly path: string; readonly digest: Digest }[];
  /** What `param()` was asked for, in order. */
  readonly params: readonly Param[];
  /** Names of the environment variables that the config read, in order. Their values are nobody's business. */
  readonly environment: readonly string[];
  readonly how: ConfigBundle['how'];
  /** `file:line:column`, relative to the project, of the first frame of a stack that lies in the user's files, as this load evaluated them. */
  locate(stack: string): string | undefined;
  /** Absolute path of the user's file that this frame lies in. */
  moduleOf(stack: string): string | undefined;
}

/** A module is evaluated once per URL: each load has its own, so that params and environment count again. */
let loads = 0;

async function bundleOrExplain(request: LoadRequest): Promise<ConfigBundle> {
  try {
    return await bundleConfig(request);
  } catch (error) {
    const { bundlingError, isBuildFailure } = await import('./load-errors.ts');
    if (isBuildFailure(error)) throw bundlingError(error, dirname(request.file));
    const told = explained(error);
    if (told instanceof BuildError) throw told;
    throw new BuildError('bad-config', {
      message: `the config can not be read: ${messageOf(error)}`,
      where: basename(request.file),
      cause: error,
    });
  }
}

async function evaluate(url: string, evaluated: EvaluatedConfig, given: Given): Promise<{ config: Config; stack: string }> {
  const { default: exported } = (await import(url)) as { default?: unknown };
  if (!isDefinedConfig(exported)) throw (await import('./load-errors.ts')).exportError(evaluated, exported);
  return { config: exported.resolve(given), stack: exported.stack };
}

/**
 * Loads a config: bundles it with all files that it imports (or takes the kept bundle), evaluates it, and resolves it.
 * It may be called again in the same process; each call evaluates anew.
 * @throws {BuildError} `bad-config` with the user's file, line and column; `bad-param`, `unknown-param`.
 */
export async function loadConfig(request: LoadRequest): Promise<LoadedConfig> {
  const base = dirname(request.file);
  const bundle = await bundleOrExplain(request);
  const url = `${pathToFileURL(bundle.path).href}?load=${++loads}`;
  const positions = positionsIn({ bundle: bundle.path, url }, bundle.map, base);
  const evaluated: EvaluatedConfig = { file: request.file, files: bundle.files, faceUrl: request.faceUrl, positions };
  const state: Loading = { given: request.params, params: new Map(), env: request.env, variables: new Set() };
  const { config, stack } = await loading
    .run(state, () => evaluate(url, evaluated, request.given ?? { catalog: [] }))
    .catch(async (error: unknown) => {
      const { evaluationError } = await import('./load-errors.ts');
      throw await evaluationError(evaluated, error);
    })
    .finally(bundle.imported);
  refuseUnknownParams(state);
  const locate = (of: string): string | undefined => {
    const position = positions.find(of);
    return position && showPosition(positions, position);
  };
  return {
    config,
    base,
    where: locate(stack) ?? basename(request.file),
    files: bundle.files.map(({ path, digest }) => ({ path, digest })),
    params: [...state.params.values()],
    environment: [...state.variables],
    how: bundle.how,
    locate,
    moduleOf: (of) => positions.find(of)?.file,
  };
}
