import type { Digest } from '../../base/digest.ts';
import { uniqueName } from '../../base/files.ts';
import type { StepResult } from '../results.ts';
import type { Remote, RemoteListed } from './remote.ts';
import type { StepPack } from './step-pack.ts';

export interface RemoteGcRequest {
  /** Records and packs from before then go, if nobody needs them; milliseconds since 1970. */
  readonly oldMs: number;
  /** Contents from before then go, if nothing names them: younger ones may belong to an upload that is under way. */
  readonly graceMs: number;
  /** Keys of targets and of steps that are needed as the config stands. */
  readonly targets: ReadonlySet<Digest>;
  readonly steps: ReadonlySet<Digest>;
  /** Digests of the parts of a list; undefined when its bytes can not be had, here or there. */
  partsOf(list: Digest, inline: Uint8Array | undefined): Promise<Iterable<Digest> | undefined>;
  readonly dryRun: boolean;
}

interface Removed {
  readonly objects: number;
  readonly bytes: number;
}

/** What a collection took away from a scope, or with `dryRun` would. */
export interface RemoteGcReport {
  readonly scope: string;
  readonly dryRun: boolean;
  readonly bytesBefore: number;
  readonly bytes: number;
  /** Keys of targets whose records went. */
  readonly targets: readonly Digest[];
  /** Packs that went, because nobody needs what they hold or it lies in others now, and packs that were written for it. */
  readonly packs: Removed & { readonly written: number };
  readonly blobs: Removed;
}

/** So many packs of one head stay as they are: each costs a build one request. */
const packsMax = 8;
const packBytesMax = 8 * 1024 * 1024;
const recordsAtOnce = 8;

const sumOf = (objects: readonly RemoteListed[]): Removed => ({
  objects: objects.length,
  bytes: objects.reduce((sum, { bytes }) => sum + bytes, 0),
});

type Entry = readonly [Digest, StepResult];
/** Whether a result stays that lies in the pack of this name. */
type IsKept = (pack: string, entry: Entry) => boolean;

/** Results that are to be written together, and how large they are. */
class Joining {
  steps = new Map<Digest, StepResult>();
  contents = new Map<Digest, Uint8Array>();
  bytes = 0;

  add([key, result]: Entry, { contents }: StepPack): void {
    if (this.steps.has(key)) return;
    this.steps.set(key, result);
    this.bytes += 500;
    for (const { digest } of result.parts) {
      const content = contents.get(digest);
      if (!content || this.contents.has(digest)) continue;
      this.contents.set(digest, content);
      this.bytes += content.length;
    }
  }
}

/**
 * Collects what nobody needs in the scope that this remote writes. First records and packs go, then contents that no other record names. An
 * upload, a build or another collection at the same time finds at worst something missing, which it makes again; nothing that is there is ever
 * replaced by something else, and what is written anew was verified, and is signed by who collects.
 */
export class RemoteCollection {
  readonly #remote: Remote;
  readonly #request: RemoteGcRequest;
  /** Contents that what stays names. */
  readonly #named = new Set<Digest>();
  #written = 0;

  constructor(remote: Remote, request: RemoteGcRequest) {
    this.#remote = remote;
    this.#request = request;
  }

