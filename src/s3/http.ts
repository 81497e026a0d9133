import { type ClientRequest, type IncomingMessage, Agent as PlainAgent, request as plainRequest } from 'node:http';
import { Agent as SecureAgent, request as secureRequest } from 'node:https';
import { Readable } from 'node:stream';

export interface HttpTimes {
  /** Until a connection stands. */
  readonly connectMs: number;
  /** From then until an answer begins, without a byte in either direction that is seen from here. */
  readonly answerMs: number;
  /** What the system has taken of a body, and nobody here sees move, leaves at least so fast: the answer is waited for that much longer. */
  readonly drainedBytesPerSecondMin: number;
  /** Between two bytes of an answer's body. */
  readonly stallMs: number;
  /** What is slower than this on average is as good as broken. */
  readonly bytesPerSecondMin: number;
}

/** As the SDK hands it over. Bodies of this layer are always whole in memory. */
interface WireRequest {
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number;
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string | readonly string[] | null>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
}

interface WireResponse {
  readonly statusCode: number;
  readonly reason?: string;
  readonly headers: Record<string, string>;
  readonly body: Readable;
}

/** The SDK hands on what `Requests` gave it. */
interface HandleOptions {
  readonly abortSignal?: unknown;
  /** Instead of `answerMs`. */
  readonly requestTimeout?: number | undefined;
}

/** Nothing moved for too long. */
class HttpTimeout extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'TimeoutError';
  }
}

/**
 * How the SDK's requests travel. The SDK's own handler warns instead of aborting, or aborts what still moves: here every wait has an
 * end that destroys the socket, and a body that moves may take its time.
 */
export class HttpHandler {
  readonly metadata = { handlerProtocol: 'http/1.1' };
  readonly #times: HttpTimes;
  readonly #plain: PlainAgent;
  readonly #secure: SecureAgent;

  constructor(times: HttpTimes, requestsMax: number) {
    this.#times = times;
    // Never fewer than requests: one that waits for a socket would look like one that is not answered.
    const options = { keepAlive: true, maxSockets: requestsMax + 1, maxFreeSockets: requestsMax };
    this.#plain = new PlainAgent(options);
    this.#secure = new SecureAgent(options);
  }

  async handle(wire: WireRequest, { abortSignal, requestTimeout }: HandleOptions = {}): Promise<{ response: WireResponse }> {
    const signal = abortSignal as AbortSignal | undefined;
    signal?.throwIfAborted();
    const times = { ...this.#times, ...(requestTimeout !== undefined && { answerMs: requestTimeout }) };
    return { response: responseOf(await answered(this.#begin(wire), { wire, signal, times })) };
  }

  #begin({ protocol, hostname, port, method, path, query, headers }: WireRequest): ClientRequest {
    const secure = protocol === 'https:';
    const host = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
    const options = { host, port, method, path: path + queryText(query), headers: { ...headers } };
    return secure ? secureRequest({ ...options, agent: this.#secure }) : plainRequest({ ...options, agent: this.#plain });
  }

  updateHttpClientConfig(): void {}

  httpHandlerConfigs(): Record<string, never> {
    return {};
  }

  destroy(): void {
    this.#plain.destroy();
    this.#secure.destroy();
  }
}

interface Sending {
  readonly wire: WireRequest;
  readonly signal: AbortSignal | undefined;
  readonly times: HttpTimes;
}

/** Linux buffers no more of a connection (`tcp_wmem`), others less. */
const bufferedBytesMax = 4 * 1024 * 1024;

/** Sends the request with its body; resolves when an answer begins. What comes after that is watched, too. */
function answered(request: ClientRequest, { wire, signal, times }: Sending): Promise<IncomingMessage> {
  const { connectMs, stallMs } = times;
  const bodyBytes = wire.body?.length ?? 0;
  const answerMs = times.answerMs + (Math.min(bodyBytes, bufferedBytesMax) / times.drainedBytesPerSecondMin) * 1000;
  return new Promise((resolve, reject) => {
    let answer: IncomingMessage | undefined;
    const end = (error: Error): void => {
      reject(error);
      answer?.destroy(error);
      request.destroy(error);
    };
    const late = (what: string, ms: number): void => end(new HttpTimeout(`${what} ${ms / 1000} s`));
    const bodyMs = answerMs + (bodyBytes / times.bytesPerSecondMin) * 1000;
    const connecting = setTimeout(late, connectMs, 'no connection within', connectMs);
    const sending = setTimeout(late, connectMs + bodyMs, 'no answer within', bodyMs);
    // Node's own count of idle time: it knows how much of a large body the system has taken.
    const idle = (): void => (answer ? late('nothing came for', stallMs) : late('no answer within', answerMs));
    const abort = (): void => end(signal?.reason);
    signal?.addEventListener('abort', abort, { once: true });
    request.once('socket', (socket) => {
      const connected = (): void => {
        clearTimeout(connecting);
        socket.setTimeout(answerMs);
      };
      if (socket.connecting) socket.once(wire.protocol === 'https:' ? 'secureConnect' : 'connect', connected);
      else connected();
      // It stays set: an idle connection is closed then, before the server does that in the middle of a request.
      socket.on('timeout', idle);
      request.once('close', () => socket.off('timeout', idle));
    });
    request.once('response', (response) => {
      answer = response;
      clearTimeout(sending);
      response.socket.setTimeout(stallMs);
      // Whoever reads it gets the error; it may come before anybody reads.
      response.on('error', () => {});
      resolve(response);
    });
    request.on('error', reject);
    request.once('close', () => {
      clearTimeout(connecting);
      clearTimeout(sending);
      signal?.removeEventListener('abort', abort);
    });
    request.end(wire.body);
  });
}

function responseOf(answer: IncomingMessage): WireResponse {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(answer.headers))
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value;
  const { statusCode = 0, statusMessage } = answer;
  return { statusCode, ...(statusMessage && { reason: statusMessage }), headers, body: bodyOf(answer) };
}

/**
 * That a condition did not hold is often said before all of the request's body was read, and the connection cut then: the status says it
 * all, so what is behind it need not arrive.
 */
function bodyOf(answer: IncomingMessage): Readable {
  if (answer.statusCode !== 412) return answer;
  answer.resume();
  return Readable.from([]);
}

/** Every character but letters, digits and `-_.~` is escaped (RFC 3986), as in the signature. */
function queryText(query: WireRequest['query']): string {
  const parts = Object.entries(query).flatMap(([name, value]) => {
    const values = typeof value === 'string' || value === null ? [value] : value;
    return values.map((each) => (each === null ? escaped(name) : `${escaped(name)}=${escaped(each)}`));
  });
  return parts.length > 0 ? `?${parts.join('&')}` : '';
}

const escaped = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
