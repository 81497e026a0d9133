import { type IncomingMessage, get as plainGet } from 'node:http';
import { get as secureGet } from 'node:https';
import { publicAddress } from '../base/address.ts';
import { retryAfterMs } from '../base/network.ts';
import {
  networkTrouble,
  noBytes,
  type Opened,
  type Remote,
  type Resume,
  type Seen,
  statusTrouble,
  TransferError,
  transferred,
} from './fetch-remote.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const redirectsMax = 10;
/** A server that wants a longer rest is asked again then, too: waiting on is not our choice to make. */
const pauseMsMax = 300_000;

/** One file behind `http://` or `https://`. Bytes are taken as they travel: no content coding is asked for, and none accepted. */
export function httpRemote(address: string, env: Environment): Remote {
  const url = new URL(address);
  const authorization = authorizationOf(url, env);
  url.username = '';
  url.password = '';
  url.hash = '';
  const get: Get = (headers, signal) => follow({ url, authorization, headers, signal });
  return { open: (resume, signal) => openHttp(get, resume, signal) };
}

type Get = (headers: Readonly<Record<string, string>>, signal: AbortSignal) => Promise<IncomingMessage>;

/** From `user:password@`, else the token of the Hugging Face Hub for its own addresses. */
function authorizationOf(url: URL, env: Environment): string | undefined {
  if (url.username || url.password) {
    return `Basic ${Buffer.from(`${decoded(url.username)}:${decoded(url.password)}`).toString('base64')}`;
  }
  const hub = env['HF_ENDPOINT'] || 'https://huggingface.co';
  return env['HF_TOKEN'] && URL.canParse(hub) && url.origin === new URL(hub).origin ? `Bearer ${env['HF_TOKEN']}` : undefined;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

async function openHttp(get: Get, resume: Resume | undefined, signal: AbortSignal): Promise<Opened> {
  const validator = resume && strongValidator(resume.seen);
  if (!resume || !validator) return whole(await get({}, signal));
  const response = await get({ range: `bytes=${resume.from}-`, 'if-range': validator }, signal);
  if (response.statusCode === 206) {
    const opened = rest(response, resume);
    if (opened) return opened;
  } else if (response.statusCode === 416) {
    response.destroy();
    if (rangeOf(response)?.total === resume.from) return { from: resume.from, seen: resume.seen, body: noBytes() };
  } else return whole(response);
  response.destroy();
  return whole(await get({}, signal));
}

/** `If-Range` takes no weak ETag (RFC 9110, 13.1.5). */
const strongValidator = ({ etag, lastModified }: Seen): string | undefined => (etag && !etag.startsWith('W/') ? etag : lastModified);

function whole(response: IncomingMessage): Opened {
  if (response.statusCode !== 200) {
    response.destroy();
    throw statusTrouble(response.statusCode ?? 0, {
      text: response.statusMessage,
      pauseMs: retryAfterMs(response.headers['retry-after'], { now: Date.now(), msMax: pauseMsMax }),
    });
  }
  const coding = response.headers['content-encoding'];
  if (coding && coding !== 'identity') {
    response.destroy();
    throw new TransferError({
      message: `the server sent it in the content coding ${coding}, though none was asked for`,
      again: false,
      hint: 'Name the compressed file itself (.gz, .zst), or another server.',
    });
  }
  const length = response.headers['content-length'];
  return {
    from: 0,
    seen: { ...seenIn(response), ...(length !== undefined && { bytesTotal: Number(length) }) },
    body: transferred(response),
  };
}

/** The rest of what was seen, or undefined if it is of something else. */
function rest(response: IncomingMessage, { from, seen }: Resume): Opened | undefined {
  const range = rangeOf(response);
  const now = seenIn(response);
  if (range?.from !== from || (now.etag !== undefined && seen.etag !== undefined && now.etag !== seen.etag)) return undefined;
  if (range.total !== undefined && seen.bytesTotal !== undefined && range.total !== seen.bytesTotal) return undefined;
  const total = range.total ?? seen.bytesTotal;
  return { from, seen: { ...seen, ...(total !== undefined && { bytesTotal: total }) }, body: transferred(response) };
}

function seenIn({ headers }: IncomingMessage): Seen {
  const version = headers['x-amz-version-id'] ?? headers['x-goog-generation'];
  return {
    ...(headers.etag && { etag: headers.etag }),
    ...(headers['last-modified'] && { lastModified: headers['last-modified'] }),
    ...(typeof version === 'string' && { version }),
  };
}

function rangeOf({ headers }: IncomingMessage): { from?: number; total?: number } | undefined {
  const match = /^bytes (?:(\d+)-\d+|\*)\/(\d+|\*)$/.exec(headers['content-range'] ?? '');
  if (!match) return undefined;
  const [, from, total] = match;
  return { ...(from && { from: Number(from) }), ...(total && total !== '*' && { total: Number(total) }) };
}

interface Hop {
  readonly url: URL;
  readonly authorization: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** The answer behind all redirects. What proves who asks is told to the first origin alone, and no more once that was left. */
async function follow(first: Hop): Promise<IncomingMessage> {
  let hop = first;
  for (let hops = 0; hops <= redirectsMax; hops++) {
    const response = await requestOnce(hop);
    const { location } = response.headers;
    if (![301, 302, 303, 307, 308].includes(response.statusCode ?? 0) || location === undefined) return response;
    response.destroy();
    const url = redirected(hop.url, location);
    hop = { ...hop, url, authorization: url.origin === hop.url.origin ? hop.authorization : undefined };
  }
  throw new TransferError({ message: `it was redirected more than ${redirectsMax} times`, again: false });
}

function redirected(from: URL, location: string): URL {
  const url = URL.canParse(location, from.href) ? new URL(location, from) : undefined;
  if (!url || !/^https?:$/.test(url.protocol)) throw refusedRedirect(location, 'is no http address');
  if (from.protocol === 'https:' && url.protocol === 'http:') throw refusedRedirect(url.href, 'is not encrypted, the first address was');
  url.username = '';
  url.password = '';
  return url;
}

const refusedRedirect = (location: string, why: string): TransferError =>
  new TransferError({
    message: `the server redirects to ${publicAddress(location)}, which ${why}`,
    again: false,
    hint: 'Name the address that you trust.',
  });

function requestOnce({ url, authorization, headers, signal }: Hop): Promise<IncomingMessage> {
  const get: typeof plainGet = url.protocol === 'https:' ? secureGet : plainGet;
  const all = {
    accept: '*/*',
    'accept-encoding': 'identity',
    'user-agent': 'dsbuild',
    ...headers,
    ...(authorization && { authorization }),
  };
  return new Promise((resolve, reject) => {
    const request = get(url, { headers: all, signal }, resolve);
    request.on('error', (error) => reject(networkTrouble(error)));
  });
}
