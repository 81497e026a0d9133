import { setMaxListeners } from 'node:events';
import { join } from 'node:path';
import type { Digest } from '../base/digest.ts';
import { explained } from '../base/errors.ts';
import type { RemoteSummary } from '../base/events.ts';
import { uniqueName } from '../base/files.ts';
import { limits } from '../base/limits.ts';
import { readPart } from '../cache/part-reader.ts';
import { Breaker } from '../cache/remote/breaker.ts';
import type { RemoteGcReport, RemoteGcRequest } from '../cache/remote/collect.ts';
import { Known } from '../cache/remote/known.ts';
import type { RemoteTrouble } from '../cache/remote/link.ts';
import { Remote, type WithOrigin } from '../cache/remote/remote.ts';
import type { StepPack } from '../cache/remote/step-pack.ts';
import type { TargetRecord } from '../cache/remote/target-record.ts';
import type { Trust } from '../cache/remote/trust.ts';
import type { ScopeUsage } from '../cache/remote/usage.ts';
import type { StepResult } from '../cache/results.ts';
import { outputNames } from '../execute/plan-run.ts';
import type { GraphTarget } from '../graph/graph.ts';
import type { Part } from '../rule/part.ts';
import { Bucket } from '../s3/bucket.ts';
import type { BuildRun } from './build-run.ts';
import { isCollection } from './is-collection.ts';
import type { Project } from './project.ts';
import { Asking, reportEvery } from './remote-progress.ts';
import type { RemoteSettings } from './remote-settings.ts';
import { type RemoteReason, signerFor } from './remote-signer.ts';
import { RemoteUploads } from './remote-uploads.ts';
import type { TargetBuild } from './target-build.ts';
import { trustOf } from './trust.ts';

/** A target, as far as it tells where the packs of its steps lie. */
export type PackedTarget = Pick<TargetBuild, 'remoteHead'> & { readonly target: { readonly name: string } };

/** The remote cache as one build uses it: brings results and bytes when they are missed, and takes away what is new. */
export class BuildRemote {
  readonly uploads: RemoteUploads;
  warnings = 0;
  readonly #project: Project;
  readonly #bucket: Bucket;
  readonly #remote: Remote;
  readonly #known: Known;
  readonly #trust: Trust;
  /** Why nothing is written, whatever the rights are. */
  readonly whyReadOnly: RemoteReason | undefined;
  /** Ends all that is under way. */
  readonly #ending = new AbortController();
  readonly #asking: Asking;
  readonly #packs = new Map<string, Promise<void>>();
  readonly #fetching = new Map<Digest, Promise<boolean>>();
  /** Targets whose steps gave something else elsewhere. */
  readonly #differing = new Set<string>();

