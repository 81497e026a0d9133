import { checkDefinition } from './definition-checks.ts';
import type { Part } from './part.ts';
import { defineStep, type StepDefinition } from './step.ts';

/** What is wrong with a published file although its bytes are the ones that were made. */
export interface Finding {
  /** `masked-row`, `double-bos` ... */
  readonly code: string;
  readonly message: string;
  /** The first row that it is true of, counted from 0 in the file; absent where it is true of the file. */
  readonly row?: number;
  /** Rows that it is true of. */
  readonly count: number;
}

/** What a check gives of one file. */
export interface Checked {
  /** Rows that were looked at. */
  readonly rows: number;
  readonly findings: readonly Finding[];
}

/** Collects findings: of each kind the first and how many there are, so that a file that is wrong throughout is one finding. */
export class Findings {
  rows = 0;
  readonly #found = new Map<string, Finding>();

  add(code: string, message: string, row?: number): void {
    const known = this.#found.get(code);
    if (known) this.#found.set(code, { ...known, count: known.count + 1 });
    else this.#found.set(code, { code, message, ...(row !== undefined && { row }), count: 1 });
  }

  get checked(): Checked {
    return { rows: this.rows, findings: [...this.#found.values()] };
  }
}

export interface CheckInputs {
  readonly [name: string]: Part;
  readonly file: Part;
}

/** A file to be looked at. */
export interface CheckRequest {
  readonly file: Part;
  readonly params: unknown;
}

export interface CheckAbout {
  /** The named parts of a target as it was last built. */
  readonly files: readonly Part[];
  /** The parts that it was made from. */
  readonly inputs: () => Iterable<Part>;
  readonly options: Readonly<Record<string, unknown>>;
}

/** How a rule looks at what it published, for what no digest tells. */
export interface RuleCheck {
  /** Runs where steps run, one file at a time; what it gives is never kept, and it is in no key. */
  readonly step: StepDefinition<never, never, string>;
  requests(about: CheckAbout): Iterable<CheckRequest>;
}

/** The step of a check: looks at one file and adds what it finds. */
export function defineCheck<P>(
  name: string,
  look: (file: Part, params: P, to: { io: LookIo; findings: Findings }) => unknown,
): StepDefinition<CheckInputs, P> {
  checkDefinition('defineCheck', { name, look });
  return defineStep(name, { version: 1 }, async ({ file }: CheckInputs, params: P, io) => {
    const findings = new Findings();
    await look(file, params, { io, findings });
    const output = io.create('side');
    output.write(Buffer.from(JSON.stringify(findings.checked)));
    output.close();
  });
}

/** What a check may use of a step's io. */
export interface LookIo {
  readonly signal: AbortSignal;
  bytes(part: Part): Buffer;
  path(part: Part): string;
  progress(done: number, total?: number): void;
}
