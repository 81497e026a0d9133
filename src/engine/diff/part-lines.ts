import type { Digest } from '../../base/digest.ts';
import { BuildError, systemCodeOf } from '../../base/errors.ts';
import { readPart } from '../../cache/part-reader.ts';
import type { Location } from '../../cache/store.ts';
import { isBlank, linesOf } from '../../rule/documents.ts';
import type { Part } from '../../rule/part.ts';
import { decodeView, isSelected } from '../../rule/view.ts';
import { chunkCount, readTable } from '../../source/table.ts';
import { TableView } from '../../source/view.ts';
import { lastTableOf } from '../last-plan.ts';
import type { Project } from '../project.ts';
import { tableFileOf } from '../resolve-sources.ts';

/** Finds the lines of documents parts in the store and in source files, as these lie there now. */
export class PartLines {
  readonly #project: Project;
  #chunks: Map<Digest, Location> | undefined;

  constructor(project: Project) {
    this.#project = project;
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
    const location = this.#project.store.locate(digest) ?? this.#sourceChunks().get(digest);
    try {
      return location && readPart(digest, location);
    } catch (error) {
      if (error instanceof BuildError || systemCodeOf(error) !== undefined) return undefined;
      throw error;
    }
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
