import type { Size } from '../rule/options.ts';
import type { AnyTarget, Common } from '../rule/target.ts';
import type { Secret } from './secret.ts';

const configMark: unique symbol = Symbol.for('dsbuild.config');
const executorMark: unique symbol = Symbol.for('dsbuild.executor');

/** Targets by name; names of nested ones are joined by `/`. */
export interface Targets {
  readonly [name: string]: AnyTarget | Targets;
}

/** Where steps run. */
export interface Executor {
  readonly [executorMark]: true;
  readonly executor: string;
}

export interface LocalExecutor extends Executor {
  readonly executor: 'local';
  /** Worker threads; one per processor by default. */
  readonly jobs?: number | undefined;
  readonly memory?: Size | undefined;
}

/** What `datasets.config.ts` says. */
export interface Config {
  readonly targets: Targets;
  readonly cache?:
    | {
        /** Results and their bytes are read from there, and written if the credentials allow it. */
        readonly remote?: `s3://${string}` | undefined;
        /** Of a server that is not AWS; without it `AWS_ENDPOINT_URL` counts. */
        readonly endpoint?: string | undefined;
        readonly region?: string | undefined;
        /** `server/bucket/key` instead of `bucket.server/key`: by default with an endpoint. */
        readonly pathStyle?: boolean | undefined;
        /** Where on the remote this build writes; it reads there and in `main`. `DSBUILD_SCOPE` wins. */
        readonly scope?: string | undefined;
        readonly readOnly?: boolean | undefined;
        /** So long without an answer, and a request is repeated or given up; 5 by default. */
        readonly timeoutSeconds?: number | undefined;
        /** What is written is signed with `key`; where `accept` lists public keys, nothing is read that none of them signed. */
        readonly signing?: { readonly key?: Secret | undefined; readonly accept?: readonly string[] | undefined } | undefined;
        /** The local store is kept below this: a size, or a share of the disk. */
        readonly sizeMax?: Size | `${number}%` | undefined;
      }
    | undefined;
  readonly executor?: Executor | undefined;
  /** For every target that does not say otherwise. */
  readonly onBadRecord?: Common['onBadRecord'];
  /**
   * So long a step may be at one record of up to 1 MiB without a sign of life, and at larger ones in proportion; 60 by default. Then its
   * worker is ended, and the step begins again in another. In no key.
   */
  readonly recordSecondsMax?: number | undefined;
  /**
   * How finely data is cut. Both are in keys: changing them rebuilds what is cut by them. Meant for tests and for data of a few megabytes;
   * the defaults are measured.
   */
  readonly chunking?:
    | {
        /** Aim for a chunk of records, 8 MiB by default; chunks lie between half and twice of it. */
        readonly chunkSize?: Size | undefined;
        /** Aim for a pack group (one Parquet row group), in tokens: what `shard` does unless it has a `packTokens` of its own. */
        readonly packTokens?: number | undefined;
      }
    | undefined;
}

/** What a config that is a function is handed. */
export interface Given {
  /** Entries that a front end keeps for the user; empty on the command line. */
  readonly catalog: readonly Readonly<Record<string, unknown>>[];
}

/** A config as `export default` holds it. */
export interface DefinedConfig {
  readonly [configMark]: true;
  /** Stack of the declaring call, for `file:line` in errors. */
  readonly stack: string;
  resolve(given: Given): Config;
}

/** Declares what a repository builds. One signature on purpose: with overloads every mistake reads "No overload matches this call". */
export function defineConfig(config: Config | ((given: Given) => Config)): DefinedConfig {
  return {
    [configMark]: true,
    stack: new Error('declared here').stack ?? '',
    resolve: (given) => (typeof config === 'function' ? config(given) : config),
  };
}

export const isDefinedConfig = (value: unknown): value is DefinedConfig =>
  typeof value === 'object' && value !== null && configMark in value;

/** Runs steps on worker threads of this machine. */
export function local(options: { jobs?: number; memory?: Size } = {}): LocalExecutor {
  return { [executorMark]: true, ...options, executor: 'local' };
}

export const isExecutor = (value: unknown): value is Executor => typeof value === 'object' && value !== null && executorMark in value;
