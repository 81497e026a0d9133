import { join } from 'node:path';
import { type Digest, digestHex } from '../../base/digest.ts';
import { BuildError } from '../../base/errors.ts';
import { readIfThere, writeFileAtomic } from '../../base/files.ts';
import { type Condition, S3Error } from '../../s3/bucket.ts';
import type { Destination, Publication, PublishOutcome } from '../destination.ts';
import { difference, type WantedNow } from '../difference.ts';
import { assertBelow, staysEdited } from '../refusals.ts';
import {
  type BucketChange,
  bucketChange,
  doubtful,
  isAsWanted,
  type Seen,
  type Sending,
  type StandingObjects,
  standingObjects,
} from './change.ts';
import type { BucketContext } from './context.ts';
import { inTurn, Overtaken, send } from './send.ts';
import { sideBySide } from './side-by-side.ts';
import { type BucketState, type ComingObject, decodeState, encodeState, type OwnObject, stateName } from './state.ts';

/** Of some millions of objects. */
const stateBytesMax = 512 * 1024 * 1024;
const askedAtOnce = 16;
/** How often somebody else may come in between. */
const triesMax = 4;

interface Looked extends Seen {
  /** Of the state object; undefined where there is none. */
  readonly stateEtag: string | undefined;
}

const nothing: BucketState = { wanted: '', files: [], coming: [] };

/**
 * A prefix of a bucket as a place to publish. Nothing there changes over as a whole, so the order has to do: first the state object says
 * what is coming, then new objects are sent, the manifest last, and only then objects that nobody wants go. Readers of the old manifest
 * find all that it speaks of until the new one is there. Each write is conditional on what was seen.
 */
export class BucketDestination implements Destination {
  readonly #context: BucketContext;
  #looked: Promise<Looked> | undefined;

  constructor(context: BucketContext) {
    this.#context = context;
  }

