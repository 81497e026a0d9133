/**
 * Runs a rule's plan in this process, with the engine's own scheduler and step runner, on parts in a store of the test's own.
 * Every step is validated and its ledger checked, as in a build.
 */
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Cutter } from '../../src/base/cut.ts';
import { digestHex } from '../../src/base/digest.ts';
import { uniqueName } from '../../src/base/files.ts';
import { recordHash } from '../../src/base/record-hash.ts';
import type { StepResult } from '../../src/cache/results.ts';
import { type Location, Store } from '../../src/cache/store.ts';
import type { JobIo } from '../../src/execute/io.ts';
import type { Job, Made } from '../../src/execute/job.ts';
import { assertBalanced } from '../../src/execute/ledger.ts';
import { OutputStream } from '../../src/execute/output-stream.ts';
import { PlanRun } from '../../src/execute/plan-run.ts';
import { runJob } from '../../src/execute/run-job.ts';
import { Scheduler } from '../../src/execute/scheduler.ts';
import { inputParts, type StepRun, settledInputs } from '../../src/execute/step-run.ts';
import { assertValid } from '../../src/execute/validate.ts';
import type { GraphTarget } from '../../src/graph/graph.ts';
import { encodeCollection } from '../../src/rule/collection.ts';
import { rowsOf } from '../../src/rule/documents.ts';
import { checkOptions } from '../../src/rule/option-checks.ts';
import { factOf, type Part } from '../../src/rule/part.ts';
import type { Rule } from '../../src/rule/rule.ts';
import type { SourceItem, Sources } from '../../src/rule/source.ts';
import { decodeView, emptyBitmap, encodeView, isSelected, select } from '../../src/rule/view.ts';

const stateDir = mkdtempSync(join(tmpdir(), 'dsbuild-rules-'));
const tmpDir = join(stateDir, 'tmp');
mkdirSync(tmpDir);
process.on('exit', () => rmSync(stateDir, { recursive: true, force: true }));
const store = new Store(stateDir);

const asBytes = (content: string | Uint8Array): Buffer => Buffer.from(content as Uint8Array);

/** A part of form `file`. */
export function filePart(content: string | Uint8Array, group = 'a/b'): Part {
  const bytes = asBytes(content);
  return { digest: store.put(bytes), form: 'file', bytes: bytes.length, facts: {}, group };
}

/** A file's lines as chunks by reference have them: unchecked, with raw line counts. An empty file gives no chunk. */
export function chunksOf(content: string | Uint8Array, { group = 'a/b', chunkBytes = 1 << 20 } = {}): Part[] {
  const bytes = asBytes(content);
  const cutter = new Cutter(chunkBytes);
  const parts: Part[] = [];
  let start = 0;
  const add = (cut: { end: number; items: number; u: number } | undefined): void => {
    if (!cut || cut.end === start) return;
    const piece = bytes.subarray(start, cut.end);
    parts.push({ digest: store.put(piece), form: 'lines', bytes: piece.length, facts: { records: cut.items, u: cut.u }, group });
    start = cut.end;
  };
  for (let at = 0; at < bytes.length; ) {
    const found = bytes.indexOf(10, at);
    const end = found < 0 ? bytes.length : found + 1;
    cutter.push(end - at, recordHash(bytes.subarray(at, end)));
    while (cutter.ready) add(cutter.take());
    at = end;
  }
  add(cutter.end());
  return parts;
}

/** Documents as one `lines` part; each is an object, or a line as it stands. */
export function documentsPart(documents: readonly (object | string)[], group = 'a/b'): Part {
  const lines = documents.map((document) => `${typeof document === 'string' ? document : JSON.stringify(document)}\n`);
  const bytes = Buffer.from(lines.join(''));
  const u = recordHash(Buffer.from(lines.at(-1) ?? ''));
  return { digest: store.put(bytes), form: 'lines', bytes: bytes.length, facts: { records: lines.length, u }, group };
}

