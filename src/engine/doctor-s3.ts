import { messageOf } from '../base/errors.ts';
import { mainScope, scopePrefix } from '../cache/remote/layout.ts';
import type { Config } from '../config/define.ts';
import type { Graph } from '../graph/graph.ts';
import { assertObjectAddress } from '../s3/address.ts';
import type { Bucket, BucketOptions } from '../s3/bucket.ts';
import { declaredSources } from './declared-sources.ts';
import { type DoctorCheck, type DoctorRequest, failed } from './doctor-check.ts';
import { type RemoteSettings, remoteSettings } from './remote-settings.ts';
import { signerFor } from './remote-signer.ts';
import { trustOf } from './trust.ts';

/** Overwritten by the next check, and removed where that is allowed. No build reads it. */
const probeName = '.dsbuild-doctor';
const probeBytes = Buffer.from('Written by `dsbuild doctor`, to see whether it may.\n');
/** S3 refuses requests that are 15 minutes off. */
const skewMsMax = 300_000;

const kindOf = (error: unknown): unknown => (error as { kind?: unknown }).kind;
const isDenied = (error: unknown): boolean => kindOf(error) === 'denied';

/** What went wrong, with what the server's answer means. */
function trouble(check: string, error: unknown): DoctorCheck {
  const { hint } = (error as { fault?: { hint?: string } }).fault ?? {};
  return hint === undefined ? failed(check, error) : { check, ok: false, detail: messageOf(error), hint };
}

interface Place extends Omit<BucketOptions, 'signal' | 'env'> {
  /** What it is to the build: `cache`, `source`, `out`. */
  readonly check: string;
  /** Of a source, as the config has it. */
  readonly pattern?: string;
}

async function bucketAt({ check: _, pattern: __, ...place }: Place, { env, signal }: DoctorRequest): Promise<Bucket> {
  const { Bucket } = await import('../s3/bucket.ts');
  return new Bucket({ ...place, env, signal });
}

const notAsked = ({ check, address }: Place): DoctorCheck => ({
  check,
  ok: true,
  detail: `${address} was not asked`,
  hint: 'dsbuild doctor --online asks it.',
});

/** Whether the endpoint answers, and what may be done there: listing and reading. */
async function checkReading(place: Place, bucket: Bucket, prefix: string): Promise<DoctorCheck> {
  const started = performance.now();
  try {
    const first = await bucket.list(prefix).next();
    const listedMs = Math.round(performance.now() - started);
    if (!first.done) await bucket.head(first.value.key);
    const what = first.done ? 'nothing is there yet' : 'it can be listed and read';
    return { check: place.check, ok: true, detail: `${place.address} answers in ${listedMs} ms, ${what}` };
  } catch (error) {
    return trouble(place.check, error);
  }
}

/** Whether somebody else's clock is ours. */
function checkClock(check: string, [before, after]: readonly [number, number], modified: number): DoctorCheck {
  // The server's second began before what it wrote in it.
  const skewMs = Math.max(0, before - modified - 1000, modified - after);
  if (skewMs <= skewMsMax)
    return { check, ok: true, detail: `the clock is that of the server${skewMs < 2000 ? '' : ` to ${Math.round(skewMs / 1000)} s`}` };
  const detail = `the clocks of this machine and of the server are ${Math.round(skewMs / 1000)} s apart`;
  return {
    check,
    ok: false,
    detail,
    hint: 'S3 refuses requests that are 15 minutes off: set the clock, or let it be set over the network.',
  };
}

/** Writes a probe, writes it once more where it is to be refused, and removes it. */
async function checkWriting(
  check: string,
  bucket: Bucket,
  { folder, isNeeded }: { folder: string; isNeeded: boolean },
): Promise<DoctorCheck[]> {
  const probe = `${folder}${probeName}`;
  const before = Date.now();
  try {
    await bucket.put(probe, probeBytes, 'any');
  } catch (error) {
    // A cache may be read only; what is published somewhere must be written there.
    if (isNeeded || !isDenied(error)) return [trouble(`${check} writing`, error)];
    return [{ check: `${check} writing`, ok: true, detail: 'these credentials may not write there: it is only read' }];
  }
  const after = Date.now();
  const second = await bucket.put(probe, probeBytes, 'absent');
  const written = await bucket.head(probe);
  const isConditional = second === 'exists';
  const checks: DoctorCheck[] = [
    isConditional
      ? { check: `${check} writing`, ok: true, detail: 'it can be written, and what is there is not replaced' }
      : {
          check: `${check} writing`,
          ok: false,
          detail: 'the server replaces what is there though it was told not to (If-None-Match)',
          hint: 'Two builds at once could overwrite each other: use a server that knows conditional writes.',
        },
    ...(written ? [checkClock(`${check} clock`, [before, after], written.modified)] : []),
  ];
  return [...checks, ...(await removed(check, bucket, probe))];
}

/** Who may write need not be allowed to remove: then the probe stays, and it is said where. */
async function removed(check: string, bucket: Bucket, probe: string): Promise<DoctorCheck[]> {
  try {
    await bucket.remove([probe]);
    return [];
  } catch (error) {
    const detail = `it can not be removed from: ${probe} stays (${messageOf(error)})`;
    return isDenied(error) ? [{ check: `${check} removing`, ok: true, detail }] : [trouble(`${check} removing`, error)];
  }
}

