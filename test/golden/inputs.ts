import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { encodeTokens } from '../../rules/lib/tokens.ts';
import { recordHash } from '../../src/base/record-hash.ts';
import { checkOptions } from '../../src/rule/option-checks.ts';
import type { Facts, Kind, Part } from '../../src/rule/part.ts';
import type { Rule } from '../../src/rule/rule.ts';
import type { SourceItem } from '../../src/rule/source.ts';
import { type UserFunction, userDefinition } from '../../src/rule/user-function.ts';
import { chunkItems, chunksOf, filePart, type GivenInputs, type Remote, sourcesOf } from '../rules/harness.ts';

/** A filter or adapter of the user's: what a module of the case exports, called with options. */
interface Use {
  /** Path from the case's folder. */
  readonly module: string;
  readonly name: string;
  readonly options?: Readonly<Record<string, unknown>>;
}

/** What `case.json` holds. Paths are relative to the case's folder. */
export interface Case {
  /** Options as a config writes them; files as paths, `use` as modules. */
  readonly options?: Readonly<Record<string, unknown>>;
  readonly chunkBytes?: number;
  /** Joins the records of a source's group. */
  readonly adapt?: Readonly<Record<string, Use>>;
  /** Files that lie behind an address instead: path in `in/` -> address. */
  readonly remotes?: Readonly<Record<string, string>>;
}

interface InputFile {
  /** `<category>/<name>`, as the file lies in `in/`. */
  readonly group: string;
  readonly path: string;
  readonly bytes: Buffer;
}

/** All of `in/<category>/<name>.jsonl`, plain or compressed, in order of path. */
function inputFiles(folder: string): InputFile[] {
  const below = join(folder, 'in');
  if (!existsSync(below)) return [];
  const paths = readdirSync(below, { recursive: true, encoding: 'utf8' }).filter((path) => path.includes('.jsonl'));
  return paths.sort().map((path) => ({ path, group: path.replace(/\.jsonl.*$/, ''), bytes: readFileSync(join(below, path)) }));
}

const formatOf = (path: string) => (path.endsWith('.gz') ? 'jsonl.gz' : path.endsWith('.zst') ? 'jsonl.zst' : 'jsonl');

async function userFunction(folder: string, { module, name, options = {} }: Use): Promise<UserFunction> {
  const exported = (await import(pathToFileURL(join(folder, module)).href)) as Record<string, unknown>;
  const made = exported[name];
  // An adapter is a value; a filter is called. The engine fills in the options that are not given, and so does this.
  if (typeof made !== 'function') return made as UserFunction;
  const use = made(options) as UserFunction;
  return { ...use, options: checkOptions(userDefinition(use)?.options ?? {}, options).values };
}

/** The plain files of `in/` as chunks, the compressed ones as files, and those behind an address as the engine would fetch them. */
async function sourceItems(folder: string, { adapt = {}, remotes = {}, chunkBytes }: Case): Promise<SourceItem[]> {
  const items: SourceItem[] = [];
  for (const { group, path, bytes } of inputFiles(folder)) {
    const use = adapt[group];
    const adapted = use ? { adapt: await userFunction(folder, use) } : {};
    const format = formatOf(path);
    const address = remotes[path];
    if (address !== undefined) items.push({ item: 'remote', address, group, format, ...adapted });
    else if (format !== 'jsonl') items.push({ item: 'file', part: filePart(bytes, group), format, ...adapted });
    else items.push(...chunkItems(chunksOf(bytes, { group, ...(chunkBytes && { chunkBytes }) })).map((item) => ({ ...item, ...adapted })));
  }
  return items;
}

export function remotesOf(folder: string, { remotes = {} }: Case): Record<string, Remote> {
  const entries = Object.entries(remotes).map(([path, address]) => [address, { bytes: readFileSync(join(folder, 'in', path)) }]);
  return Object.fromEntries(entries);
}

/** `tokens.json`: the ids of EOS and padding, and by group its chunks; a chunk is a list of documents, a document a list of ids. */
interface TokensFile {
  readonly eos: number;
  readonly pad: number;
  readonly groups: Readonly<Record<string, readonly (readonly (readonly number[])[])[]>>;
}

