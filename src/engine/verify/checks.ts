import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isRemote } from '../../base/address.ts';
import type { Digest } from '../../base/digest.ts';
import { uniqueName } from '../../base/files.ts';
import { moduleUrl } from '../../base/program.ts';
import { isWhole, readPart } from '../../cache/part-reader.ts';
import type { Location } from '../../cache/store.ts';
import type { Job, Made } from '../../execute/job.ts';
import { PoolRunner } from '../../execute/pool.ts';
import { runJob } from '../../execute/run-job.ts';
import type { Checked, CheckRequest } from '../../rule/check.ts';
import type { Part } from '../../rule/part.ts';
import { type Rule, stackOf } from '../../rule/rule.ts';
import { jobsOf } from '../build-run.ts';
import type { Project } from '../project.ts';
import { type LastResult, partsOf } from './last-results.ts';

/** A file that a rule is to look at, and where it lies. */
export interface FileCheck extends CheckRequest {
  readonly target: string;
  readonly rule: Rule;
  readonly location: Location;
}

/** What rules want to look at of what was last built, as far as its bytes are known to be whole. */
export function checksOf(
  project: Project,
  { target, last, parts }: LastResult,
  wholeFile: (part: Part) => Location | undefined,
): FileCheck[] {
  const { rule, options } = target;
  const files = (parts['main'] ?? []).filter(({ name }) => name !== undefined);
  if (!rule.check || files.length === 0) return [];
  const read = Object.values((last.manifest['inputs'] ?? {}) as Readonly<Record<string, Digest>>);
  const inputs = (): Iterable<Part> => read.flatMap((digest) => partsOf(project, digest) ?? []);
  return [...rule.check.requests({ files, inputs, options })].flatMap((request) => {
    const location =
      wholeFile(request.file) ?? (target.out === undefined || isRemote(target.out) ? fileInStore(project, request.file) : undefined);
    return location ? [{ ...request, target: target.name, rule, location }] : [];
  });
}

/** Of a target that is published nowhere on this machine: small parts lie together in packs, and checks want files. */
function fileInStore({ store, tmpDir }: Project, { digest }: Part): Location | undefined {
  const location = store.locate(digest);
  if (!location || location[0]?.path === store.path(digest)) return location;
  if (!isWhole(digest, location)) return undefined;
  const path = join(tmpDir, uniqueName('verify'));
  const bytes = readPart(digest, location);
  writeFileSync(path, bytes);
  return [{ path, offset: 0, length: bytes.length }];
}

/** Runs checks on workers; those of rules of the user's own here, where their modules are loaded. */
export class Checker {
  readonly #project: Project;
  readonly #runner: PoolRunner;
  #id = 0;

  constructor(project: Project) {
    this.#project = project;
    this.#runner = new PoolRunner(jobsOf(project, { targets: [] }));
  }

  get jobs(): number {
    return this.#runner.jobs;
  }

  async check({ rule, file, params, location }: FileCheck): Promise<Checked> {
    const { tmpDir, settings, recordMsMax, signal } = this.#project;
    const job: Job = {
      id: this.#id++,
      module: moduleUrl(`rules/${rule.name}`),
      rule: rule.name,
      step: rule.check?.step.name ?? '',
      inputs: { file },
      params,
      earlier: [],
      locations: { [file.digest]: location },
      bundles: {},
      secrets: {},
      tmpDir,
      chunkBytes: settings.chunkBytes,
      recordMsMax,
    };
    return checkedIn(await (this.#isOwn(rule) ? runJob(job, { signal, progress: () => undefined }) : this.#runner.run(job, {})));
  }

  close(): Promise<void> {
    return this.#runner.close(true);
  }

  #isOwn(rule: Rule): boolean {
    return this.#project.places.moduleOf(stackOf(rule)) !== undefined;
  }
}

const checkedIn = ({ parts }: Made): Checked => JSON.parse(Buffer.from(parts[0]?.data ?? []).toString('utf8')) as Checked;
