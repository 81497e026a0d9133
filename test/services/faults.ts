import { once } from 'node:events';
import { createServer, request as forward, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What is done to one request, where toxiproxy, which knows connections only, can not do it. */
export type Fault =
  /** An answer of the proxy's own; the server never hears of the request. */
  | { readonly do: 'answer'; readonly status: number; readonly code?: string; readonly headers?: Readonly<Record<string, string>> }
  /** The server hears of it only when this resolves. */
  | { readonly do: 'hold'; readonly until: Promise<unknown> }
  /** The connection is cut before the server hears of it. */
  | { readonly do: 'refuse' }
  /** Nothing is ever answered; the server never hears of it. */
  | { readonly do: 'black-hole' }
  /** The server does it; its answer is lost. */
  | { readonly do: 'lose-answer' }
  /** So many bytes of the answer's body come through; then the connection is cut, or nothing comes any more. */
  | { readonly do: 'cut'; readonly bytes: number }
  | { readonly do: 'stall'; readonly bytes: number }
  /** One bit of the byte at this place of the answer's body is another; the place is taken modulo its length. */
  | { readonly do: 'flip'; readonly at: number }
  /** The same to the request's body, on its way to the server. */
  | { readonly do: 'spoil'; readonly at: number }
  /** The answer's body ends so many bytes early, and its length says so. */
  | { readonly do: 'shorten'; readonly bytes: number }
  /** The answer's headers lie. */
  | { readonly do: 'lie'; readonly headers: Readonly<Record<string, string>> };

export interface SeenRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
}

/** A proxy in front of an S3 server. */
export interface FaultProxy {
  readonly endpoint: string;
  /** All requests so far. */
  readonly seen: SeenRequest[];
  /** For the next requests in turn; `undefined` lets one pass. Asked before `decide`. */
  readonly faults: (Fault | undefined)[];
  /** For each request. */
  decide: (request: SeenRequest) => Fault | undefined;
  close(): Promise<void>;
}

/** @param upstream `http://127.0.0.1:port`; requests reach it as they are, so that their signatures hold. */
export async function startFaults(upstream: string): Promise<FaultProxy> {
  const seen: SeenRequest[] = [];
  const faults: FaultProxy['faults'] = [];
  const server = createServer((request, response) => {
    const about: SeenRequest = { method: request.method ?? '', path: request.url ?? '', headers: request.headers };
    seen.push(about);
    const fault = faults.length > 0 ? faults.shift() : proxy.decide(about);
    response.on('error', () => {});
    void pass(request, response, { upstream, fault });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const proxy: FaultProxy = {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    faults,
    decide: () => undefined,
    async close() {
      if (!server.listening) return;
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
  return proxy;
}

interface Passing {
  readonly upstream: string;
  readonly fault: Fault | undefined;
}

async function pass(request: IncomingMessage, response: ServerResponse, { upstream, fault }: Passing): Promise<void> {
  request.on('error', () => {});
  if (fault?.do === 'hold') await fault.until;
  if (fault?.do === 'refuse') return void request.socket.destroy();
  if (fault?.do === 'black-hole') return void request.resume();
  if (fault?.do === 'answer') return answer(request, response, fault);
  const { hostname, port } = new URL(upstream);
  const { method, url: path, headers } = request;
  const onward = forward({ hostname, port, method, path, headers }, (back) => {
    back.on('error', () => response.destroy());
    if (fault?.do === 'lose-answer') {
      back.resume().on('end', () => request.socket.destroy());
      return;
    }
    giveBack(back, response, fault);
  });
  onward.on('error', () => response.destroy());
  response.on('close', () => onward.destroy());
  if (fault?.do === 'spoil') request.on('data', flipper(fault.at, Number(headers['content-length'] ?? 0)));
  request.pipe(onward);
}

/** Flips a bit in one of the pieces that it is given one after another. */
function flipper(at: number, length: number): (piece: Buffer) => void {
  let left = length > 0 ? at % length : -1;
  return (piece) => {
    if (left >= 0 && left < piece.length) piece[left] = (piece[left] as number) ^ 1;
    left -= piece.length;
  };
}

function answer(request: IncomingMessage, response: ServerResponse, { status, code, headers }: Fault & { do: 'answer' }): void {
  request.resume();
  const body = code === undefined || request.method === 'HEAD' ? '' : `<?xml version="1.0"?><Error><Code>${code}</Code><Message/></Error>`;
  response.writeHead(status, { 'content-type': 'application/xml', 'content-length': body.length, ...headers }).end(body);
}

function giveBack(back: IncomingMessage, response: ServerResponse, fault: Fault | undefined): void {
  const length = Number(back.headers['content-length'] ?? 0);
  const headers: Record<string, string | string[] | undefined> = { ...back.headers, ...(fault?.do === 'lie' && fault.headers) };
  let left = Number.POSITIVE_INFINITY;
  if (fault?.do === 'cut' || fault?.do === 'stall') left = fault.bytes;
  if (fault?.do === 'shorten') {
    left = Math.max(0, length - fault.bytes);
    headers['content-length'] = String(left);
  }
  response.writeHead(back.statusCode ?? 500, headers);
  response.flushHeaders();
  if (fault?.do === 'flip') back.on('data', flipper(fault.at, length));
  back.on('data', (bytes: Buffer) => {
    if (left > 0 && !response.write(bytes.subarray(0, left))) {
      back.pause();
      response.once('drain', () => back.resume());
    }
    left -= Math.min(left, bytes.length);
    if (left === 0 && fault?.do === 'cut') response.destroy();
  });
  back.on('end', () => {
    if (fault?.do !== 'stall' && fault?.do !== 'cut') response.end();
  });
}
