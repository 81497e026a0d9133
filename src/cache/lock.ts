import { publicAddress } from '../base/address.ts';
import { BuildError } from '../base/errors.ts';
import { readIfThere, writeFileAtomic } from '../base/files.ts';
import { byCodeUnit } from '../base/names.ts';

export type LockValues = Readonly<Record<string, string>>;

export interface LockEntry {
  /** `source`, `tokenizer`, `threshold` ... */
  readonly kind: string;
  /** What was asked for, without secrets. */
  readonly address: string;
  readonly values: LockValues;
}

/** Builds add; `dsbuild update` also changes; `--locked` does neither. */
export type LockMode = 'add' | 'update' | 'locked';

const head = ['# dsbuild lock, format 1: what remote sources resolved to. Commit it; `dsbuild update` changes it.'];
/** Servers change these without changing a byte: they are kept as they were first seen, and are no reason to fail. */
const notes: ReadonlySet<string> = new Set(['etag', 'last-modified']);

const idOf = (kind: string, address: string): string => `${kind} ${JSON.stringify(publicAddress(address))}`;

/**
 * Reads a lock file; one that is not there is empty.
 *
 * @throws {BuildError} `bad-lock` with file and line where it can not be understood.
 */
export function readLock(file: string, mode: LockMode = 'add'): Lock {
  return new Lock(file, mode);
}

/** `dsbuild.lock`: one sorted line per entry, `<kind> "<address>" name=value ...`, so that git shows and merges entries. */
export class Lock {
  readonly file: string;
  readonly mode: LockMode;
  #entries: Map<string, LockEntry>;
  /** What this process did, to be done again on what another process wrote meanwhile. Undefined: removed. */
  readonly #changes = new Map<string, LockEntry | undefined>();

  constructor(file: string, mode: LockMode) {
    this.file = file;
    this.mode = mode;
    this.#entries = parse(file, readIfThere(file)?.toString('utf8') ?? '');
  }

  get(kind: string, address: string): LockValues | undefined {
    return this.#entries.get(idOf(kind, address))?.values;
  }

  /** All entries in the file's order. */
  entries(): LockEntry[] {
    return [...this.#entries].sort(([a], [b]) => byCodeUnit(a, b)).map(([, entry]) => entry);
  }

  /** True if `save` would write. */
  get changed(): boolean {
    return this.#changes.size > 0;
  }

  /**
   * Notes what an address resolved to; the same again is nothing.
   *
   * @throws {BuildError} `lock-would-change` in mode `locked`, `lock-conflict` in mode `add` if the entry has another value.
   */
  add(kind: string, address: string, values: LockValues): void {
    const entry = { kind, address: publicAddress(address), values: withoutSecrets(values) };
    if (!line.test(lineOf(entry))) throw new Error(`not a lock entry: ${lineOf(entry)}`);
    const id = idOf(kind, address);
    if (this.#accepts(this.#entries.get(id), entry)) this.#change(id, entry);
  }

  /** Takes an entry out, if it is there. @throws {BuildError} `lock-would-change` in mode `locked`. */
  remove(kind: string, address: string): void {
    const id = idOf(kind, address);
    const entry = this.#entries.get(id);
    if (!entry) return;
    if (this.mode === 'locked') throw this.#locked('lose', entry);
    this.#change(id, undefined);
  }

  /**
   * Writes the file if anything changed, as a whole; entries that another process wrote since it was read are kept.
   *
   * @returns true if it was written.
   */
  save(): boolean {
    if (!this.changed) return false;
    this.#entries = parse(this.file, readIfThere(this.file)?.toString('utf8') ?? '');
    for (const [id, entry] of this.#changes) {
      if (!entry) this.#entries.delete(id);
      else if (this.#accepts(this.#entries.get(id), entry)) this.#entries.set(id, entry);
    }
    writeFileAtomic(this.file, `${[...head, ...this.entries().map(lineOf)].join('\n')}\n`);
    this.#changes.clear();
    return true;
  }

  #change(id: string, entry: LockEntry | undefined): void {
    if (entry) this.#entries.set(id, entry);
    else this.#entries.delete(id);
    this.#changes.set(id, entry);
  }

  /** Whether `entry` is to be written. */
  #accepts(old: LockEntry | undefined, entry: LockEntry): boolean {
    if (old && same(old, entry, this.mode === 'update')) return false;
    if (this.mode === 'locked') throw this.#locked(old ? 'change' : 'get', entry);
    if (old && this.mode === 'add') throw conflict(this.file, old, entry);
    return true;
  }

  #locked(verb: string, entry: LockEntry): BuildError {
    return new BuildError('lock-would-change', {
      message: `${this.file} would ${verb} the entry: ${lineOf(entry)}`,
      where: entry.address,
      hint: 'Build without --locked (in CI it is the default) or run `dsbuild update`, and commit the lock.',
    });
  }
}

