import type { Digest } from '../base/digest.ts';
import type { Quarantined } from '../cache/results.ts';
import type { Location } from '../cache/store.ts';
import type { Facts, Form } from '../rule/part.ts';
import type { EarlierRun, Recalled, StepInputs } from '../rule/step.ts';

/** One step as it travels to a worker: plain data, nothing that only this process knows. */
export interface Job {
  readonly id: number;
  /** Module that defines the rule; importing it registers the rule by name. */
  readonly module: string;
  readonly rule: string;
  readonly step: string;
  readonly inputs: StepInputs;
  readonly params: unknown;
  /** See `StepIo.earlier`. */
  readonly earlier: readonly EarlierRun[];
  readonly locations: Readonly<Record<Digest, Location>>;
  /** Bundles of the user's functions that the params name, by digest. */
  readonly bundles: Readonly<Record<Digest, string>>;
  readonly secrets: Readonly<Record<string, string>>;
  /** Folders of the user's npm packages that the params name, by `name@version`. */
  readonly packages?: Readonly<Record<string, string>>;
  readonly tmpDir: string;
  readonly chunkBytes: number;
  /** So long work on one record of up to 1 MiB may take, and on larger ones in proportion; then the step is lost with its worker. */
  readonly recordMsMax: number;
}

/** An output as a worker hands it over: small bytes themselves, larger ones in a file that the store takes, or an input passed on. */
export interface MadePart {
  readonly output: string;
  readonly form: Form;
  readonly digest: Digest;
  readonly bytes: number;
  readonly facts: Facts;
  readonly name?: string;
  readonly data?: Uint8Array;
  readonly file?: string;
}

export interface Made {
  readonly parts: readonly MadePart[];
  readonly counters: Facts;
  readonly quarantined: readonly Quarantined[];
  readonly tookMs: number;
  /** Never part of the result, which is the same with and without earlier runs. */
  readonly recalled?: Recalled;
}
