import type { Digest } from '../base/digest.ts';
import type { Store } from '../cache/store.ts';
import { PendingPart } from '../execute/pending.ts';
import { outputNames, type PlanRun } from '../execute/plan-run.ts';
import { type StepRun, settledInputs, workedOn } from '../execute/step-run.ts';
import { lineageOutput } from '../rule/lineage.ts';
import type { Part } from '../rule/part.ts';
import { verdictsOutput } from '../rule/verdicts.ts';
import type { LocalSources } from '../source/local.ts';
import { DigestColumn, encodeLineageTable, formByte, type LineageTable, noPart } from './lineage-table.ts';
import { rowCount } from './row-count.ts';

/** A plan that has run, and what it read. */
export interface RecordedPlan {
  readonly plan: PlanRun;
  /** Digests of the collections that it read, in the order of its target's inputs. */
  readonly read: readonly Digest[];
  readonly local: LocalSources | undefined;
  /** The place of a chunk of local sources in their table. */
  readonly chunkOf: WeakMap<Part, number>;
  readonly store: Store;
}

const countOf = ({ form, facts }: Part): number | undefined => rowCount(form, (name) => facts[name]);

/** What is asked for when a row is traced; other side parts are for steps. */
const tracedSides: ReadonlySet<string> = new Set([lineageOutput, verdictsOutput]);

/** A step that leads to a part of an output, with its first input and all that it made. */
interface KeptStep {
  readonly step: StepRun;
  readonly read: readonly Part[];
  readonly made: readonly { readonly part: Part; readonly byte: number }[];
  readonly sides: readonly { readonly output: string; readonly digest: Digest }[];
  readonly others: readonly Digest[];
}

function keptStep(step: StepRun): KeptStep {
  const made: { part: Part; byte: number }[] = [];
  const sides: { output: string; digest: Digest }[] = [];
  const others: Digest[] = [];
  for (const [output, parts] of Object.entries(step.outputs ?? {})) {
    for (const part of parts) {
      if (tracedSides.has(output)) sides.push({ output, digest: part.digest });
      else if (part.form !== 'side') made.push({ part, byte: formByte(part.form, output === step.definition.outputs[0]) });
      else others.push(part.digest);
    }
  }
  return { step, read: workedOn(settledInputs(step.inputs)), made, sides, others };
}

/** Steps come after those whose parts they read, so that one way back finds all that lead to an output. The others are told by their parts. */
function keptSteps({ steps, outputs }: PlanRun): { kept: KeptStep[]; left: StepRun[] } {
  const makers = new Map<Part, number>();
  for (const [i, step] of steps.entries()) {
    for (const parts of Object.values(step.outputs ?? {})) for (const part of parts) makers.set(part, i);
  }
  const isKept = new Uint8Array(steps.length);
  const keepMaker = (part: Part): void => {
    const maker = makers.get(part);
    if (maker !== undefined) isKept[maker] = 1;
  };
  for (const { origins } of Object.values(outputs)) for (const origin of origins) if (countOf(origin) !== undefined) keepMaker(origin);
  const kept: KeptStep[] = [];
  const left: StepRun[] = [];
  for (let i = steps.length - 1; i >= 0; i--) {
    if (!isKept[i]) {
      left.push(steps[i] as StepRun);
      continue;
    }
    const step = keptStep(steps[i] as StepRun);
    step.read.forEach(keepMaker);
    kept.push(step);
  }
  return { kept: kept.reverse(), left };
}

/** Files of the store that steps were given as they are, by an option: the same object in all steps of a plan. */
function givenFiles({ plan: { steps }, store }: RecordedPlan): Part[] {
  const found = new Set<Part>();
  for (const { inputs } of steps) {
    for (const given of Object.values(inputs)) {
      const isFile = !Array.isArray(given) && !(given instanceof PendingPart) && (given as Part).form === 'file';
      if (isFile) found.add(given as Part);
    }
  }
  return [...found].filter(({ digest }) => store.locate(digest) !== undefined);
}

function otherDigests(recorded: RecordedPlan, { kept, left }: { kept: readonly KeptStep[]; left: readonly StepRun[] }): Uint8Array {
  const column = new DigestColumn();
  for (const { digest } of givenFiles(recorded)) column.push(digest);
  for (const { others } of kept) for (const digest of others) column.push(digest);
  for (const { result } of left) for (const { digest } of result?.parts ?? []) column.push(digest);
  return column.finish();
}

/** Numbers of parts. Parts are known as the objects that plans pass on: equal ones may stand at several places. */
class Numbers {
  readonly #numbers = new Map<Part, number>();
  readonly #chunkOf: WeakMap<Part, number>;
  readonly #chunkStart: number;
  readonly #fileStart: number;
  readonly #files = new DigestColumn();
  readonly #fileOfDigest = new Map<Digest, number>();
  /** Files are counted while inputs are numbered, so what is made is numbered from 0 and moved behind them in the end. */
  readonly #made = new Map<Part, number>();