  async isUpToDate(wanted: Digest): Promise<boolean> {
    return isAsWanted(await this.#look(), wanted);
  }

  /** What is not as it was published, or was published for something else than is wanted now: sentences for people. */
  async problems(now: WantedNow): Promise<string[]> {
    const looked = await this.#look();
    const { out } = this.#context;
    const { state } = looked;
    const { missing, changed } = standingObjects(looked);
    const some = ([first, ...others]: readonly OwnObject[], is: string): string[] =>
      first ? [`${out}/${first.name} ${is}${others.length > 0 ? `, and ${others.length} more` : ''}`] : [];
    const problems = [...some(missing, 'is missing'), ...some(changed, 'is not as it was published')];
    if (state.coming.length > 0) return [...problems, `${out} is being published to, or a build that did was cut off`];
    const other = difference(state, now);
    if (other !== undefined) problems.push(looked.stateEtag === undefined ? `nothing is published in ${out} yet` : `${out} ${other}`);
    return problems;
  }

  /** Objects of ours. `isUnfinished`: a build began to change what lies there, and has not ended it. */
  async standing(): Promise<StandingObjects & { readonly isUnfinished: boolean }> {
    const looked = await this.#look();
    return { ...standingObjects(looked), isUnfinished: looked.state.coming.length > 0 };
  }

  /** Reads an object of ours that stands unchanged, as far as the listing tells. @param came told how many bytes have come, piece by piece. */
  async read({ name, digest, etag }: OwnObject, came: (bytes: number) => void): Promise<'whole' | 'damaged' | 'changed' | 'missing'> {
    const { bucket, signal } = this.#context;
    try {
      return (await bucket.digestOf(name, { etag, signal, came })) === digest ? 'whole' : 'damaged';
    } catch (error) {
      const kind = error instanceof S3Error ? error.kind : undefined;
      if (kind === 'missing') return 'missing';
      if (kind === 'conflict') return 'changed';
      if (kind === 'wrong-bytes') return 'damaged';
      throw this.#failed(error, `${name} can not be read`);
    }
  }

  async publish(publication: Publication): Promise<PublishOutcome> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#publishOnce(publication);
      } catch (error) {
        if (!(error instanceof Overtaken)) throw this.#failed(error, 'nothing can be published there');
        if (tries === triesMax) throw new BuildError('publish-conflict', this.#conflict(error));
      } finally {
        this.#looked = undefined;
      }
    }
  }

  close(): void {
    this.#context.bucket.close();
  }

  #conflict({ message }: Overtaken): { message: string; where: string; hint: string } {
    return {
      message: `someone else writes there at the same time: ${message} changed while this build published`,
      where: this.#context.out,
      hint: 'Build again when the other build is over, or give each its own "out".',
    };
  }

  #failed(error: unknown, what: string): unknown {
    if (!(error instanceof S3Error)) return error;
    return new BuildError('publish-failed', {
      message: `${what}: ${error.message}`,
      where: this.#context.out,
      hint: error.fault.hint ?? hintOf(error),
      cause: error,
    });
  }

  #look(): Promise<Looked> {
    this.#looked ??= this.#lookNow().catch((error) => {
      throw this.#failed(error, 'it can not be looked at');
    });
    return this.#looked;
  }

  async #lookNow(): Promise<Looked> {
    const { bucket, signal } = this.#context;
    const listed = new Map<string, { bytes: number; etag: string }>();
    for await (const { key, bytes, etag } of bucket.list('', { signal })) listed.set(key, { bytes, etag });
    const stateEtag = listed.get(stateName)?.etag;
    listed.delete(stateName);
    return { listed, stateEtag, state: (stateEtag !== undefined && (await this.#stateNow(stateEtag))) || nothing };
  }

  /** The state object is read once for each time that it changed. */
  async #stateNow(etag: string): Promise<BucketState | undefined> {
    const kept = readIfThere(this.#keptFile);
    const end = kept?.indexOf('\n') ?? -1;
    const known = kept && kept.toString('utf8', 0, end) === etag ? decodeState(kept.subarray(end + 1)) : undefined;
    if (known) return known;
    const got = await this.#context.bucket.get(stateName, { signal: this.#context.signal, bytesMax: stateBytesMax });
    if (got) this.#keep(got.etag, got.bytes);
    return got && decodeState(got.bytes);
  }

  get #keptFile(): string {
    return join(this.#context.stateDir, 'published', `${digestHex(this.#context.out).slice(0, 32)}.bucket`);
  }

  #keep(etag: string, bytes: Buffer): void {
    writeFileAtomic(this.#keptFile, Buffer.concat([Buffer.from(`${etag}\n`), bytes]));
  }

  async #publishOnce(publication: Publication): Promise<PublishOutcome> {
    const { out } = this.#context;
    for (const { name } of publication.files) assertBelow(out, name, stateName);
    const looked = await this.#look();
    const said = await this.#ask(doubtful(looked, publication.files));
    const change = bucketChange(looked, { ...publication, said });
    for (const name of change.strange) this.#context.warn(staysEdited(`${out}/${name}`));
    return this.#carryOut(change, { looked, publication });
  }

  /** What objects say that they hold. */
  async #ask(names: readonly string[]): Promise<Map<string, Digest>> {
    const { bucket, signal } = this.#context;
    const said = new Map<string, Digest>();
    await sideBySide(names, askedAtOnce, async (name) => {
      const digest = (await bucket.head(name, { signal }))?.digest;
      if (digest !== undefined) said.set(name, digest);
    });
    return said;
  }

  async #carryOut(
    { kept, sending, leaving }: BucketChange,
    { looked, publication }: { looked: Looked; publication: Publication },
  ): Promise<PublishOutcome> {
    const wanted = publication.partial ? '' : publication.wanted;
    const { state } = looked;
    let etag = looked.stateEtag;
    const put = async (next: BucketState): Promise<void> => {
      etag = await this.#putState(next, etag);
    };
    if (sending.length > 0) await put({ wanted: '', files: state.files, coming: [...state.coming, ...comingOf(sending)] });
    const sent = await send(sending, this.#context);
    const files = inOrder([...kept, ...sent], publication);
    if (leaving.length > 0) {
      // Still named as ours: what a crash leaves there is found and removed by the next build.
      await put({ wanted: '', files: [...files, ...leaving], coming: [] });
      await this.#context.bucket.remove(
        leaving.map(({ name }) => name),
        { signal: this.#context.signal },
      );
    }
    const last = { wanted, files, coming: [] };
    if (!encodeState(last).equals(encodeState(state)) || sending.length + leaving.length > 0) await put(last);
    return { written: sent.length, removed: leaving.length, bytes: sent.reduce((sum, { bytes }) => sum + bytes, 0) };
  }

  async #putState(state: BucketState, over: string | undefined): Promise<string> {
    const bytes = encodeState(state);
    const condition: Condition = over === undefined ? 'absent' : { etag: over };
    const etag = await this.#context.bucket.write(stateName, () => inTurn([bytes]), {
      bytes: bytes.length,
      digest: digestHex(bytes),
      condition,
      signal: this.#context.signal,
    });
    if (etag === undefined) throw new Overtaken(stateName);
    this.#keep(etag, bytes);
    return etag;
  }
}

const hintOf = ({ kind }: S3Error): string =>
  kind === 'denied'
    ? 'Publishing needs s3:ListBucket, s3:GetObject, s3:PutObject and s3:DeleteObject behind this prefix.'
    : 'What was built is kept here: build again when the bucket can be reached.';

const comingOf = (sending: readonly Sending[]): ComingObject[] => sending.map(({ name, digest, bytes }) => ({ name, digest, bytes }));

/** As the targets name them; behind them what belongs to others. */
function inOrder(files: readonly OwnObject[], publication: Publication): OwnObject[] {
  const order = new Map(publication.files.map(({ name }, i) => [name, i]));
  const at = ({ name }: OwnObject): number => order.get(name) ?? order.size;
  return [...files].sort((a, b) => at(a) - at(b));
}
