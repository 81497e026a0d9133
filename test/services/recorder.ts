/** A server in front of another, which notes what is asked and does to requests what a test says. */
import { once } from 'node:events';
import { request as ask, createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Asked {
  readonly method: string;
  /** Path and query as they were asked for. */
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
}

/** What becomes of a request: handed on, answered with a status, cut off after so many bytes of its answer, or held until the promise resolves. */
export type Fate = 'pass' | { readonly status: number } | { readonly cutAfter: number } | Promise<unknown>;

export class Recorder {
  /** What was asked since the last `taken`. */
  asked: Asked[] = [];
  decide: (asked: Asked) => Fate = () => 'pass';
  readonly #server: Server;
  readonly #target: URL;

  private constructor(target: URL) {
    this.#target = target;
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  static async before(endpoint: string): Promise<Recorder> {
    const recorder = new Recorder(new URL(endpoint));
    await once(recorder.#server.listen(0, '127.0.0.1'), 'listening');
    return recorder;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  taken(): Asked[] {
    return this.asked.splice(0);
  }

  /** The requests since the last time, by what they are. */
  counts(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const asked of this.taken()) counts[kindOf(asked)] = (counts[kindOf(asked)] ?? 0) + 1;
    return counts;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const asked = { method: request.method ?? '', url: request.url ?? '', headers: request.headers };
    this.asked.push(asked);
    const fate = this.decide(asked);
    if (fate instanceof Promise) await fate;
    else if (fate !== 'pass' && 'status' in fate) {
      request.resume();
      return void response.writeHead(fate.status).end();
    }
    const { hostname, port } = this.#target;
    const { method, url, headers } = asked;
    const cutAfter = typeof fate === 'object' && 'cutAfter' in fate ? fate.cutAfter : Number.POSITIVE_INFINITY;
    const onward = ask({ hostname, port, method, path: url, headers }, (answer) => relay(answer, response, cutAfter));
    onward.on('error', () => response.destroy());
    request.on('error', () => onward.destroy());
    request.pipe(onward);
  }
}

function relay(answer: IncomingMessage, response: ServerResponse, cutAfter: number): void {
  let left = cutAfter;
  response.writeHead(answer.statusCode ?? 502, answer.headers);
  answer.on('data', (bytes: Buffer) => {
    response.write(bytes.subarray(0, left));
    left -= Math.min(left, bytes.length);
    if (left === 0) response.destroy();
  });
  answer.on('end', () => response.end());
  answer.on('error', () => response.destroy());
}

function kindOf({ method, url }: Asked): string {
  const { searchParams } = new URL(url, 'http://host');
  if (searchParams.has('list-type')) return 'LIST';
  if (searchParams.has('delete')) return 'DELETE';
  if (searchParams.has('uploadId') && method === 'PUT') return 'PUT part';
  return searchParams.has('uploadId') || searchParams.has('uploads') ? `${method} upload` : method;
}