/** A view on some records of a `lines` part. */
export function selectedFrom(base: Part, records: readonly number[]): Part {
  const bitmap = emptyBitmap(factOf(base, 'records'));
  for (const record of records) select(bitmap, record);
  const bytes = encodeView({ base: base.digest, records: factOf(base, 'records'), bitmap });
  return { ...base, digest: store.put(bytes), form: 'view', bytes: bytes.length, facts: { ...base.facts, records: records.length } };
}

/** What the option kind `sources()` gives a plan. */
export function sourcesOf(items: readonly SourceItem[]): Sources {
  const groups = [...new Set(items.map((item) => (item.item === 'remote' ? item.group : item.part.group)))];
  return {
    groups,
    async *[Symbol.asyncIterator]() {
      yield* items;
    },
  };
}

export const chunkItems = (parts: readonly Part[]): SourceItem[] => parts.map((part) => ({ item: 'chunk', part }));

const locate = (digest: string): Location => {
  const found = store.locate(digest);
  if (!found) throw new Error(`no bytes for ${digest}`);
  return found;
};

export function bytesOf(part: Part): Buffer {
  const [segment] = locate(part.digest);
  if (!segment) return Buffer.alloc(0);
  return Buffer.from(readFileSync(segment.path).subarray(segment.offset, segment.offset + segment.length));
}

export const textOf = (part: Part): string => bytesOf(part).toString('utf8');

/** The lines that a documents part holds, views applied. */
export function linesIn(part: Part): string[] {
  const view = part.form === 'view' ? decodeView(bytesOf(part)) : undefined;
  const bytes = view ? bytesOf({ ...part, digest: view.base }) : bytesOf(part);
  return [...rowsOf(bytes, view && ((record) => isSelected(view, record)))].map((row) => row.line.toString('utf8'));
}

/** A file behind an address, as the harness's `fetch` finds it. */
export interface Remote {
  readonly bytes: Uint8Array;
  readonly etag?: string;
  readonly lastModified?: string;
}

export interface PlanSettings {
  /** Steps that are ready end in an order drawn by this seed; without one, in the order asked. */
  readonly seed?: number;
  readonly chunkBytes?: number;
  /** By address. */
  readonly remotes?: Readonly<Record<string, Remote>>;
  readonly secrets?: Readonly<Record<string, string>>;
}

export interface Planned {
  /** Finished parts by output, `main` where the rule has one; with group and name. */
  readonly outputs: Readonly<Record<string, readonly Part[]>>;
  /** Of all steps together. */
  readonly counters: Readonly<Record<string, number>>;
  readonly quarantined: StepResult['quarantined'];
  /** Parts that the steps left beside their outputs. */
  readonly sides: StepResult['parts'];
  /** Names of the steps in the order in which the plan asked for them. */
  readonly steps: readonly string[];
  readonly params: Readonly<Record<string, readonly unknown[]>>;
  readonly pins: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** Where the bytes of parts lie, and those of what views among them select from. */
export function locationsOf(parts: Iterable<Part>): Record<string, Location> {
  const found: Record<string, Location> = {};
  for (const part of parts) {
    found[part.digest] = locate(part.digest);
    if (part.form !== 'view') continue;
    const { base } = decodeView(bytesOf(part));
    found[base] = locate(base);
  }
  return found;
}

/** A folder for what steps write before the store takes it. */
export const stepTmpDir = tmpDir;

/** Takes what a step made into the store of the test. */
export function take(made: Made): void {
  for (const { digest, data, file } of made.parts) {
    if (file) store.adopt(file, digest);
    else if (data) store.put(data);
  }
}

/** Small seeded generator (mulberry32), so that a shuffled run can be run again. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Holds all steps that may run and lets one after another go. */
class Gate {
  readonly #waiting: (() => void)[] = [];
  readonly #random: (() => number) | undefined;
  #open = false;

  constructor(seed: number | undefined) {
    this.#random = seed === undefined ? undefined : random(seed);
  }

