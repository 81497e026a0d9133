import type { Digest } from '../base/digest.ts';
import { BuildError } from '../base/errors.ts';
import type { GraphTarget } from '../graph/graph.ts';
import { upstreamOf } from '../graph/upstream.ts';
import type { RemoteUse } from './api.ts';
import { readLastPlan } from './last-plan.ts';
import type { MissingBytes } from './needs.ts';
import type { Project } from './project.ts';
import type { BuildRemote, PackedTarget } from './remote.ts';
import { remoteHead } from './remote-head.ts';
import { openRemote, remoteSettings } from './remote-settings.ts';
import { survey } from './survey.ts';

/** Bytes that reading came to and that may be had: it begins again when they are here. */
class Missed extends Error {
  readonly missing: MissingBytes;

  constructor(missing: MissingBytes) {
    super(`${missing.digest} is missed`);
    this.missing = missing;
  }
}

/** What is said where a target is not known here. */
const unknownHere: ReadonlySet<string> = new Set(['not-built', 'not-here', 'unknown-place']);

/**
 * What a command that reads what was last built fetches from the remote cache, as it turns out to be missing here. Nothing is made. Where
 * there is no remote, or it may not be asked, nothing ever is to be had.
 */
export class Fetching {
  readonly #project: Project;
  readonly #use: RemoteUse;
  readonly #isOn: boolean;
  /** Each is asked for once. */
  readonly #asked = new Set<Digest>();
  #remote: Promise<BuildRemote | undefined> | undefined;
  #isTaken = false;

  constructor(project: Project, use: RemoteUse) {
    this.#project = project;
    this.#use = use;
    this.#isOn = remoteSettings(project, use) !== undefined;
  }

  /** To be called where bytes are missed, from within `reading`. It returns if they can not be had. */
  readonly miss = (digest: Digest): void => {
    if (this.#isOn && !this.#asked.has(digest)) throw new Missed({ digest });
  };

  /**
   * The items of `read`, which begins again whenever something that it missed has come: with the same items as before, and then goes on.
   *
   * @param near targets that may have made what is missed, the likeliest first.
   */
  async *reading<T>(read: () => AsyncIterable<T>, near: () => readonly GraphTarget[]): AsyncGenerator<T> {
    for (let told = 0; ; ) {
      let at = 0;
      try {
        for await (const item of read()) {
          if (at++ < told) continue;
          told++;
          yield item;
        }
        return;
      } catch (error) {
        if (!(await this.#mended(error, near))) throw error;
      }
    }
  }

  /** Brings bytes of a target, or of one that it was made of. @returns whether they are in the store now. */
  async bring(missing: MissingBytes, target: GraphTarget): Promise<boolean> {
    return this.#bring(missing, [target, ...upstreamOf(target)]);
  }

  async close(): Promise<void> {
    (await this.#remote)?.close();
  }

  async #mended(error: unknown, near: () => readonly GraphTarget[]): Promise<boolean> {
    if (error instanceof Missed) {
      await this.#bring(error.missing, near());
      return true;
    }
    if (!this.#isOn || this.#isTaken || !(error instanceof BuildError) || !unknownHere.has(error.code)) return false;
    this.#isTaken = true;
    await takeResults(this.#project, [], this.#use);
    return true;
  }

  async #bring({ digest, bytes }: MissingBytes, targets: readonly GraphTarget[]): Promise<boolean> {
    if (!this.#isOn || this.#asked.has(digest)) return false;
    this.#asked.add(digest);
    this.#remote ??= openRemote(this.#project, { ...this.#use, failuresMax: 1 });
    const remote = await this.#remote;
    // A list of parts comes with the record of what it is a list of.
    const listed = bytes === undefined ? this.#project.results.listed(digest) : undefined;
    if (listed) return (await remote?.lists(listed.key, Object.keys(listed.result.outputs))) !== undefined;
    const places = targets.flatMap((target) => this.#lastBuilt(target));
    return (await remote?.need(digest, places, bytes)) ?? false;
  }

  #lastBuilt(target: GraphTarget): PackedTarget[] {
    const last = readLastPlan(this.#project.stateDir, target.name);
    return last ? [{ target, remoteHead: () => remoteHead(last.manifest, target.rule) }] : [];
  }
}

/** Takes what targets came to elsewhere, as the config stands: from then on it is what was last built here, where nothing was. @param names all when empty. */
export async function takeResults(project: Project, names: readonly string[], use: RemoteUse): Promise<void> {
  if (remoteSettings(project, use) === undefined) return;
  await survey(project, { targets: names, remote: true, ...use, resultsOnly: true }, ({ targets }) => {
    for (const build of targets.values()) build.noteFound();
  });
}