  constructor(project: Project, { address, endpoint, region, pathStyle, readOnly, times, failuresMax }: RemoteSettings) {
    const trust = trustOf(project);
    this.#trust = trust;
    const { signer, unsigned } = signerFor(project, trust);
    this.whyReadOnly = readOnly ? { message: 'the config says that it is only read: cache.readOnly' } : unsigned;
    this.#project = project;
    const { signal } = this.#ending;
    setMaxListeners(0, signal); // One for each request under way.
    this.#bucket = new Bucket({ address, endpoint, region, pathStyle, env: project.env, signal, times });
    const breaker = new Breaker({ ...(failuresMax !== undefined && { failuresMax }) });
    this.#remote = new Remote({ bucket: this.#bucket, trust, signer, readOnly: this.whyReadOnly !== undefined, tell: this.#tell, breaker });
    this.#known = new Known(project.stateDir, JSON.stringify([address, endpoint, trust.scope]));
    this.#asking = new Asking(project.emit, () => this.#bucket.counters.bytesIn);
    this.uploads = new RemoteUploads({ remote: this.#remote, known: this.#known, differs: (target) => this.#warnOfDifference(target) });
    project.signal.addEventListener('abort', this.#end, { once: true });
    if (project.signal.aborted) this.#end();
  }

  /** Looks for what a target came to elsewhere, and takes it into results and store. @returns whether it is there now. */
  async restore(key: Digest, target: GraphTarget): Promise<boolean> {
    const record = await this.lists(key, outputNames(target));
    if (record) this.#project.results.putTarget(key, { ...record.result, origin: record.origin });
    return record !== undefined;
  }

  /** Brings the lists of a target's parts, by output, and nothing else: what is known of it here stays. @returns the record that they came with. */
  async lists(key: Digest, outputs: readonly string[]): Promise<WithOrigin<TargetRecord> | undefined> {
    const record = await this.#quietly(() => this.#remote.target(key));
    if (!record || !(await this.#bringLists(record, outputs))) return undefined;
    const { store } = this.#project;
    for (const bytes of record.contents.values()) store.put(bytes);
    store.sync();
    return record;
  }

  /** The lists of a target's parts, whole and readable: what a record says of its outputs is of no use without them. */
  async #bringLists({ result, contents }: WithOrigin<TargetRecord>, outputs: readonly string[]): Promise<boolean> {
    const { store } = this.#project;
    for (const output of outputs) {
      const digest = result.outputs[output]?.digest;
      if (digest === undefined) return false;
      const inline = contents.get(digest);
      if (!inline && !(await this.fetch(digest))) return false;
      if (!isCollection(() => Buffer.from(inline ?? readPart(digest, store.locate(digest) ?? [])))) return false;
    }
    return true;
  }

  /** Takes all that is known of the steps of targets of this head into results and store, once. */
  packs(head: Digest, target: string): Promise<void> {
    return this.#packsOnce(head, target, false);
  }

  #packsOnce(head: Digest, target: string, again: boolean): Promise<void> {
    const id = `${head} ${again}`;
    const taken = this.#packs.get(id) ?? this.#quietly(() => this.#takePacks(head, target, again)).then(() => undefined);
    this.#packs.set(id, taken);
    return taken;
  }

  /** @param again also those that were taken earlier: some of their contents may have been removed here since. */
  async #takePacks(head: Digest, target: string, again: boolean): Promise<void> {
    const names = await this.#remote.packNames(head);
    if (names === undefined) return;
    if (names.length === 0 && this.#known.has('head', head)) this.#known.forget();
    for await (const pack of this.#remote.packs(names.filter((name) => again || !this.#known.has('pack', name)))) {
      this.#takePack(pack, target);
      this.#known.add('pack', pack.name);
      this.#known.add('head', head);
    }
  }

  #takePack({ steps, contents, origin }: WithOrigin<StepPack>, target: string): void {
    const { store, results } = this.#project;
    for (const bytes of contents.values()) store.put(bytes);
    store.sync();
    for (const [key, result] of steps) {
      const own = results.step(key);
      this.#known.add('step', key);
      if (own && this.#trust.believes(own.origin)) this.#compare(own, result, target);
      else results.putStep(key, { ...result, origin });
    }
    results.flush();
  }

  /** What is known here stays. */
  #compare(own: StepResult, other: StepResult, target: string): void {
    const digestsOf = ({ parts }: StepResult): string => parts.map(({ output, digest }) => `${output} ${digest}`).join();
    if (digestsOf(own) !== digestsOf(other)) this.#warnOfDifference(target);
  }

  /** Two digests for one key: somebody's rule depends on something that is not declared. */
  #warnOfDifference(target: string): void {
    if (this.#differing.has(target)) return;
    this.#differing.add(target);
    this.#warn({
      code: 'not-deterministic',
      target,
      message: 'gave other bytes elsewhere for the same inputs and options; the remote cache keeps those that came first',
      hint: 'A rule, filter or program reads something that is not declared: time, chance, the environment, the order of files.',
    });
  }

