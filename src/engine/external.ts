import { lstatSync } from 'node:fs';
import { BuildError } from '../base/errors.ts';
import type { JobIo } from '../execute/io.ts';
import type { Job, Made } from '../execute/job.ts';
import type { StepListener } from '../execute/runner.ts';
import type { ExternalIo, StepIo } from '../rule/step.ts';
import type { BuildRun } from './build-run.ts';

/** Adds to a step's io what reaches outside. */
function extended(io: JobIo, run: BuildRun): StepIo {
  const { stateDir, env, signal } = run.project;
  const { lock } = run;
  const digests = new Map<string, string>();
  const more: Pick<ExternalIo, 'fetch' | 'adopt' | 'pin'> = {
    async fetch({ address, endpoint, region, declaredPin, object }) {
      if (run.options.offline) {
        throw new BuildError('offline', {
          message: 'this source was not fetched yet, and --offline is given',
          where: address,
          hint: 'Build once without --offline.',
        });
      }
      const pinned = object ? run.listings.contentOf(address) : lock.get('source', address)?.blake3;
      const { fetchFile } = await import('../source/fetch.ts');
      const fetched = await fetchFile({
        address: run.addresses.get(address) ?? address,
        toDir: `${stateDir}/fetched`,
        signal,
        env,
        onProgress: (done, total) => io.progress(done, total),
        ...(endpoint && { endpoint }),
        ...(region && { region }),
        ...(declaredPin && { declaredPin: declaredPin as `blake3:${string}` }),
        ...(object && { etag: object.etag, version: object.version }),
        ...(pinned && { expect: { blake3: pinned } }),
      });
      digests.set(fetched.path, fetched.blake3);
      if (object) run.listings.note(address, fetched.blake3);
      return fetched;
    },
    adopt(path, output = 'main') {
      const digest = digests.get(path);
      if (!digest) throw new BuildError('bad-output', { message: 'adopt takes a file that fetch gave' });
      io.parts.push({ output, form: 'file', digest, bytes: lstatSync(path).size, facts: {}, file: path });
      return Promise.resolve(digest);
    },
    pin(address, entry) {
      lock.add('source', address, entry);
      // At once: what was fetched must not be fetched again because the build was killed later.
      if (!run.options.locked) lock.save();
    },
  };
  return Object.assign(io, more);
}

/** Runs a step that reaches outside, here on the driver. */
export async function runExternal(run: BuildRun, job: Job, { begins, progress }: Required<StepListener>): Promise<Made> {
  begins();
  const { runJob } = await import('../execute/run-job.ts');
  return runJob(job, { signal: run.project.signal, progress }, (io) => extended(io, run));
}
