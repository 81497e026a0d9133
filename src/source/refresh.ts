import { statSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { cutSizeMin } from '../base/cut.ts';
import { BuildError } from '../base/errors.ts';
import type { FileIdentity } from '../base/files.ts';
import { type FileContent, type ListedFile, type NamedSmallFile, TableBuilder } from './build-table.ts';
import { identityFrom, isRacy } from './identity.ts';
import type { KnownSources } from './known.ts';
import { grouping, type SourceListing, type SourceSpec } from './list.ts';
import { pathIn } from './paths.ts';
import type { ScanFile, ScanJob } from './scan-file.ts';
import { readSmallFile, type SmallFile, SmallRun } from './small.ts';
import type { SourceTable } from './table.ts';

/** Scans that are asked for at once: enough for every worker of a machine to have one. */
const scansMax = 16;
/** Small files that are read before the event loop turns. */
const turnFiles = 256;

export interface RefreshOptions {
  readonly specs: readonly SourceSpec[];
  readonly listings: readonly SourceListing[];
  readonly chunkBytes: number;
  readonly scanFile: ScanFile;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly signal: AbortSignal | undefined;
  /** Read every file, whatever its identity says. */
  readonly paranoid: boolean;
  /** Absolute paths of files that are read even then. */
  readonly doubted: ReadonlySet<string>;
}

/** A file changed between two looks at it: the whole has to be looked at once more. */
export class ChangedMeanwhile extends Error {
  readonly path: string;

  constructor(path: string) {
    super(`${path} changed while the sources were scanned`);
    this.path = path;
  }
}

interface Listed {
  readonly files: ListedFile[];
  readonly groups: string[];
  /** The files of each group of each source, in the order of their paths. */
  readonly sections: ListedFile[][];
}

function listFiles({ specs, listings }: RefreshOptions): Listed {
  const files: ListedFile[] = [];
  const groupNumbers = new Map<string, number>();
  const sections: ListedFile[][] = [];
  specs.forEach((spec, source) => {
    const groupOf = grouping(spec);
    const sectionOf = new Map<number, ListedFile[]>();
    for (const path of listings[source]?.paths ?? []) {
      const name = groupOf(path);
      const group = groupNumbers.get(name) ?? groupNumbers.size;
      groupNumbers.set(name, group);
      const file = { index: files.length, source, group, path, absolutePath: pathIn(spec.base, path) };
      files.push(file);
      const section = sectionOf.get(group);
      if (section) section.push(file);
      else sectionOf.set(group, [file]);
    }
    sections.push(...sectionOf.values());
  });
  return { files, groups: [...groupNumbers.keys()], sections };
}

/** The identity of what lies at the path, links followed. @throws {BuildError} `source-gone`. */
function identityAt(path: string): FileIdentity {
  const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
  if (stats) return identityFrom(stats);
  throw new BuildError('source-gone', {
    message: 'the file disappeared after it was listed',
    where: path,
    hint: 'Build again when nothing moves files in this folder.',
  });
}

/** A look at all files: those that are known are taken over, the others are read. */
class Refresh {
  readonly #options: RefreshOptions;
  readonly #known: KnownSources | undefined;
  readonly #contents: FileContent[];
  /** Bytes of small files, from when they are read to when their chunk is named. */
  readonly #smallBytesMax: number;

  constructor(options: RefreshOptions, known: KnownSources | undefined, count: number) {
    this.#options = options;
    this.#known = known;
    this.#contents = new Array<FileContent>(count);
    this.#smallBytesMax = cutSizeMin(options.chunkBytes);
  }

  async run({ files, groups, sections }: Listed): Promise<SourceTable> {
    const changed = files.filter((file) => !this.#takeOver(file));
    await this.#scanBig(changed);
    const runs = new Map<ListedFile, SmallRun<NamedSmallFile>>();
    for (const section of sections) await this.#readSection(section, runs);
    const builder = new TableBuilder(this.#options.specs, groups, { listed: files, contents: this.#contents });
    for (const file of sections.flat()) this.#addChunks(builder, file, runs.get(file));
    return builder.build();
  }

  #takeOver(file: ListedFile): boolean {
    if (this.#options.paranoid || !this.#known || this.#options.doubted.has(file.absolutePath)) return false;
    const identity = identityAt(file.absolutePath);
    const found = this.#known.unchanged(file.absolutePath, identity);
    if (found === undefined) return false;
    const content = this.#known.isSmall(found) ? { small: this.#known.smallFile(found) } : { chunks: this.#known.chunks(found) };
    this.#contents[file.index] = { racy: false, identity, ...content };
    return true;
  }

  async #scanBig(changed: readonly ListedFile[]): Promise<void> {
    const big = changed.filter((file) => Number(identityAt(file.absolutePath).size) >= this.#smallBytesMax).values();
    const failed = new AbortController();
    const scanSome = async (): Promise<void> => {
      for (const file of big) {
        if (failed.signal.aborted) return;
        await this.#scan(file);
      }
    };
    const lanes = Array.from({ length: scansMax }, () =>
      scanSome().catch((error: unknown) => {
        failed.abort();
        throw error;
      }),
    );
    const results = await Promise.allSettled(lanes);
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  }

  async #scan(file: ListedFile): Promise<void> {
    const { chunkBytes, scanFile, signal, now } = this.#options;
    signal?.throwIfAborted();
    const path = file.absolutePath;
    const known = this.#known?.likely(path, identityAt(path));
    const job: ScanJob = { path, chunkBytes, ...(known && { known }) };
    const startedAt = now();
    const { identity, chunks } = await scanFile(job, signal);
    if (Number(identity.size) < this.#smallBytesMax) throw new ChangedMeanwhile(path);
    this.#contents[file.index] = { racy: isRacy(identity, startedAt), identity, chunks };
  }

  /** Makes the shared chunks of a section: one run for the small files between two big ones, kept under the run's first file. */
  async #readSection(section: readonly ListedFile[], runs: Map<ListedFile, SmallRun<NamedSmallFile>>): Promise<void> {
    let run: SmallRun<NamedSmallFile> | undefined;
    for (const [i, file] of section.entries()) {
      if (i % turnFiles === turnFiles - 1) await setImmediate();
      this.#options.signal?.throwIfAborted();
      const content = this.#contents[file.index];
      if (content && 'chunks' in content) {
        await run?.end();
        run = undefined;
        continue;
      }
      if (!run) {
        run = this.#newRun();
        runs.set(file, run);
      }
      await this.#addSmall(run, file, content?.small);
    }
    await run?.end();
  }

  #newRun(): SmallRun<NamedSmallFile> {
    return new SmallRun<NamedSmallFile>({
      target: this.#options.chunkBytes,
      known: (fileDigests) => this.#known?.sharedDigest(fileDigests),
      read: async ({ file, digest }) => {
        const again = await readSmallFile(file.absolutePath, this.#smallBytesMax);
        if (!again || Buffer.compare(again.digest, digest) !== 0) throw new ChangedMeanwhile(file.absolutePath);
        return again.bytes;
      },
    });
  }

  async #addSmall(run: SmallRun<NamedSmallFile>, file: ListedFile, known: SmallFile | undefined): Promise<void> {
    if (known) return run.add({ ...known, file });
    const startedAt = this.#options.now();
    const read = await readSmallFile(file.absolutePath, this.#smallBytesMax);
    if (!read) throw new ChangedMeanwhile(file.absolutePath);
    const { bytes, ...small } = read;
    this.#contents[file.index] = { racy: isRacy(small.identity, startedAt), identity: small.identity, small };
    await run.add({ ...small, file }, bytes);
  }

  #addChunks(builder: TableBuilder, file: ListedFile, run: SmallRun<NamedSmallFile> | undefined): void {
    const content = this.#contents[file.index];
    if (content && 'chunks' in content) builder.addChunksOf(file, content.chunks);
    for (const chunk of run?.chunks ?? []) builder.addShared(chunk);
  }
}

/**
 * A new table of all listed files. What `known` knows is not read again, unless its identity is racy or the reader is paranoid.
 *
 * @throws {ChangedMeanwhile} when a file changed between two looks at it: list and refresh again.
 */
export function refresh(options: RefreshOptions, known: KnownSources | undefined): Promise<SourceTable> {
  const listed = listFiles(options);
  return new Refresh(options, known, listed.files.length).run(listed);
}