/** A build that is not main's must not be able to write what main reads, whatever it is told to write. */
async function checkIsolation(bucket: Bucket, scope: string): Promise<DoctorCheck> {
  const check = 'cache trust';
  const probe = `${scopePrefix(mainScope)}${probeName}`;
  try {
    await bucket.put(probe, probeBytes, 'any');
  } catch (error) {
    if (!isDenied(error)) return trouble(check, error);
    return { check, ok: true, detail: `the scope is ${scope}; what ${mainScope} reads can not be written with these credentials` };
  }
  const left = (await removed('cache', bucket, probe)).map(({ detail }) => ` ${detail}.`).join('');
  return {
    check,
    ok: false,
    detail: `THE SCOPE IS ${scope}, BUT THESE CREDENTIALS CAN WRITE WHAT ${mainScope} READS.${left}`,
    hint: `Whoever changes the code of this job can give every build of ${mainScope} other data. Let its role write below ${scopePrefix(scope)} only, or list the keys that are believed (cache.signing.accept).`,
  };
}

function checkScope({ env }: DoctorRequest, config: Config): DoctorCheck {
  const { scope } = trustOf({ config, env });
  const keys = config.cache?.signing?.accept?.length;
  const signed =
    keys === undefined ? '' : `; only what is signed by ${keys === 1 ? 'a listed key' : `one of ${keys} listed keys`} is believed`;
  const check = 'cache scope';
  if (scope !== mainScope || !env['GITHUB_BASE_REF']) return { check, ok: true, detail: `${scope}${signed}` };
  const hint = 'Set DSBUILD_SCOPE in the workflow, such as pr-17: `dsbuild init --ci github` writes one that does.';
  return { check, ok: false, detail: `this is the job of a pull request, and it writes to ${mainScope}`, hint };
}

/** Whether what is built here will be believed elsewhere. `mayWrite`: else builds upload nothing. */
function checkSigning({ env }: DoctorRequest, config: Config): { checks: DoctorCheck[]; mayWrite: boolean } {
  const check = 'cache signing';
  try {
    const { signer, unsigned } = signerFor({ config, env }, trustOf({ config, env }));
    if (signer) return { checks: [{ check, ok: true, detail: `what builds upload is signed by ${signer.publicKey}` }], mayWrite: true };
    if (!unsigned) return { checks: [], mayWrite: true };
    const { message, hint } = unsigned;
    const detail = `builds read what is signed, and upload nothing: ${message}`;
    return { checks: [{ check, ok: true, detail, ...(hint !== undefined && { hint }) }], mayWrite: false };
  } catch (error) {
    return { checks: [failed(check, error)], mayWrite: false };
  }
}

async function checkCache(settings: RemoteSettings, request: DoctorRequest, config: Config): Promise<DoctorCheck[]> {
  const { readOnly, ...at } = settings;
  const place: Place = { check: 'cache', ...at };
  const signing = checkSigning(request, config);
  const trustChecks = [checkScope(request, config), ...signing.checks];
  if (!request.online) return [notAsked(place), ...trustChecks];
  const { scope } = trustOf({ config, env: request.env });
  const bucket = await bucketAt(place, request);
  try {
    const reading = await checkReading(place, bucket, scopePrefix(mainScope));
    if (!reading.ok) return [reading, ...trustChecks];
    const whyNot = readOnly
      ? 'switched off by cache.readOnly'
      : signing.mayWrite
        ? undefined
        : 'nothing is uploaded without the key that signs';
    const writing: DoctorCheck[] = whyNot
      ? [{ check: 'cache writing', ok: true, detail: whyNot }]
      : await checkWriting('cache', bucket, { folder: scopePrefix(scope), isNeeded: false });
    return [reading, ...writing, ...trustChecks, ...(scope === mainScope ? [] : [await checkIsolation(bucket, scope)])];
  } finally {
    bucket.close();
  }
}

/** Sources on S3, each folder and server once. */
function sourcePlaces({ targets }: Graph): Place[] {
  const places = new Map<string, Place>();
  for (const { pattern, endpoint, region } of targets.flatMap(declaredSources)) {
    if (!/^s3:\/\//i.test(pattern)) continue;
    // The folder of a key, or the one that holds the first wildcard.
    const address = pattern.replace(/[*?{].*$/s, '').replace(/[^/]*$/, '');
    places.set(`${address}\n${endpoint}`, { check: 'source', address, pattern, endpoint, region });
  }
  return [...places.values()];
}

/** Where builds publish: the server of the environment, whatever that of the cache is. */
const outPlaces = ({ targets }: Graph): Place[] =>
  [...new Set(targets.flatMap(({ out }) => (out?.startsWith('s3://') ? [out] : [])))].map((address) => ({ check: 'out', address }));

async function checkPlace(place: Place, request: DoctorRequest): Promise<DoctorCheck[]> {
  if (place.pattern !== undefined) assertObjectAddress(place.pattern);
  if (!request.online) return [notAsked(place)];
  const bucket = await bucketAt(place, request);
  try {
    const reading = await checkReading(place, bucket, '');
    if (!reading.ok || place.check !== 'out') return [reading];
    return [reading, ...(await checkWriting(place.check, bucket, { folder: '', isNeeded: true }))];
  } finally {
    bucket.close();
  }
}

/** Everything on S3 that the config names: the shared cache, sources, folders that are published into. */
export async function checkS3(config: Config, graph: Graph, request: DoctorRequest): Promise<DoctorCheck[]> {
  const checks: DoctorCheck[] = [];
  try {
    const settings = remoteSettings({ config, env: request.env }, {});
    if (settings) checks.push(...(await checkCache(settings, request, config)));
  } catch (error) {
    checks.push(failed('cache', error));
  }
  for (const place of [...sourcePlaces(graph), ...outPlaces(graph)]) {
    try {
      checks.push(...(await checkPlace(place, request)));
    } catch (error) {
      checks.push(failed(place.check, error));
    }
  }
  return checks;
}
