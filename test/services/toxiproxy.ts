import { findProgram, freePort, startService } from './program.ts';

/** What a connection suffers; `downstream` is what the client gets. */
export type Toxic =
  | { readonly type: 'latency'; readonly ms: number; readonly jitterMs?: number }
  | { readonly type: 'bandwidth'; readonly bytesPerSecond: number; readonly stream?: Stream }
  /** Each connection is reset (TCP RST) after so long. */
  | { readonly type: 'reset'; readonly afterMs: number }
  /** Each connection is closed after so many bytes. */
  | { readonly type: 'limit'; readonly bytes: number; readonly stream?: Stream }
  /** Connections are taken and nothing comes back. */
  | { readonly type: 'black-hole' };

type Stream = 'upstream' | 'downstream';

export interface ToxicProxy {
  readonly endpoint: string;
  /** For all connections from now on, those that are open included; `share` of them (default all). */
  add(toxic: Toxic, share?: number): Promise<void>;
  /** Takes all toxics away, and is up again. */
  clear(): Promise<void>;
  /** Refuses connections and ends those that are open. */
  down(): Promise<void>;
}

export interface Toxiproxy {
  /** @param upstream `http://127.0.0.1:port` */
  proxy(upstream: string): Promise<ToxicProxy>;
  stop(): Promise<void>;
}

/** @returns undefined if the program is not there: the caller returns, and counts as skipped. */
export async function startToxiproxy(): Promise<Toxiproxy | undefined> {
  const program = findProgram('toxiproxy');
  if (program === undefined) return undefined;
  const { url, stop } = await startService({
    program,
    args: ({ port }) => ['-host', '127.0.0.1', '-port', String(port)],
    healthPath: '/version',
  });
  let count = 0;
  return { stop, proxy: (upstream) => toxicProxy(url, { name: `s3-${count++}`, upstream: new URL(upstream).host }) };
}

async function toxicProxy(url: string, { name, upstream }: { name: string; upstream: string }): Promise<ToxicProxy> {
  const ask = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const answer = await fetch(`${url}/proxies${path}`, { method, ...(body !== undefined && { body: JSON.stringify(body) }) });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`toxiproxy: ${method} ${path}: ${answer.status} ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  };
  // One that the system gives to nobody else while the proxy is down.
  const listen = `127.0.0.1:${await freePort()}`;
  await ask('POST', '', { name, listen, upstream, enabled: true });
  let toxics: string[] = [];
  return {
    endpoint: `http://${listen}`,
    async add(toxic, share = 1) {
      const toxicName = `${toxic.type}-${toxics.length}`;
      await ask('POST', `/${name}/toxics`, { name: toxicName, toxicity: share, ...wire(toxic) });
      toxics.push(toxicName);
    },
    async clear() {
      for (const toxic of toxics) await ask('DELETE', `/${name}/toxics/${toxic}`);
      toxics = [];
      await ask('POST', `/${name}`, { enabled: true, listen, upstream });
    },
    down: async () => void (await ask('POST', `/${name}`, { enabled: false, listen, upstream })),
  };
}

/** As toxiproxy's API has it. */
function wire(toxic: Toxic): { type: string; stream: Stream; attributes: Readonly<Record<string, number>> } {
  switch (toxic.type) {
    case 'latency':
      return { type: 'latency', stream: 'downstream', attributes: { latency: toxic.ms, jitter: toxic.jitterMs ?? 0 } };
    case 'bandwidth':
      return { type: 'bandwidth', stream: toxic.stream ?? 'downstream', attributes: { rate: Math.ceil(toxic.bytesPerSecond / 1000) } };
    case 'reset':
      return { type: 'reset_peer', stream: 'downstream', attributes: { timeout: toxic.afterMs } };
    case 'limit':
      return { type: 'limit_data', stream: toxic.stream ?? 'downstream', attributes: { bytes: toxic.bytes } };
    case 'black-hole':
      return { type: 'timeout', stream: 'downstream', attributes: { timeout: 0 } };
  }
}
