import type { Digest } from '../../base/digest.ts';
import { BuildError } from '../../base/errors.ts';
import { readLock } from '../../cache/lock.ts';
import type { TargetResult } from '../../cache/results.ts';
import type { GraphTarget } from '../../graph/graph.ts';
import { upstreamOf } from '../../graph/upstream.ts';
import { ListingFiles } from '../../source/listing-files.ts';
import { listDigestHex, readTable, type SourceTable } from '../../source/table.ts';
import { TableView } from '../../source/view.ts';
import { FileDigests } from '../file-digests.ts';
import { type LastPlan, lastTableOf, readLastPlan } from '../last-plan.ts';
import type { LineageTable } from '../lineage-table.ts';
import type { Project } from '../project.ts';
import { remoteFiles } from '../remote-files.ts';
import { tableFileOf } from '../resolve-sources.ts';
import type { Archive } from './archive.ts';
import { lineageAgain } from './lineage-again.ts';
import { outdatedBy } from './outdated.ts';
import { type TracedOutput, TracedTarget } from './traced-target.ts';

/** All that one question looks at: each target is loaded once, as it was last built, and nothing is planned. */
export class TraceSession {
  readonly project: Project;
  readonly archive: Archive;
  readonly files: FileDigests;
  /** What the reader of the answer should know besides, each thing once. */
  readonly notes = new Set<string>();
  readonly #targets = new Map<GraphTarget, Promise<TracedTarget>>();
  #addresses: ReadonlyMap<Digest, string> | undefined;
  #remote: readonly (readonly [address: string, digest: Digest])[] | undefined;

  constructor(project: Project, archive: Archive) {
    this.project = project;
    this.archive = archive;
    this.files = new FileDigests(project.stateDir);
  }

  /** @throws {BuildError} `not-built` when there is nothing to look at. */
  target(target: GraphTarget): Promise<TracedTarget> {
    let traced = this.#targets.get(target);
    if (!traced) {
      traced = this.#load(target);
      this.#targets.set(target, traced);
    }
    return traced;
  }

  /** Targets that may have made what is missed: first those that were looked at last. */
  near(): GraphTarget[] {
    const looked = [...this.#targets.keys()].reverse();
    return [...new Set([...looked, ...looked.flatMap(upstreamOf)])];
  }

  /** The same, or undefined where it was never built. */
  async built(target: GraphTarget): Promise<TracedTarget | undefined> {
    try {
      return await this.target(target);
    } catch (error) {
      if (error instanceof BuildError && error.code === 'not-built') return undefined;
      throw error;
    }
  }

  /** The digest of what lay at an address when it was fetched. */
  digestOf(address: string): Digest | undefined {
    return this.#remoteFiles().find(([known]) => known === address)?.[1];
  }

  /** The address that the lock says a fetched file came from. */
  addressOf(digest: Digest): string | undefined {
    this.#addresses ??= new Map(this.#remoteFiles().map(([address, content]) => [content, address]));
    return this.#addresses.get(digest);
  }

  #remoteFiles(): readonly (readonly [address: string, digest: Digest])[] {
    const { lockFile } = this.project;
    this.#remote ??= [...remoteFiles(readLock(lockFile), ListingFiles.beside(lockFile))];
    return this.#remote;
  }

  async #load(target: GraphTarget): Promise<TracedTarget> {
    const { stateDir, results } = this.project;
    const last = readLastPlan(stateDir, target.name);
    const result = last && results.target(last.key);
    const table = result?.lineage === undefined ? undefined : this.archive.table(result.lineage);
    const outputs = result && this.#outputsOf(result);
    if (!last || !result || !table || !outputs) return this.#loadAgain(target, last);
    for (const note of outdatedBy(target, last, this.project)) this.notes.add(note);
    return new TracedTarget(target, { table, outputs, figures: result, sources: this.#sourcesOf(target, table) }, this.archive);
  }

  #outputsOf(result: TargetResult): ReadonlyMap<string, TracedOutput> | undefined {
    const outputs = new Map<string, TracedOutput>();
    for (const [name, { digest }] of Object.entries(result.outputs)) {
      const parts = this.archive.collection(digest);
      if (!parts) return undefined;
      outputs.set(name, { digest, parts });
    }
    return outputs;
  }

  /** From results of steps, when the table was never written or is gone. */
  async #loadAgain(target: GraphTarget, last: LastPlan | undefined): Promise<TracedTarget> {
    const built = await lineageAgain(this.project, target, last);
    return new TracedTarget(target, { ...built, sources: this.#sourcesOf(target, built.table) }, this.archive);
  }

  /** The last scan, if it saw what the target was built from: paths may have changed since. Else the table that was kept of that build. */
  #sourcesOf({ name }: GraphTarget, { about }: LineageTable): TableView | undefined {
    const { stateDir, settings } = this.project;
    if (about.chunks === 0 && about.list === '') return undefined;
    const isIt = (table: SourceTable | undefined): table is SourceTable => table !== undefined && listDigestHex(table) === about.list;
    for (const file of [tableFileOf(stateDir, name), lastTableOf(stateDir, name)]) {
      const table = readTable(file, settings.chunkBytes);
      if (isIt(table)) return new TableView(table);
    }
    return undefined;
  }
}