function same(a: LockEntry, b: LockEntry, withNotes: boolean): boolean {
  const names = new Set([...Object.keys(a.values), ...Object.keys(b.values)]);
  return [...names].every((name) => a.values[name] === b.values[name] || (!withNotes && notes.has(name)));
}

function conflict(file: string, old: LockEntry, entry: LockEntry): BuildError {
  return new BuildError('lock-conflict', {
    message: `${file} says: ${lineOf(old)}\nbut it is now: ${lineOf(entry)}`,
    where: entry.address,
    hint: 'If the new content is wanted, run `dsbuild update`.',
  });
}

/** Values may be addresses too. */
const withoutSecrets = (values: LockValues): LockValues =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, value.includes('://') ? publicAddress(value) : value]));

function lineOf({ kind, address, values }: LockEntry): string {
  const pairs = Object.keys(values)
    .sort(byCodeUnit)
    .map((name) => ` ${name}=${quoted(values[name] ?? '')}`);
  return `${idOf(kind, address)}${pairs.join('')}`;
}

const quoted = (value: string): string => (/^[\w.:@/+-]+$/.test(value) ? value : JSON.stringify(value));

const text = String.raw`"(?:[^"\\]|\\.)*"`;
const line = new RegExp(String.raw`^([a-z][\w-]*) (${text})((?: [a-z][\w-]*=(?:${text}|[\w.:@/+-]+))*)$`, 'i');
const pair = new RegExp(String.raw` ([a-z][\w-]*)=(${text}|[\w.:@/+-]+)`, 'gi');

function parse(file: string, content: string): Map<string, LockEntry> {
  const entries = new Map<string, LockEntry>();
  content.split('\n').forEach((raw, i) => {
    const place = { file, number: i + 1, line: raw.replace(/\r$/, '') };
    if (place.line.startsWith('#')) checkFormat(place);
    else if (place.line !== '') addParsed(entries, parseLine(place), place);
  });
  return entries;
}

interface Place {
  readonly file: string;
  readonly number: number;
  readonly line: string;
}

function parseLine(place: Place): LockEntry {
  if (/^(<{7}|\|{7}|={7}|>{7})/.test(place.line))
    throw bad(place, 'a merge left its markers', 'Keep the lines of both sides, remove the markers, and build again.');
  const match = line.exec(place.line);
  if (!match)
    throw bad(
      place,
      `this is no entry: ${place.line.slice(0, 100)}`,
      'Take the line from git, or remove it: the next build notes it again.',
    );
  const values = [...(match[3] ?? '').matchAll(pair)].map(([, name = '', value = '']) => [name, unquoted(value, place)]);
  return { kind: match[1] ?? '', address: unquoted(match[2] ?? '', place), values: Object.fromEntries(values) };
}

function unquoted(value: string, place: Place): string {
  if (!value.startsWith('"')) return value;
  try {
    return JSON.parse(value) as string;
  } catch {
    throw bad(
      place,
      `this is no quoted text: ${value.slice(0, 100)}`,
      'Take the line from git, or remove it: the next build notes it again.',
    );
  }
}

function addParsed(entries: Map<string, LockEntry>, entry: LockEntry, place: Place): void {
  const id = idOf(entry.kind, entry.address);
  const twin = entries.get(id);
  if (twin && !same(twin, entry, true))
    throw bad(place, `a second entry for ${id}`, 'Keep one of the two, or remove both and run `dsbuild update`.');
  entries.set(id, entry);
}

function checkFormat(place: Place): void {
  const format = /^# dsbuild lock, format (\d+)/.exec(place.line)?.[1];
  if (format !== undefined && format !== '1')
    throw bad(place, `it has format ${format}, this dsbuild knows format 1`, 'Use the dsbuild that wrote it, or a newer one.');
}

const bad = ({ file, number }: Place, message: string, hint: string): BuildError =>
  new BuildError('bad-lock', { message, where: `${file}:${number}`, hint });
