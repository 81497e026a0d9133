import type { Digest } from '../../base/digest.ts';
import type { TargetResult } from '../../cache/results.ts';
import type { GraphTarget } from '../../graph/graph.ts';
import type { CollectionView } from '../../rule/collection.ts';
import type { Form } from '../../rule/part.ts';
import type { TableView } from '../../source/view.ts';
import { digestAt, formAt, type LineageTable } from '../lineage-table.ts';
import { rowCount } from '../row-count.ts';
import type { Archive } from './archive.ts';

/** An output of a target as it was last built. */
export interface TracedOutput {
  readonly digest: Digest;
  readonly parts: CollectionView;
}

/** What was last built of a target. */
export interface LastBuilt {
  readonly table: LineageTable;
  readonly outputs: ReadonlyMap<string, TracedOutput>;
  readonly figures: Pick<TargetResult, 'quarantined' | 'counters'>;
  /** The table of its local sources as it was then, if it is still known. */
  readonly sources: TableView | undefined;
}

/** What a number in a lineage table stands for. */
export type PartPlace =
  | { readonly of: 'input'; readonly input: number; readonly place: number }
  | { readonly of: 'chunk'; readonly chunk: number }
  | { readonly of: 'file'; readonly digest: Digest }
  | { readonly of: 'step'; readonly step: number; readonly made: number };

/** A step of a lineage table: numbers of the parts that it read and made. */
export interface TracedStep {
  readonly step: number;
  readonly name: string;
  readonly read: readonly number[];
  readonly made: readonly number[];
}

/** One target as it was last built, seen through its lineage table. */
export class TracedTarget {
  readonly target: GraphTarget;
  readonly built: LastBuilt;
  readonly table: LineageTable;
  readonly #archive: Archive;
  /** Number of each input collection's first part; of the first chunk, file, made part. */
  readonly #inputStarts: readonly number[];
  readonly #chunkStart: number;
  readonly #fileStart: number;
  readonly #madeStart: number;

  constructor(target: GraphTarget, built: LastBuilt, archive: Archive) {
    this.target = target;
    this.built = built;
    this.table = built.table;
    this.#archive = archive;
    const { inputs, chunks } = this.table.about;
    let start = 0;
    this.#inputStarts = inputs.map(({ parts }) => {
      start += parts;
      return start - parts;
    });
    this.#chunkStart = start;
    this.#fileStart = start + chunks;
    this.#madeStart = this.#fileStart + this.table.fileDigests.length / 32;
  }

  place(part: number): PartPlace {
    if (part >= this.#madeStart) return { of: 'step', made: part - this.#madeStart, step: this.#makerOf(part - this.#madeStart) };
    if (part >= this.#fileStart) return { of: 'file', digest: digestAt(this.table.fileDigests, part - this.#fileStart) };
    if (part >= this.#chunkStart) return { of: 'chunk', chunk: part - this.#chunkStart };
    const input = this.#inputStarts.findLastIndex((start) => start <= part);
    return { of: 'input', input, place: part - (this.#inputStarts[input] as number) };
  }

  /** The number of a part of an input collection. */
  inputPart(input: number, place: number): number {
    return (this.#inputStarts[input] as number) + place;
  }

  chunkPart(chunk: number): number {
    return this.#chunkStart + chunk;
  }

  /** Numbers of files that steps read or fetched and that have this digest. */
  *filesWith(digest: Digest): Generator<number> {
    const { fileDigests, partDigests } = this.table;
    for (let i = 0; i < fileDigests.length / 32; i++) if (digestAt(fileDigests, i) === digest) yield this.#fileStart + i;
    for (let i = 0; i < this.table.partForms.length; i++) {
      if (formAt(this.table, i) === 'file' && digestAt(partDigests, i) === digest) yield this.#madeStart + i;
    }
  }

  step(step: number): TracedStep {
    const { inputs, inputEnds, partEnds, steps, about } = this.table;
    const range = (ends: Uint32Array): [number, number] => [step === 0 ? 0 : (ends[step - 1] as number), ends[step] as number];
    const [from, to] = range(partEnds);
    return {
      step,
      name: about.stepNames[steps[step] as number] as string,
      read: Array.from(inputs.subarray(...range(inputEnds))),
      made: Array.from({ length: to - from }, (_, i) => this.#madeStart + from + i),
    };
  }

  /** Steps that read a part. */
  *readersOf(part: number): Generator<TracedStep> {
    const { inputs, inputEnds } = this.table;
    let last = -1;
    for (let at = inputs.indexOf(part); at >= 0; at = inputs.indexOf(part, at + 1)) {
      const step = firstAbove(inputEnds, at);
      if (step !== last) yield this.step(step);
      last = step;
    }
  }

  /** The digest of a side part that a step left. */
  side({ step }: TracedStep, name: string): Digest | undefined {
    const { sideSteps, sides, sideDigests, about } = this.table;
    for (let at = sideSteps.indexOf(step); sideSteps[at] === step; at++) {
      if (about.sideNames[sides[at] as number] === name) return digestAt(sideDigests, at);
    }
    return undefined;
  }

  inputParts(input: number): CollectionView | undefined {
    return this.#archive.collection(this.table.about.inputs[input]?.digest as Digest);
  }

  form(part: number): Form {
    const place = this.place(part);
    if (place.of === 'step') return formAt(this.table, place.made);
    if (place.of === 'chunk') return 'lines';
    return place.of === 'file' ? 'file' : (this.inputParts(place.input)?.form(place.place) ?? 'lines');
  }

  /** Rows of a part; undefined where that is not known. */
  rows(part: number): number | undefined {
    const place = this.place(part);
    if (place.of === 'step') return this.table.partRows[place.made];
    if (place.of === 'chunk') return this.built.sources?.chunk(place.chunk).records;
    const parts = place.of === 'input' ? this.inputParts(place.input) : undefined;
    return place.of === 'input' && parts ? rowCount(parts.form(place.place), (name) => parts.fact(place.place, name)) : undefined;
  }

  digest(part: number): Digest | undefined {
    const place = this.place(part);
    if (place.of === 'step') return digestAt(this.table.partDigests, place.made);
    if (place.of === 'chunk') return this.built.sources?.chunk(place.chunk).digest;
    return place.of === 'file' ? place.digest : this.inputParts(place.input)?.digest(place.place);
  }

  /** The digest of the lines that a part's rows are, if they are lines of something. */
  base(part: number): Digest | undefined {
    const form = this.form(part);
    const digest = form === 'lines' || form === 'view' ? this.digest(part) : undefined;
    return digest === undefined || form === 'lines' ? digest : this.#archive.view(digest)?.base;
  }

  /** The number of an output's part. */
  outputPart(output: string, place: number): number | undefined {
    return this.table.outputs[this.table.about.outputs.indexOf(output)]?.[place];
  }

  /** Where a part came to stand in the outputs. */
  *outputsWith(part: number): Generator<{ readonly output: string; readonly place: number }> {
    for (const [i, column] of this.table.outputs.entries()) {
      for (let place = column.indexOf(part); place >= 0; place = column.indexOf(part, place + 1)) {
        yield { output: this.table.about.outputs[i] as string, place };
      }
    }
  }

  #makerOf(made: number): number {
    return firstAbove(this.table.partEnds, made);
  }
}

/** The first place whose value is above `value`. */
export function firstAbove(rising: Uint32Array, value: number): number {
  let [low, high] = [0, rising.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((rising[middle] as number) > value) high = middle;
    else low = middle + 1;
  }
  return low;
}
