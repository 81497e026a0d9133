import type { Digest } from '../../base/digest.ts';
import { BuildError, systemCodeOf } from '../../base/errors.ts';
import { readPart } from '../../cache/part-reader.ts';
import type { Location } from '../../cache/store.ts';
import type { GraphTarget } from '../../graph/graph.ts';
import { isBlank, linesOf } from '../../rule/documents.ts';
import type { Part } from '../../rule/part.ts';
import { decodeView, isSelected, type View } from '../../rule/view.ts';
import { chunkCount, readTable } from '../../source/table.ts';
import { type SourceLine, TableView } from '../../source/view.ts';
import type { Fetching } from '../fetching.ts';
import { lastTableOf } from '../last-plan.ts';
import { lineHash } from '../line-memos.ts';
import type { MissingBytes } from '../needs.ts';
import { shownPath } from '../places.ts';
import type { Project } from '../project.ts';
import { tableFileOf } from '../resolve-sources.ts';
import { partsOf } from '../verify/last-results.ts';
import type { RunOutputs } from './items.ts';
import { rememberedLines } from './remembered.ts';

/** A document is looked at beside what it was: one part of each side. */
const partsReadMax = 2;

/** A chunk of a source file, as the file was when it was scanned last. */
interface SourceChunk {
  readonly segments: Location;
  readonly table: TableView;
  readonly index: number;
}

/** Finds the lines of documents parts in the store and in source files, as these lie there now. */
export class PartLines {
  readonly #project: Project;
  readonly #fetching: Fetching;
  readonly #before: RunOutputs;
  /** Lines of the parts that were read last. */
  readonly #read = new Map<Digest, readonly Buffer[]>();
  readonly #remembered = new Map<Digest, readonly string[]>();
  #chunks: Map<Digest, SourceChunk> | undefined;

  /** @param about `before`: what the earlier run left. */
  constructor(project: Project, { fetching, before }: { fetching: Fetching; before: RunOutputs }) {
    this.#project = project;
    this.#fetching = fetching;
    this.#before = before;
  }

  /** The parts of a list, fetched where it is not here and can be had. */
  async list(digest: Digest, target: GraphTarget | undefined): Promise<readonly Part[] | undefined> {
    if (target && !this.#project.store.locate(digest)) await this.#fetching.bring({ digest }, target);
    return partsOf(this.#project, digest);
  }

  /** Fetches what is not here of parts, and of those that they select from, where it can be had. @param target that they were of; it may be gone from the config. */
  async bring(parts: readonly Part[], target: GraphTarget | undefined): Promise<void> {
    if (!target) return;
    const missing = (digest: Digest): boolean => !this.#locate(digest);
    const bringAll = (all: readonly MissingBytes[]) =>
      Promise.all(all.filter(({ digest }) => missing(digest)).map((one) => this.#fetching.bring(one, target)));
    await bringAll(parts);
    const views = parts.flatMap(({ form, digest }) => (form === 'view' ? (this.#bytes(digest) ?? []) : []));
    await bringAll(views.map((bytes) => ({ digest: decodeView(bytes).base })));
  }

  /** The lines of a part; undefined where its bytes are gone, because a file was edited or the store cleaned. */
  of(part: Part): readonly Buffer[] | undefined {
    const lines = this.#read.get(part.digest) ?? this.#linesOf(part);
    if (!lines) return undefined;
    this.#read.delete(part.digest);
    this.#read.set(part.digest, lines);
    for (const digest of this.#read.keys()) if (this.#read.size > partsReadMax) this.#read.delete(digest);
    return lines;
  }

  #linesOf(part: Part): Buffer[] | undefined {
    const bytes = this.#bytes(part.digest);
    if (!bytes) return undefined;
    if (part.form !== 'view') return [...linesOf(bytes)].flatMap(({ line }) => (isBlank(line) ? [] : [line]));
    const view = decodeView(bytes);
    const base = this.#bytes(view.base);
    return base && [...linesOf(base)].flatMap(({ index, line }) => (isSelected(view, index) ? [line] : []));
  }

  /** Learns what the lines were of parts whose bytes are gone, from the row memos of targets that read them. */
  async remember(parts: readonly Part[]): Promise<void> {
    const bases = new Set(parts.flatMap((part) => (this.of(part) ? [] : (this.#baseOf(part)?.digest ?? []))));
    for (const known of this.#remembered.keys()) bases.delete(known);
    if (bases.size === 0) return;
    const chunks = this.#oldChunks().filter(({ digest }) => bases.has(digest));
    for (const [digest, hashes] of await rememberedLines(this.#project, chunks)) this.#remembered.set(digest, hashes);
  }

  /** A hash of each line of a part, also where only those are left. */
  hashes(part: Part): readonly string[] | undefined {
    const lines = this.of(part);
    if (lines) return lines.map(lineHash);
    const base = this.#baseOf(part);
    const hashes = base && this.#remembered.get(base.digest);
    const { view } = base ?? {};
    if (!view) return hashes;
    // Blank lines are counted by a view, and not by a memo.
    return hashes?.length === view.records ? hashes.filter((_, i) => isSelected(view, i)) : undefined;
  }

  /** Where the chunk of the sources begins that a part is, or selects from, as it lies there now. */
  startOf(part: Part): SourceLine | undefined {
    const base = this.#baseOf(part);
    const chunk = base && this.#sourceChunks().get(base.digest);
    if (!chunk) return undefined;
    const { path, line } = chunk.table.line(chunk.index, 0);
    return { path: shownPath(this.#project.root, path), line };
  }

  /** Which line of its chunk a line of a part is. */
  lineInChunk(part: Part, index: number): number {
    const view = this.#baseOf(part)?.view;
    if (!view) return index;
    let left = index;
    for (let record = 0; record < view.records; record++) if (isSelected(view, record) && left-- === 0) return record;
    return index;
  }

  #baseOf({ form, digest }: Part): { digest: Digest; view?: View } | undefined {
    if (form !== 'view') return { digest };
    const bytes = this.#bytes(digest);
    const view = bytes && decodeView(bytes);
    return view && { digest: view.base, view };
  }

  #oldChunks(): Part[] {
    const lists = new Set(Object.values(this.#before).flatMap((outputs) => Object.values(outputs)));
    return [...lists].flatMap((list) => partsOf(this.#project, list) ?? []).filter(({ form }) => form === 'lines');
  }

  #bytes(digest: Digest): Buffer | undefined {
    const location = this.#locate(digest);
    try {
      return location && readPart(digest, location);
    } catch (error) {
      if (error instanceof BuildError || systemCodeOf(error) !== undefined) return undefined;
      throw error;
    }
  }

  #locate(digest: Digest): Location | undefined {
    return this.#project.store.locate(digest) ?? this.#sourceChunks().get(digest)?.segments;
  }

  #sourceChunks(): Map<Digest, SourceChunk> {
    if (this.#chunks) return this.#chunks;
    const { stateDir, settings, graph } = this.#project;
    this.#chunks = new Map();
    for (const file of graph.targets.flatMap(({ name }) => [lastTableOf(stateDir, name), tableFileOf(stateDir, name)])) {
      const table = readTable(file, settings.chunkBytes);
      const view = table && new TableView(table);
      for (let i = 0; table && view && i < chunkCount(table); i++) {
        const { digest, segments } = view.chunk(i);
        this.#chunks.set(digest, { segments, table: view, index: i });
      }
    }
    return this.#chunks;
  }
}