  pass(): Promise<void> {
    const passed = new Promise<void>((resolve) => void this.#waiting.push(resolve));
    this.#wake();
    return passed;
  }

  #wake(): void {
    if (this.#open) return;
    this.#open = true;
    setImmediate(() => this.#letOneGo());
  }

  #letOneGo(): void {
    this.#open = false;
    const index = this.#random ? Math.floor(this.#random() * this.#waiting.length) : 0;
    this.#waiting.splice(index, 1)[0]?.();
    if (this.#waiting.length > 0) this.#wake();
  }
}

class Bench {
  readonly #rule: Rule;
  readonly #settings: PlanSettings;
  readonly #gate: Gate;
  readonly counters: Record<string, number> = {};
  readonly quarantined: StepResult['quarantined'][number][] = [];
  readonly sides: StepResult['parts'][number][] = [];
  readonly pins: Record<string, Readonly<Record<string, string>>> = {};

  constructor(rule: Rule, settings: PlanSettings) {
    this.#rule = rule;
    this.#settings = settings;
    this.#gate = new Gate(settings.seed);
  }

  async execute(run: StepRun): Promise<StepResult> {
    await this.#gate.pass();
    const made = await runJob(this.#jobOf(run), { signal: new AbortController().signal, progress() {} }, (io) =>
      Object.assign(io, this.#outside(io)),
    );
    assertValid(made, run.definition);
    take(made);
    const result: StepResult = { ...made, parts: made.parts.map(({ data: _data, file: _file, ...part }) => ({ ...part, group: '' })) };
    this.#check(run, result);
    for (const [name, count] of Object.entries(made.counters)) this.counters[name] = (this.counters[name] ?? 0) + count;
    this.quarantined.push(...made.quarantined);
    this.sides.push(...result.parts.filter(({ form }) => form === 'side'));
    return result;
  }

  #check({ name, definition, inputs, params }: StepRun, result: StepResult): void {
    assertBalanced({ name, firstOutput: definition.outputs[0] as string, inputs: settledInputs(inputs), params }, result);
  }

  #jobOf(run: StepRun): Job {
    return {
      id: run.id,
      module: '',
      rule: this.#rule.name,
      step: run.name,
      // As on the way to a worker: what is no plain data does not arrive.
      inputs: structuredClone(settledInputs(run.inputs)),
      params: structuredClone(run.params),
      earlier: [],
      locations: locationsOf(inputParts(settledInputs(run.inputs))),
      bundles: {},
      secrets: this.#settings.secrets ?? {},
      tmpDir,
      chunkBytes: this.#settings.chunkBytes ?? 1 << 20,
      recordMsMax: 60_000,
    };
  }

  /** What an external step has besides. */
  #outside(io: JobIo): object {
    return {
      fetch: async ({ address }: { address: string }) => {
        const { bytes, ...about } = this.#settings.remotes?.[address] ?? {};
        if (!bytes) throw new Error(`nothing lies at ${address}`);
        const path = join(tmpDir, uniqueName('fetched'));
        writeFileSync(path, bytes);
        return { path, ...about };
      },
      adopt: async (path: string, output = 'main') => {
        const bytes = readFileSync(path);
        const file = join(tmpDir, uniqueName('adopted'));
        copyFileSync(path, file);
        rmSync(path);
        io.parts.push({ output, form: 'file', digest: digestHex(bytes), bytes: bytes.length, facts: {}, file });
        return digestHex(bytes);
      },
      pin: (address: string, entry: Readonly<Record<string, string>>) => {
        this.pins[address] = entry;
      },
    };
  }
}

export type GivenInputs = Readonly<Record<string, readonly Part[] | Readonly<Record<string, readonly Part[]>>>>;

/** Options as a plan gets them: those of the config checked and filled in, those that the engine resolves as the test gives them. */
function optionsOf(rule: Rule, given: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const resolved = ['file', 'files', 'tokenizer', 'sources', 'secrets'];
  const isResolved = (name: string): boolean => resolved.includes(rule.options[name]?.shape.type ?? '');
  const plain = Object.fromEntries(Object.entries(rule.options).filter(([name]) => !isResolved(name)));
  const { values, problems } = checkOptions(plain, Object.fromEntries(Object.entries(given).filter(([name]) => !isResolved(name))));
  if (problems.length > 0) throw new Error(problems.map(({ option, message }) => `${option} ${message}`).join('; '));
  return { ...Object.fromEntries(Object.entries(given).filter(([name]) => isResolved(name))), ...values };
}

const targetOf = (rule: Rule): GraphTarget => ({ name: rule.name, rule }) as unknown as GraphTarget;

function inputsOf(plan: PlanRun, inputs: GivenInputs): Record<string, unknown> {
  const read = (parts: readonly Part[]): unknown => plan.inputFrom(OutputStream.of(parts));
  return Object.fromEntries(
    Object.entries(inputs).map(([name, given]) => [
      name,
      Array.isArray(given) ? read(given) : Object.fromEntries(Object.entries(given).map(([key, parts]) => [key, read(parts)])),
    ]),
  );
}

/**
 * Plans a rule on `inputs` (parts by input; for `many`, parts by name) and runs all its steps.
 *
 * @param rule a rule, or the call that `defineRule` gave.
 * @throws what the plan or a step threw.
 */
export async function planRule(
  { rule }: { readonly rule: Rule },
  inputs: GivenInputs,
  { settings = {}, ...options }: Readonly<Record<string, unknown>> & { readonly settings?: PlanSettings },
): Promise<Planned> {
  const bench = new Bench(rule, settings);
  const work = { lookup: () => undefined, ready: () => undefined, execute: (run: StepRun) => bench.execute(run), ended() {}, hit() {} };
  const scheduler = new Scheduler(work, { jobs: 1000, keepGoing: false, dryRun: false });
  const plan = new PlanRun(targetOf(rule), scheduler, new WeakMap());
  const endWatch = scheduler.watchForStuckPlans(() => plan.abandon(new Error('the plan waits for something that no step makes')));
  try {
    await plan.run(inputsOf(plan, inputs), optionsOf(rule, options));
    const outputs: Record<string, readonly Part[]> = {};
    for (const [name, stream] of Object.entries(plan.outputs)) outputs[name] = await stream.whole();
    const params: Record<string, unknown[]> = {};
    for (const step of plan.steps) params[step.name] = [...(params[step.name] ?? []), step.params];
    const { counters, quarantined, pins, sides } = bench;
    return { outputs, counters, quarantined, sides, pins, params, steps: plan.steps.map((step) => step.name) };
  } catch (error) {
    throw scheduler.stopped ?? error;
  } finally {
    endWatch();
  }
}

const identityOf = (planned: Planned): unknown => [
  Object.entries(planned.outputs).map(([name, parts]) => [name, digestHex(encodeCollection(parts))]),
  Object.entries(planned.counters).sort(([a], [b]) => (a < b ? -1 : 1)),
  planned.steps,
];

/** Plans twice in order and `schedules` times with steps that end at random. @returns an identity for each run: all must be equal. */
export async function identitiesOf(
  rule: { readonly rule: Rule },
  inputs: GivenInputs,
  {
    schedules = 8,
    settings = {},
    ...options
  }: Readonly<Record<string, unknown>> & { readonly settings?: PlanSettings; readonly schedules?: number },
): Promise<string[]> {
  const seeds = [undefined, undefined, ...Array.from({ length: schedules }, (_, i) => i + 1)];
  const found: string[] = [];
  for (const seed of seeds) {
    const planned = await planRule(rule, inputs, { ...options, settings: { ...settings, ...(seed !== undefined && { seed }) } });
    found.push(JSON.stringify(identityOf(planned)));
  }
  return found;
}