function tokenParts(folder: string): Part[] {
  const { eos, pad, groups } = JSON.parse(readFileSync(join(folder, 'tokens.json'), 'utf8')) as TokensFile;
  return Object.entries(groups).flatMap(([group, chunks]) =>
    chunks.map((documents): Part => {
      const ids = Int32Array.from(documents.flat());
      const bytes = encodeTokens({ lengths: Uint32Array.from(documents, (document) => document.length), ids });
      const u = recordHash(Buffer.from(Int32Array.from(documents.at(-1) ?? []).buffer));
      return { ...filePart(bytes, group), form: 'tokens', facts: { records: documents.length, tokens: ids.length, u, eos, pad } };
    }),
  );
}

/** `shards.json`: by group the facts of its parts, as `shard` gives them. */
function shardParts(folder: string): Part[] {
  const groups = JSON.parse(readFileSync(join(folder, 'shards.json'), 'utf8')) as Record<string, readonly Facts[]>;
  return Object.entries(groups).flatMap(([group, all]) => all.map((facts, i) => ({ ...filePart(`${group} ${i}`, group), facts })));
}

/** Shards as they are published: all of `files/<split>/<name>.parquet` (not `out`, which git ignores). */
function shardFiles(folder: string): Part[] {
  const below = join(folder, 'files');
  const names = existsSync(below)
    ? readdirSync(below, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.parquet'))
    : [];
  return names.sort().map((name) => ({ ...filePart(readFileSync(join(below, name)), dirname(name)), name }));
}

/** The parts of a rule's inputs, from the files of a case. Of inputs that take many targets a case gives one, or none. */
export function inputsOf(rule: Rule, folder: string, { chunkBytes }: Case): GivenInputs {
  const documents = () =>
    inputFiles(folder).flatMap(({ group, bytes }) => chunksOf(bytes, { group, ...(chunkBytes !== undefined && { chunkBytes }) }));
  const byKind: Readonly<Record<string, () => readonly Part[]>> = {
    documents,
    tokens: () => tokenParts(folder),
    shards: () => shardParts(folder),
  };
  return Object.fromEntries(
    Object.entries(rule.inputs).map(([name, kind]) => {
      if (typeof kind === 'object') return [name, givenTo(kind.many, { folder, documents })];
      const read = byKind[kind];
      if (!read) throw new Error(`golden cases know no input like "${name}" of ${rule.name}`);
      return [name, read()];
    }),
  );
}

function givenTo(kind: Kind, { folder, documents }: { folder: string; documents: () => readonly Part[] }): Record<string, readonly Part[]> {
  const tokens = existsSync(join(folder, 'tokens.json')) ? tokenParts(folder) : [];
  const parts = kind === 'tokens' ? tokens : kind === 'shards' ? shardFiles(folder) : documents();
  return parts.length === 0 ? {} : { of: parts };
}

const partAt = (path: string): Part => filePart(readFileSync(path));

function tokenizerAt(path: string): Readonly<Record<string, Part>> {
  const config = join(path, '../tokenizer_config.json');
  return { model: partAt(path), ...(existsSync(config) && { config: partAt(config) }) };
}

/** Options as a plan gets them: those that the engine resolves are resolved here. */
export async function optionsOf(rule: Rule, folder: string, given: Case): Promise<Record<string, unknown>> {
  const resolve: Readonly<Record<string, (value: unknown) => unknown>> = {
    tokenizer: (value) => tokenizerAt(join(folder, value as string)),
    files: (value) => Object.fromEntries((value as string[]).map((path) => [path, partAt(join(folder, path))])),
    uses: (value) => Promise.all((value as readonly Use[]).map((use) => userFunction(folder, use))),
  };
  const options: Record<string, unknown> = {};
  for (const [name, { shape }] of Object.entries(rule.options)) {
    const value = given.options?.[name] ?? (shape.type === 'files' ? shape.default : undefined);
    if (shape.type === 'sources') options[name] = sourcesOf(await sourceItems(folder, given));
    else if (value !== undefined) options[name] = await (resolve[shape.type]?.(value) ?? value);
  }
  return options;
}
