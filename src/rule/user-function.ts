import { AsyncLocalStorage } from 'node:async_hooks';
import type { Digest } from '../base/digest.ts';
import { BuildError } from '../base/errors.ts';
import { checkCall, checkDefinition } from './definition-checks.ts';
import type { DocumentRecord, RawRecord } from './documents.ts';
import type { Options, OptionsGiven, OptionsSeen } from './options.ts';

const userFunctionMark: unique symbol = Symbol.for('dsbuild.user-function');

/**
 * A function of the user with its options, as a value in a config: what a call of something made by `defineFilter` or `defineAdapter` gives.
 * Its identity is the digest of the bundle of the module that defines it, and the options; never the closure.
 */
export interface UserFunction {
  /** What it is a call of: two definitions may have one name, in different modules. Only where the config was evaluated. */
  readonly [userFunctionMark]: Definition;
  readonly definition: string;
  readonly does: 'filter' | 'adapt';
  readonly options: Readonly<Record<string, unknown>>;
  /** Digest of the bundle of the defining module, filled in by the engine; a worker loads the bundle by it. */
  readonly bundle?: Digest;
}

export type Verdict = { readonly keep: true } | { readonly keep: false; readonly reason: string };
export const keep: Verdict = { keep: true };
export const drop = (reason: string): Verdict => ({ keep: false, reason });

export interface Definition {
  readonly name: string;
  readonly does: UserFunction['does'];
  readonly options: Options;
  readonly call: (input: never, options: never) => unknown;
  /** Stack of the defining call: the config loader reads the module's file from it. */
  readonly stack: string;
}

const nameOf = (does: string, definition: string): string => `${does}:${definition}`;
/** Everything that was defined in this process and belongs to no bundle, by name and in order: what configs made while they loaded. */
const definitions = new Map<string, Definition[]>();
const bundled = new Map<Digest, Promise<ReadonlyMap<string, Definition>>>();
const ready = new Map<Digest, ReadonlyMap<string, Definition>>();
/** What a bundle defines while it is imported: several may be at once, on the driver, and none may hide what the config defined. */
const importing = new AsyncLocalStorage<Map<string, Definition>>();

export const userDefinition = (use: UserFunction): Definition => use[userFunctionMark];

/** What was defined under the same name after it. A module's bundle knows the last of its own. */
export function definedAfter(definition: Definition): readonly Definition[] {
  const all = definitions.get(nameOf(definition.does, definition.name)) ?? [];
  return all.slice(all.indexOf(definition) + 1);
}

/** Imports a bundle of user code once, and keeps what it defines apart from what other bundles define under the same names. */
export async function importBundle(digest: Digest, load: () => Promise<unknown>): Promise<void> {
  const found = bundled.get(digest) ?? definitionsOf(load);
  bundled.set(digest, found);
  try {
    ready.set(digest, await found);
  } catch (error) {
    bundled.delete(digest);
    throw error;
  }
}

async function definitionsOf(load: () => Promise<unknown>): Promise<ReadonlyMap<string, Definition>> {
  const found = new Map<string, Definition>();
  await importing.run(found, load);
  return found;
}

/** The function behind a value of the config, in a worker that has imported its bundle. */
export function callOf<Input, Output>(use: UserFunction): (input: Input) => Output {
  const name = nameOf(use.does, use.definition);
  const bundle = ready.get(use.bundle ?? '');
  // Without a bundle, as when a rule is tried by itself, it is what was defined last.
  const definition = bundle ? bundle.get(name) : definitions.get(name)?.at(-1);
  if (!definition) throw new BuildError('no-definition', { message: `the ${use.does} "${use.definition}" is not defined by its module` });
  return (input) => (definition.call as (input: Input, options: unknown) => Output)(input, use.options);
}

function define(about: Omit<Definition, 'stack'>): (options?: Readonly<Record<string, unknown>>) => UserFunction {
  const definition: Definition = { ...about, stack: new Error('defined here').stack ?? '' };
  remember(definition);
  return (options = {}) => {
    checkCall(definition.name, options);
    return { [userFunctionMark]: definition, definition: definition.name, does: definition.does, options };
  };
}

function remember(definition: Definition): void {
  const name = nameOf(definition.does, definition.name);
  const bundle = importing.getStore();
  if (bundle) bundle.set(name, definition);
  else definitions.set(name, [...(definitions.get(name) ?? []), definition]);
}

/**
 * A filter of the user's own: says of each document whether it stays, and why not. It must be pure. One that nothing can be set of needs no
 * `options`.
 * @throws {BuildError} `bad-config`
 */
export function defineFilter<const P extends Options = Record<never, never>>(filter: {
  name: string;
  version?: number;
  options?: P;
  decide(document: DocumentRecord, options: OptionsSeen<P>): Verdict;
}): (options?: OptionsGiven<P>) => UserFunction {
  checkDefinition('defineFilter', filter);
  const { name, options = {}, decide } = filter;
  return define({ name, does: 'filter', options, call: decide as Definition['call'] }) as (options?: OptionsGiven<P>) => UserFunction;
}

/**
 * Turns the records of a source (chats, question and answer ...) into documents; null leaves the record out, counted as `adapted-away`. It must be pure.
 * @throws {BuildError} `bad-config`
 */
export function defineAdapter(adapter: { name: string; adapt(record: RawRecord): Partial<DocumentRecord> | null }): UserFunction {
  checkDefinition('defineAdapter', adapter);
  return define({
    name: adapter.name,
    does: 'adapt',
    options: {},
    call: ((record: RawRecord) => adapter.adapt(record)) as Definition['call'],
  })();
}

export const isUserFunction = (value: unknown): value is UserFunction =>
  typeof value === 'object' && value !== null && userFunctionMark in value;
