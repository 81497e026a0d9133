import type { Digest } from '../../base/digest.ts';
import { BuildError } from '../../base/errors.ts';
import { identityOf, sameIdentity } from '../../base/files.ts';
import type { Location } from '../../cache/store.ts';
import { select } from '../../graph/select.ts';
import type { Finding } from '../../rule/check.ts';
import { shownPath } from '../places.ts';
import type { Project } from '../project.ts';
import { shownError } from '../shown.ts';
import type { SourcePlace } from '../trace/items.ts';
import { trace } from '../trace/trace.ts';
import { runAgain } from './again.ts';
import { Checker, checksOf, type FileCheck } from './checks.ts';
import { inOrder } from './in-order.ts';
import type { Tell, VerifyFinding, VerifyItem, VerifyOptions, VerifySummary } from './items.ts';
import { digestsOf, type LastResult, lastResultOf, sourceChunksOf } from './last-results.ts';
import { type FileToRead, filesToRead } from './published-files.ts';
import { lookAtObjects } from './published-objects.ts';
import { bytesAt, readAll, type ToRead } from './reading.ts';

interface Blob extends ToRead {
  readonly target: string;
}

/**
 * Reads everything that the last results of targets name, in the store and where it was published, and lets rules look at what they
 * published. It plans nothing and changes nothing; only `rebuild` plans, because it has to find the steps.
 */
export async function verify(project: Project, options: VerifyOptions, tell: Tell): Promise<VerifySummary> {
  const started = performance.now();
  const verification = new Verification(project, tell);
  try {
    const targets = select(project.graph, { names: options.targets, tags: [] });
    const figures = await verification.read(
      targets.flatMap((target) => lastResultOf(project, target) ?? verification.neverBuilt(target.name)),
      options.quick ?? false,
    );
    const rebuilt =
      options.rebuild === undefined
        ? undefined
        : await runAgain(project, { targets: options.targets, share: options.rebuild }, verification.tell);
    const { findings } = verification;
    const tookMs = performance.now() - started;
    const summary: VerifySummary = { type: 'summary', ok: findings === 0, ...figures, ...(rebuilt && { rebuilt }), findings, tookMs };
    tell(summary);
    return summary;
  } catch (error) {
    if (project.signal.aborted) throw new BuildError('interrupted', { message: 'it was interrupted' });
    throw error;
  }
}

/** One verification: counts what is found, and remembers what is known to be whole. */
class Verification {
  readonly #project: Project;
  readonly #tell: Tell;
  /** Published files whose bytes are whole, by digest. */
  readonly #wholeFiles = new Map<Digest, Location>();
  findings = 0;
  #done = 0;
  #total = 0;

  constructor(project: Project, tell: Tell) {
    this.#project = project;
    this.#tell = tell;
  }

  readonly tell = (item: VerifyItem): void => {
    if (item.type === 'finding') this.findings++;
    this.#tell(item);
  };

  neverBuilt(target: string): [] {
    this.tell({ type: 'note', target, message: 'it was never built, or what it came to is not known any more' });
    return [];
  }

