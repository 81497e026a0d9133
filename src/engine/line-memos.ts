import type { Digest } from '../base/digest.ts';
import { BuildError } from '../base/errors.ts';
import { readPart } from '../cache/part-reader.ts';
import type { PlanRun } from '../execute/plan-run.ts';
import { StepRun } from '../execute/step-run.ts';
import type { Part } from '../rule/part.ts';
import { decodeMemo, memoHashWords, memoOutput } from '../rule/row-memo.ts';
import type { BuildRun } from './build-run.ts';

const hashBytes = memoHashWords * 4;

/** What stands for a line in a row memo: the beginning of its SHA-256, as binary text. */
export const lineHash = (line: Buffer): string =>
  process.getBuiltinModule('node:crypto').hash('sha256', line, 'binary').slice(0, hashBytes);

/** Hashes of lines as row memos have them: what is known of chunks whose bytes may be gone. */
export class LineMemos {
  readonly #found = new Map<Digest, readonly string[]>();
  readonly #run: BuildRun;

  constructor(run: BuildRun) {
    this.#run = run;
  }

  /** Of the lines of a chunk that are not blank; undefined when it is not known whole. */
  of(chunk: Digest): readonly string[] | undefined {
    return this.#found.get(chunk);
  }

  /** A step like those of a reader's plan, on each part that it read once: its result is known if nothing else changed. */
  learn(plan: PlanRun, parts: readonly Part[]): void {
    const step = plan.steps.find(({ definition }) => definition.rowPure !== undefined);
    const input = step?.definition.rowPure;
    if (!step || input === undefined) return;
    const run = this.#run;
    // A selection of a chunk says nothing of the lines that it leaves out.
    for (const part of parts.filter(({ form, digest }) => form === 'lines' && !this.#found.has(digest))) {
      const again = new StepRun(step.definition, { ...step.inputs, [input]: part }, step.params);
      run.owners.set(again, plan);
      const memo = run.rebuilder.lookup(again)?.parts.find(({ output }) => output === memoOutput);
      const hashes = this.#hashes(part, memo);
      if (hashes) this.#found.set(part.digest, hashes);
    }
  }

  #hashes({ facts }: Part, memo: Part | undefined): string[] | undefined {
    const location = memo && this.#run.locations.locate(memo.digest);
    if (!memo || !location) return undefined;
    try {
      const { count, hashes } = decodeMemo(readPart(memo.digest, location));
      // A line of which nothing is known would be taken for a new one.
      if (count !== facts.records) return undefined;
      const bytes = Buffer.from(hashes.buffer, hashes.byteOffset, hashes.byteLength);
      return Array.from({ length: count }, (_, i) => bytes.toString('latin1', i * hashBytes, (i + 1) * hashBytes));
    } catch (error) {
      if (error instanceof BuildError) return undefined;
      throw error;
    }
  }
}
