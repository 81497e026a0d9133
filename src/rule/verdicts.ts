import { BuildError } from '../base/errors.ts';

/** The output of a step that tells why it dropped documents, record by record: a side part. */
export const verdictsOutput = 'verdicts';

interface Written {
  readonly verdicts: 1;
  /** Each reason with the records that it dropped, as distances: the first from 0, each other from the one before it. */
  readonly dropped: readonly (readonly [reason: string, distances: readonly number[]])[];
}

/** Collects which records of a documents part were dropped and why; a record is a line of the part that holds the bytes. */
export class VerdictsBuilder {
  readonly #dropped = new Map<string, { last: number; distances: number[] }>();

  /** Records of one reason come in ascending order. */
  drop(record: number, reason: string): void {
    let of = this.#dropped.get(reason);
    if (!of) {
      of = { last: 0, distances: [] };
      this.#dropped.set(reason, of);
    }
    of.distances.push(record - of.last);
    of.last = record;
  }

  /** One line of JSON: tiny when most records stay, two or three bytes for each that does not. */
  finish(): Uint8Array {
    const written: Written = { verdicts: 1, dropped: [...this.#dropped].map(([reason, { distances }]) => [reason, distances]) };
    return Buffer.from(JSON.stringify(written));
  }
}

const damaged = (): BuildError => new BuildError('bad-part', { message: 'a list of verdicts is damaged' });

function parse(bytes: Uint8Array): Written {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8')) as Written;
  } catch {
    throw damaged();
  }
}

/**
 * The reason of each record that was dropped.
 *
 * @throws {BuildError} `bad-part` for what `VerdictsBuilder` can not have written.
 */
export function decodeVerdicts(bytes: Uint8Array): ReadonlyMap<number, string> {
  const written = parse(bytes);
  if (written?.verdicts !== 1 || !Array.isArray(written.dropped)) throw damaged();
  const reasons = new Map<number, string>();
  for (const [reason, distances] of written.dropped) {
    if (typeof reason !== 'string' || !Array.isArray(distances)) throw damaged();
    let record = 0;
    for (const distance of distances) {
      record += distance;
      reasons.set(record, reason);
    }
  }
  return reasons;
}