  /**
   * Brings bytes that are missing: a blob by its digest, a small one with the packs of the targets that may have made it.
   * @param builds where to look, nearest first.
   * @returns whether they are here now.
   */
  async need(digest: Digest, builds: readonly PackedTarget[], bytes?: number): Promise<boolean> {
    const isSmall = bytes !== undefined && bytes < limits.packedBytesMax;
    if (!isSmall && (await this.fetch(digest, bytes))) return true;
    if (bytes !== undefined && !isSmall) return false;
    for (const again of [false, true]) {
      for (const build of builds) {
        const head = build.remoteHead();
        if (head !== undefined) await this.#packsOnce(head, build.target.name, again);
        if (this.#project.store.locate(digest)) return true;
      }
    }
    return isSmall && this.fetch(digest, bytes);
  }

  /** Brings all parts that are missing here, side by side. */
  async needAll(parts: readonly Part[], build: TargetBuild, run: BuildRun): Promise<void> {
    const missing = parts.filter(({ digest }) => !run.locations.locate(digest));
    const [first, ...others] = missing.filter(({ bytes }) => bytes < limits.packedBytesMax);
    // One of them brings the packs in which the others lie.
    if (first) await this.need(first.digest, [build], first.bytes);
    const large = missing.filter(({ bytes }) => bytes >= limits.packedBytesMax);
    await Promise.all([...others, ...large].map(({ digest, bytes }) => this.need(digest, [build], bytes)));
  }

  /** Brings a blob into the store. */
  fetch(digest: Digest, bytes?: number): Promise<boolean> {
    const { store } = this.#project;
    if (store.locate(digest)) return Promise.resolve(true);
    let fetched = this.#fetching.get(digest);
    if (!fetched) {
      fetched = this.#quietly(() => this.#fetch(digest, bytes))
        .then((found) => found ?? false)
        .finally(() => this.#fetching.delete(digest));
      this.#fetching.set(digest, fetched);
    }
    return fetched;
  }

  async #fetch(digest: Digest, bytes?: number): Promise<boolean> {
    const path = join(this.#project.tmpDir, uniqueName('blob'));
    if (!(await this.#remote.blob(digest, path, bytes))) return false;
    this.#project.store.adopt(path, digest);
    this.#known.add('blob', digest);
    return true;
  }

  /**
   * Waits for the uploads, or gives them up when the build is interrupted or a newer one is wanted: what is still of use then is sent by that
   * one. Nothing of it fails a build.
   */
  async finish(superseded?: AbortSignal): Promise<void> {
    this.#asking.close();
    const giveUp = (): void => this.uploads.giveUp();
    superseded?.addEventListener('abort', giveUp, { once: true });
    if (superseded?.aborted) giveUp();
    const endProgress = reportEvery(this.#project.emit, () => ({ way: 'up', ...this.uploads.progress }));
    try {
      await this.uploads.finish();
    } finally {
      endProgress();
      superseded?.removeEventListener('abort', giveUp);
    }
  }

  readonly #end = (): void => {
    this.uploads.giveUp();
    this.#ending.abort();
  };

  /** Asks whether the remote is there: a build with nothing to do asks nothing else. What is wrong is in the summary, as all is. */
  async look(): Promise<void> {
    await this.#quietly(() => this.#remote.look());
  }

  close(): void {
    this.#asking.close();
    this.#project.signal.removeEventListener('abort', this.#end);
    this.#end();
    this.#known.close();
    this.#bucket.close();
  }

  /** Why it did not do all that was asked, or will not: the first thing that went wrong. */
  trouble(): RemoteReason | undefined {
    const { trouble } = this.#remote;
    if (!trouble) return this.whyReadOnly;
    const { hint } = trouble.fault;
    return { message: trouble.message, ...(hint !== undefined && { hint }) };
  }

  /** Where the record of a target lies. */
  holder(key: Digest): Promise<string | undefined> {
    return this.#remote.holder(key);
  }

  usage(): Promise<ScopeUsage[] | undefined> {
    return this.#remote.usage();
  }

  /** What was known to lie there is looked for again afterwards. */
  async collect(request: RemoteGcRequest): Promise<RemoteGcReport | undefined> {
    this.forget();
    const { RemoteCollection } = await import('../cache/remote/collect.ts');
    return new RemoteCollection(this.#remote, request).run();
  }

  /** What was known to lie there is looked for again. */
  forget(): void {
    this.#known.forget();
  }

  summary(): RemoteSummary {
    return this.#remote.summary;
  }

  readonly #tell = ({ code, message, hint }: RemoteTrouble): void => {
    if (code === 'remote-read-only') this.#project.emit({ type: 'note', message });
    else this.#warn({ code, message, ...(hint !== undefined && { hint }) });
  };

  #warn(warning: { code: string; message: string; hint?: string; target?: string }): void {
    this.warnings++;
    this.#project.emit({ type: 'warning', ...warning });
  }

  /** An interrupted build asks for nothing more, and says so by itself. */
  async #quietly<T>(work: () => Promise<T>): Promise<T | undefined> {
    this.#asking.begin();
    try {
      return await work();
    } catch (error) {
      if (this.#ending.signal.aborted) return undefined;
      throw explained(error);
    } finally {
      this.#asking.end();
    }
  }
}
