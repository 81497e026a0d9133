import { join } from 'node:path';
import type { Digest } from '../base/digest.ts';
import type { Facts, Part } from '../rule/part.ts';
import { Log } from './log.ts';
import type { Origin } from './remote/trust.ts';

/** One output part of a step, with the output it belongs to. */
export interface OutputPart extends Part {
  readonly output: string;
}

/** A record that could not be used: record n of an input part; its file and line are looked up when it is shown. */
export interface Quarantined {
  readonly part: Digest;
  readonly record: number;
  readonly reason: string;
  readonly detail: string;
  /** Only in the results of targets. */
  readonly group?: string;
}

/** What a step's key maps to. */
export interface StepResult {
  readonly parts: readonly OutputPart[];
  readonly counters: Facts;
  readonly quarantined: readonly Quarantined[];
  readonly tookMs: number;
  /** Where it came from; none was made on this machine. */
  readonly origin?: Origin;
  /** It reached outside: its parts are data, which nobody can make again, and never collected. */
  readonly external?: true;
}

export interface CollectionResult {
  readonly digest: Digest;
  readonly parts: number;
  readonly bytes: number;
  readonly records: number;
  readonly tokens: number;
  /** Some of its parts select from others: `bytes` are those of the selections then, and nobody knows those of the documents. */
  readonly selects?: true;
}

/** What a target's key maps to. */
export interface TargetResult {
  readonly outputs: Readonly<Record<string, CollectionResult>>;
  readonly counters: Facts;
  readonly quarantined: readonly Quarantined[];
  /** Groups without one good record although they have bad ones. */
  readonly badGroups: readonly string[];
  readonly documentsIn: number;
  readonly steps: number;
  readonly tookMs: number;
  /** The table of where its parts come from; results of earlier versions have none. */
  readonly lineage?: Digest;
  /** The worst of those of the steps that it is composed of. */
  readonly origin?: Origin;
}

/** The keys of steps and of targets lie apart: a build that has nothing to do never opens the former. */
export class Results {
  readonly #dir: string;
  readonly #targets: Log;
  #steps: Log | undefined;

  constructor(stateDir: string) {
    this.#dir = join(stateDir, 'results', 'v1');
    this.#targets = new Log(this.#dir, 'targets');
  }

  target(key: Digest): TargetResult | undefined {
    return decode<TargetResult>(this.#targets.get(key));
  }

  step(key: Digest): StepResult | undefined {
    return decode<StepResult>(this.#opened().get(key));
  }

  /** What came to exactly this list of parts, if that is known. */
  listed(list: Digest): { readonly key: Digest; readonly result: TargetResult } | undefined {
    for (const [key, bytes] of this.#targets.entries()) {
      const result = bytes.includes(list) ? decode<TargetResult>(bytes) : undefined;
      if (result && Object.values(result.outputs).some(({ digest }) => digest === list)) return { key, result };
    }
    return undefined;
  }

  /** Digests of parts that came from outside. */
  *externalParts(): Generator<Digest> {
    for (const [, bytes] of this.#opened().entries()) {
      // Of 100,000 results few are: the others are not worth parsing.
      if (!bytes.includes(externalMark)) continue;
      const { external, parts } = decode<StepResult>(bytes) ?? { parts: [] };
      if (external) for (const { digest } of parts) yield digest;
    }
  }

  /** How many results there are. */
  counts(): { targets: number; steps: number } {
    return { targets: this.#targets.size, steps: this.#opened().size };
  }

  putTarget(key: Digest, result: TargetResult): void {
    this.#targets.put(key, encode(result));
  }

  putStep(key: Digest, result: StepResult): void {
    this.#opened().put(key, encode(result));
  }

  /** Resolves when the results of all steps are written. @throws what the file system threw. */
  stepsWritten(): Promise<void> {
    return this.#opened().written();
  }

  refresh(): void {
    this.#targets.refresh();
    this.#steps?.refresh();
  }

  flush(): void {
    this.#steps?.flush();
    this.#targets.flush();
  }

  close(): void {
    for (const log of [this.#steps, this.#targets]) {
      log?.seal();
      log?.compact();
    }
  }

  #opened(): Log {
    this.#steps ??= new Log(this.#dir, 'steps');
    return this.#steps;
  }
}

const externalMark = Buffer.from('"external":true');
const encode = (result: unknown): Buffer => Buffer.from(JSON.stringify(result));

function decode<T>(bytes: Buffer | undefined): T | undefined {
  return bytes && bytes.length > 0 ? (JSON.parse(bytes.toString('utf8')) as T) : undefined;
}