  async read(
    results: readonly LastResult[],
    quick: boolean,
  ): Promise<Pick<VerifySummary, 'targets' | 'blobs' | 'files' | 'bytes' | 'rows' | 'absent'>> {
    const files = filesToRead(this.#project, results, this.tell);
    const { blobs, absent } = this.#blobsOf(results, files);
    const toRead = files.map((file) => ({ ...file, location: [wholeFile(file)], bytes: Number(file.identity.size) }));
    this.#total = [...blobs, ...toRead].reduce((sum, { bytes }) => sum + bytes, 0);
    await readAll(blobs, this.#project.signal, (isWhole, blob) => this.#readBlob(blob, isWhole));
    await readAll(toRead, this.#project.signal, (isWhole, file) => this.#readFile(file, isWhole));
    const bytes = this.#done;
    const progress = (done: number, total: number): void =>
      this.tell({ type: 'progress', doing: 'reading what is published in buckets', done, total, unit: 'bytes' });
    const objects = await lookAtObjects(this.#project, results, { quick, tell: this.tell, progress });
    const rows = await this.#check(results);
    const read = { files: files.length + objects.files, bytes: bytes + objects.bytes };
    return { targets: results.length, blobs: blobs.length, ...read, rows, absent };
  }

  /** What lies in the store; the rest is published, a piece of a source file, or not on this machine. */
  #blobsOf(results: readonly LastResult[], files: readonly FileToRead[]): { blobs: Blob[]; absent: number } {
    const { store } = this.#project;
    const seen = new Set<Digest>();
    const elsewhere = new Set(files.map(({ digest }) => digest));
    for (const { target } of results) for (const digest of sourceChunksOf(this.#project, target)) elsewhere.add(digest);
    const blobs: Blob[] = [];
    let absent = 0;
    for (const result of results) {
      for (const digest of digestsOf(result)) {
        if (seen.has(digest)) continue;
        seen.add(digest);
        const location = store.locate(digest);
        if (location) blobs.push({ digest, location, bytes: bytesAt(location), target: result.target.name });
        else if (!elsewhere.has(digest)) absent++;
      }
    }
    return { blobs, absent };
  }

  #readBlob({ digest, location, bytes, target }: Blob, isWhole: boolean): void {
    this.#progress(bytes);
    if (isWhole) return;
    const [segment] = location;
    const place = shownPath(this.#project.root, segment?.path ?? '');
    const where = segment?.path.endsWith(digest) ? place : `${place} at byte ${segment?.offset ?? 0}`;
    const message = `the store holds damaged bytes for ${digest.slice(0, 12)}`;
    this.tell({
      type: 'finding',
      code: 'damaged-blob',
      message,
      target,
      where,
      hint: 'Nothing to do: a build that needs them makes them again.',
    });
  }

  #readFile(file: FileToRead & ToRead, isWhole: boolean): void {
    this.#progress(file.bytes);
    if (isWhole) {
      this.#wholeFiles.set(file.digest, file.location);
      return;
    }
    const { path, target } = file;
    const where = shownPath(this.#project.root, path);
    this.tell({ type: 'finding', target, where, ...changeOf(file) });
  }

  async #check(results: readonly LastResult[]): Promise<number> {
    const checks = results.flatMap((result) => checksOf(this.#project, result, ({ digest }) => this.#wholeFiles.get(digest)));
    if (checks.length === 0) return 0;
    [this.#done, this.#total] = [0, checks.reduce((sum, { file }) => sum + file.bytes, 0)];
    const checker = new Checker(this.#project);
    let rows = 0;
    try {
      await inOrder(checks, {
        // A few more than there are workers, so that none waits for the next.
        lanes: checker.jobs + 2,
        signal: this.#project.signal,
        work: (check) => this.#checkFile(check, checker),
        told: (checked, { file }) => {
          rows += checked.rows;
          for (const finding of checked.findings) this.tell(finding);
          this.#progress(file.bytes, 'looking at rows');
        },
      });
    } finally {
      await checker.close();
    }
    return rows;
  }

  async #checkFile(check: FileCheck, checker: Checker): Promise<{ rows: number; findings: VerifyFinding[] }> {
    const { target, location, file } = check;
    const where = this.#wholeFiles.has(file.digest) ? shownPath(this.#project.root, location[0]?.path ?? '') : (file.name ?? '');
    try {
      const { rows, findings } = await checker.check(check);
      const found = findings.map((finding, i) => this.#found(finding, { target, where, isFirst: i === 0 }));
      return { rows, findings: await Promise.all(found) };
    } catch (error) {
      const message = `it can not be read: ${shownError(error).message}`;
      return { rows: 0, findings: [{ type: 'finding', code: 'unreadable', message, target, where }] };
    }
  }

  async #found(
    { code, message, row, count }: Finding,
    { target, where, isFirst }: { target: string; where: string; isFirst: boolean },
  ): Promise<VerifyFinding> {
    const source = isFirst && row !== undefined ? await this.#sourceOf(where, row) : undefined;
    return { type: 'finding', code, message, target, where, ...(row !== undefined && { row, count }), ...(source && { source }) };
  }

  /** The first line that a row was made of, if that is known. */
  async #sourceOf(where: string, row: number): Promise<SourcePlace | undefined> {
    try {
      for await (const item of trace(this.#project, `${where}:${row}`)) {
        if (item.type === 'span' && item.source) return item.source;
      }
      return undefined;
    } catch {
      // A row whose origin is not known is wrong all the same.
      return undefined;
    }
  }

  #progress(bytes: number, doing = 'reading'): void {
    this.#done += bytes;
    this.tell({ type: 'progress', doing, done: this.#done, total: this.#total, unit: 'bytes' });
  }
}

const wholeFile = ({ path, identity }: FileToRead): Location[number] => ({ path, offset: 0, length: Number(identity.size) });

const remake = 'Move it away and build: it is made again.';

/** Why a file is not the one that was published. */
function changeOf({ path, identity }: FileToRead): Pick<VerifyFinding, 'code' | 'message' | 'hint'> {
  const now = identityOf(path);
  if (!now) return { code: 'missing-file', message: 'this published file is gone', hint: 'Build: it is made again.' };
  if (sameIdentity(now, identity)) return { code: 'damaged-file', message: 'the disk gives other bytes than were published', hint: remake };
  return { code: 'changed-file', message: 'these are not the bytes that were published: someone changed the file', hint: remake };
}