  /** Undefined when the remote did not answer all that it was asked: then nothing more was removed. */
  async run(): Promise<RemoteGcReport | undefined> {
    const [remote, request] = [this.#remote, this.#request];
    const before = await remote.listed();
    if (!before) return undefined;
    const { failures } = remote.summary;
    const oldTargets = before.filter(
      ({ object, modified }) => object.kind === 'target' && modified < request.oldMs && !request.targets.has(object.key),
    );
    const oldPacks = await this.#collectPacks(before.filter(({ object }) => object.kind === 'pack'));
    const gone = new Set([...oldTargets, ...oldPacks].map(({ name }) => name));
    if (remote.summary.failures !== failures || !(await this.#remove(gone))) return undefined;
    // Listed again: what was written meanwhile names contents as well.
    const now = (await remote.listed())?.filter(({ name }) => !gone.has(name));
    if (!now) return undefined;
    await this.#nameAll(now);
    if (remote.summary.failures !== failures) return undefined;
    const blobs = now.filter(
      ({ object, modified }) => object.kind === 'blob' && modified < request.graceMs && !this.#named.has(object.digest),
    );
    if (!(await this.#remove(blobs.map(({ name }) => name)))) return undefined;
    const bytes = sumOf(now).bytes - sumOf(blobs).bytes;
    return {
      scope: remote.scope,
      dryRun: request.dryRun,
      bytesBefore: sumOf(before).bytes,
      bytes,
      targets: oldTargets.flatMap(({ object }) => (object.kind === 'target' ? [object.key] : [])),
      packs: { ...sumOf(oldPacks), written: this.#written },
      blobs: sumOf(blobs),
    };
  }

  async #remove(names: Iterable<string>): Promise<boolean> {
    return this.#request.dryRun || (await this.#remote.remove([...names]));
  }

  /** @returns the packs that may go: nothing in them is needed, or it lies in others now. */
  async #collectPacks(packs: readonly RemoteListed[]): Promise<RemoteListed[]> {
    const heads = new Map<Digest, RemoteListed[]>();
    for (const pack of packs) {
      if (pack.object.kind !== 'pack') continue;
      heads.set(pack.object.head, [...(heads.get(pack.object.head) ?? []), pack]);
    }
    const gone: RemoteListed[] = [];
    for (const [head, of] of heads) gone.push(...(await this.#collectHead(head, of)));
    return gone;
  }

  async #collectHead(head: Digest, packs: readonly RemoteListed[]): Promise<RemoteListed[]> {
    const isOld = ({ modified }: RemoteListed): boolean => modified < this.#request.oldMs;
    const isCrowded = packs.length > packsMax;
    const looked = packs.filter((pack) => isCrowded || isOld(pack));
    if (looked.length === 0) return [];
    const old = new Set(looked.filter(isOld).map(({ name }) => name));
    const isKept: IsKept = (name, [key, { external }]) => !old.has(name) || external === true || this.#request.steps.has(key);
    // Read twice: whether anything is to be written is known only at the end, and all of it may be too much to hold.
    const { read, all, kept } = await this.#count(looked, isKept);
    if (kept === all && !isCrowded && read.size === looked.length) return [];
    if (!(await this.#join(head, kept === 0 ? [] : [...read], isKept))) return [];
    // One that can not be read, or may not be believed, is of use to nobody: when it is old it goes too.
    return looked.filter(({ name }) => read.has(name) || old.has(name));
  }

  async #count(packs: readonly RemoteListed[], isKept: IsKept): Promise<{ read: Set<string>; all: number; kept: number }> {
    const read = new Set<string>();
    let [all, kept] = [0, 0];
    for await (const { name, steps } of this.#remote.packs(packs.map((pack) => pack.name))) {
      read.add(name);
      // One without results is not needed either.
      all += Math.max(1, steps.size);
      for (const entry of steps) if (isKept(name, entry)) kept++;
    }
    return { read, all, kept };
  }

  /** Writes what is kept of packs into as few as can be. @returns whether all of it is there. */
  async #join(head: Digest, names: readonly string[], isKept: IsKept): Promise<boolean> {
    let joining = new Joining();
    for await (const pack of this.#remote.packs(names)) {
      for (const entry of pack.steps) {
        if (!isKept(pack.name, entry)) continue;
        joining.add(entry, pack);
        if (joining.bytes < packBytesMax) continue;
        if (!(await this.#write(head, joining))) return false;
        joining = new Joining();
      }
    }
    return joining.steps.size === 0 || this.#write(head, joining);
  }

  async #write(head: Digest, { steps, contents }: Joining): Promise<boolean> {
    this.#written++;
    for (const result of steps.values()) for (const { digest } of result.parts) this.#named.add(digest);
    if (this.#request.dryRun) return true;
    return (await this.#remote.putPack(`${head}/${uniqueName('gc')}`, { steps, contents })) !== undefined;
  }

  /** Notes all contents that records and packs name. */
  async #nameAll(listed: readonly RemoteListed[]): Promise<void> {
    const packs = listed.flatMap(({ object, name }) => (object.kind === 'pack' ? [name] : []));
    for await (const { steps } of this.#remote.packs(packs)) {
      for (const { parts } of steps.values()) for (const { digest } of parts) this.#named.add(digest);
    }
    const keys = listed.flatMap(({ object }) => (object.kind === 'target' ? [object.key] : []));
    for (let at = 0; at < keys.length; at += recordsAtOnce) {
      await Promise.all(keys.slice(at, at + recordsAtOnce).map((key) => this.#nameTarget(key)));
    }
  }

  /** A record that is not believed, or whose lists are gone, is of use to nobody, and so is what it names. */
  async #nameTarget(key: Digest): Promise<void> {
    const record = await this.#remote.target(key);
    if (!record) return;
    const { outputs, lineage } = record.result;
    if (lineage !== undefined) this.#named.add(lineage);
    for (const { digest } of Object.values(outputs)) {
      this.#named.add(digest);
      for (const part of (await this.#request.partsOf(digest, record.contents.get(digest))) ?? []) this.#named.add(part);
    }
  }
}
