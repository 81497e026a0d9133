import { AsyncLocalStorage } from 'node:async_hooks';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

export type ParamValue = string | number | boolean;

/** A `param()` that a config asked for while it was loaded. */
export interface Param {
  readonly name: string;
  readonly value: ParamValue;
  readonly fallback: ParamValue;
  /** The value comes from `--set`. */
  readonly set: boolean;
}

/** What one load of a config may ask for, and what it asked for. */
export interface Loading {
  readonly given: Readonly<Record<string, string>>;
  readonly params: Map<string, Param>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Names of the environment variables that were read. */
  readonly variables: Set<string>;
}

/** The load that runs: config modules reach it without being handed anything, also after an await. */
export const loading = new AsyncLocalStorage<Loading>();

function recorder({ env, variables }: Loading): Readonly<Record<string, string | undefined>> {
  const noted = (name: string | symbol): string | symbol => {
    if (typeof name === 'string') variables.add(name);
    return name;
  };
  return new Proxy(env, {
    get: (target, name) => Reflect.get(target, noted(name)),
    has: (target, name) => Reflect.has(target, noted(name)),
  });
}

interface ModuleMeta {
  readonly url: string;
  readonly dirname: string;
  readonly filename: string;
}

interface BundleSurroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `import.meta` of a module before it was bundled; `path` is relative to the bundle, so that no folder's name gets into the text. */
  metaOf(path: string): ModuleMeta;
}

/** Name under which a bundle finds its surroundings: it has no import of its own for them. */
export const surroundingsName = 'dsbuild.loading';

function surroundingsOf(bundleUrl: string): BundleSurroundings {
  const current = loading.getStore();
  return {
    env: current ? recorder(current) : process.env,
    metaOf(path) {
      const url = new URL(path, bundleUrl).href;
      const filename = fileURLToPath(url);
      return { url, dirname: dirname(filename), filename };
    },
  };
}

Object.defineProperty(globalThis, Symbol.for(surroundingsName), { value: surroundingsOf, configurable: true });
