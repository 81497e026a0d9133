import type { BuildView, TargetView } from '../state.ts';

/** What passes in a second. */
export interface Rate {
  readonly documents: number;
  readonly tokens: number;
  readonly bytes: number;
}

interface Sample extends Rate {
  readonly atMs: number;
}

const sampleMs = 1000;
const samplesKept = 10;

/** How fast targets go, over the last ten seconds or so. It looks once a second, whatever the number of steps. */
export class Rates {
  #run = '';
  #nextMs = 0;
  readonly #samples = new Map<string, Sample[]>();

  sample({ run, targets }: BuildView, nowMs: number): void {
    if (run !== this.#run) this.#samples.clear();
    else if (nowMs < this.#nextMs) return;
    this.#run = run;
    this.#nextMs = nowMs + sampleMs;
    for (const target of targets.values()) {
      if (target.state === 'running') this.#take(target, nowMs);
      else this.#samples.delete(target.name);
    }
  }

  #take({ name, documents, tokens, bytesIn }: TargetView, atMs: number): void {
    const samples = this.#samples.get(name) ?? [];
    samples.push({ atMs, documents, tokens, bytes: bytesIn });
    if (samples.length > samplesKept) samples.shift();
    this.#samples.set(name, samples);
  }

  /** Undefined until it was looked at twice. */
  of(name: string): Rate | undefined {
    const samples = this.#samples.get(name) ?? [];
    const [first, last] = [samples[0], samples.at(-1)];
    if (!first || !last || last.atMs <= first.atMs) return undefined;
    const seconds = (last.atMs - first.atMs) / 1000;
    return {
      documents: (last.documents - first.documents) / seconds,
      tokens: (last.tokens - first.tokens) / seconds,
      bytes: (last.bytes - first.bytes) / seconds,
    };
  }
}