  constructor({ plan, local, chunkOf }: RecordedPlan, kept: readonly KeptStep[]) {
    this.#chunkOf = chunkOf;
    for (const { parts } of plan.inputs) for (const part of parts) this.#numbers.set(part, this.#numbers.size);
    this.#chunkStart = plan.inputs.reduce((sum, { parts }) => sum + parts.length, 0);
    this.#fileStart = this.#chunkStart + (local?.chunkCount ?? 0);
    for (const { made } of kept) for (const { part } of made) this.#made.set(part, this.#made.size);
    for (const { read } of kept) for (const part of read) if (!this.#made.has(part)) this.#given(part);
  }

  get files(): Uint8Array {
    return this.#files.finish();
  }

  of(part: Part): number {
    const made = this.#made.get(part);
    return made === undefined ? this.#given(part) : this.#fileStart + this.#files.count + made;
  }

  isKnown(part: Part): boolean {
    return this.#made.has(part) || this.#numbers.has(part) || this.#chunkOf.has(part);
  }

  #given(part: Part): number {
    const known = this.#numbers.get(part);
    if (known !== undefined) return known;
    const chunk = this.#chunkOf.get(part);
    return chunk === undefined ? this.#fileStart + this.#file(part.digest) : this.#chunkStart + chunk;
  }

  #file(digest: Digest): number {
    const known = this.#fileOfDigest.get(digest);
    if (known !== undefined) return known;
    const file = this.#files.push(digest);
    this.#fileOfDigest.set(digest, file);
    return file;
  }
}

type StepColumns = Omit<LineageTable, 'about' | 'outputs' | 'fileDigests' | 'otherDigests'>;

function stepColumns(kept: readonly KeptStep[], numbers: Numbers, names: NameList): StepColumns {
  const total = (count: (step: KeptStep) => number): number => kept.reduce((sum, step) => sum + count(step), 0);
  const [reads, makes, sides] = [total(({ read }) => read.length), total(({ made }) => made.length), total((one) => one.sides.length)];
  const columns = {
    steps: new Uint8Array(kept.length),
    inputEnds: new Uint32Array(kept.length),
    partEnds: new Uint32Array(kept.length),
    inputs: new Uint32Array(reads),
    partForms: new Uint8Array(makes),
    partRows: new Uint32Array(makes),
    sideSteps: new Uint32Array(sides),
    sides: new Uint8Array(sides),
  };
  const [partDigests, sideDigests] = [new DigestColumn(), new DigestColumn()];
  let input = 0;
  for (const [i, { step, read, made, sides: left }] of kept.entries()) {
    columns.steps[i] = names.step(step.name);
    for (const part of read) columns.inputs[input++] = numbers.of(part);
    for (const { part, byte } of made) {
      const at = partDigests.push(part.digest);
      columns.partForms[at] = byte;
      columns.partRows[at] = countOf(part) ?? 0;
    }
    for (const { output, digest } of left) {
      const at = sideDigests.push(digest);
      columns.sideSteps[at] = i;
      columns.sides[at] = names.side(output);
    }
    columns.inputEnds[i] = input;
    columns.partEnds[i] = partDigests.count;
  }
  return { ...columns, partDigests: partDigests.finish(), sideDigests: sideDigests.finish() };
}

class NameList {
  readonly steps: string[] = [];
  readonly sides: string[] = [];

  step(name: string): number {
    return indexIn(this.steps, name);
  }

  side(name: string): number {
    return indexIn(this.sides, name);
  }
}

function indexIn(list: string[], name: string): number {
  const index = list.indexOf(name);
  return index < 0 ? list.push(name) - 1 : index;
}

/** The bytes of the table of a plan that came to its end. */
export function recordLineage(recorded: RecordedPlan): Uint8Array {
  const { plan, read, local } = recorded;
  const found = keptSteps(plan);
  const { kept } = found;
  const numbers = new Numbers(recorded, kept);
  const names = new NameList();
  const columns = stepColumns(kept, numbers, names);
  const outputs = outputNames(plan.target);
  const numberOf = (origin: Part): number => (countOf(origin) !== undefined && numbers.isKnown(origin) ? numbers.of(origin) : noPart);
  return encodeLineageTable({
    ...columns,
    outputs: outputs.map((name) => Uint32Array.from(plan.outputs[name]?.origins ?? [], numberOf)),
    fileDigests: numbers.files,
    otherDigests: otherDigests(recorded, found),
    about: {
      inputs: plan.inputs.map(({ parts }, i) => ({ digest: read[i] as Digest, parts: parts.length })),
      chunks: local?.chunkCount ?? 0,
      list: local?.listDigest ?? '',
      outputs,
      stepNames: names.steps,
      sideNames: names.sides,
    },
  });
}
