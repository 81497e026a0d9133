import type { Digest } from '../../base/digest.ts';
import { BuildError, systemCodeOf } from '../../base/errors.ts';
import { readPart } from '../../cache/part-reader.ts';
import type { Location } from '../../cache/store.ts';
import type { GraphTarget } from '../../graph/graph.ts';
import { isBlank, linesOf } from '../../rule/documents.ts';
import type { Part } from '../../rule/part.ts';
import { decodeView, isSelected } from '../../rule/view.ts';
import { chunkCount, readTable } from '../../source/table.ts';
import { TableView } from '../../source/view.ts';
import type { Fetching } from '../fetching.ts';
import { lastTableOf } from '../last-plan.ts';
import type { MissingBytes } from '../needs.ts';
import type { Project } from '../project.ts';
import { tableFileOf } from '../resolve-sources.ts';
import { partsOf } from '../verify/last-results.ts';

/** Finds the lines of documents parts in the store and in source files, as these lie there now. */
export class PartLines {
  readonly #project: Project;
  readonly #fetching: Fetching;
  #chunks: Map<Digest, Location> | undefined;

  constructor(project: Project, fetching: Fetching) {
    this.#project = project;
    this.#fetching = fetching;
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
  of(part: Part): Buffer[] | undefined {
    const bytes = this.#bytes(part.digest);
    if (!bytes) return undefined;
    if (part.form !== 'view') return [...linesOf(bytes)].flatMap(({ line }) => (isBlank(line) ? [] : [line]));
    const view = decodeView(bytes);
    const base = this.#bytes(view.base);
    return base && [...linesOf(base)].flatMap(({ index, line }) => (isSelected(view, index) ? [line] : []));
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
    return this.#project.store.locate(digest) ?? this.#sourceChunks().get(digest);
  }

  #sourceChunks(): Map<Digest, Location> {
    if (this.#chunks) return this.#chunks;
    const { stateDir, settings, graph } = this.#project;
    this.#chunks = new Map();
    for (const file of graph.targets.flatMap(({ name }) => [lastTableOf(stateDir, name), tableFileOf(stateDir, name)])) {
      const table = readTable(file, settings.chunkBytes);
      const view = table && new TableView(table);
      for (let i = 0; table && view && i < chunkCount(table); i++) {
        const { digest, segments } = view.chunk(i);
        this.#chunks.set(digest, segments);
      }
    }
    return this.#chunks;
  }
}
