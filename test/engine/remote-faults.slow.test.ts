// time limit: 600 s
/**
 * Whatever a remote does, builds end well and give the bytes of a clean build. `SEED=7 RUNS=500` tries other faults; the seed of a build is
 * in the message when it fails.
 */
import { gzipSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Fault, startFaults } from '../services/faults.ts';
import { startS3 } from '../services/s3.ts';
import { numbers } from '../source/files.ts';
import { checkOut, lines, publishedIn, type Sources, TestBucket } from './remote-rig.ts';

const service = await startS3();
if (service) {
  const test = suite('faults of a remote');
  const proxy = await startFaults(service.endpoint);
  const bucket = await TestBucket.create(service, 'cache');
  const env = { ...bucket.env, AWS_ENDPOINT_URL: proxy.endpoint };
  const seed = Number(process.env['SEED'] ?? 1);
  const faultsMin = Number(process.env['RUNS'] ?? 1000);
  const impatient = 'timeoutSeconds: 0.25';

  const states: Sources[] = [0, 1, 2, 3].map((state) => ({
    big: lines(900, 1).replace(/"text":"/g, (found, at: number) => (at % 4999 < 40 * state ? `${found}${state} ` : found)),
    packed: gzipSync(lines(150, 2)),
  }));

  /** Each kind of what may go wrong with one request. */
  const kinds: ((next: () => number) => Fault)[] = [
    (next) => ({ do: 'answer', status: next() % 2 ? 403 : 401, code: 'AccessDenied' }),
    () => ({ do: 'answer', status: 404, code: 'NoSuchKey' }),
    (next) => ({ do: 'answer', status: [429, 503][next() % 2] as number, code: 'SlowDown' }),
    (next) => ({ do: 'answer', status: [500, 502, 400, 507][next() % 4] as number }),
    () => ({ do: 'answer', status: 200 }),
    () => ({ do: 'answer', status: 412, code: 'PreconditionFailed' }),
    () => ({ do: 'refuse' }),
    () => ({ do: 'lose-answer' }),
    (next) => ({ do: 'cut', bytes: next() % 3000 }),
    (next) => ({ do: 'flip', at: next() }),
    (next) => ({ do: 'flip', at: next() % 300 }),
    (next) => ({ do: 'shorten', bytes: 1 + (next() % 2000) }),
    (next) => ({ do: 'lie', headers: { etag: '"other"', 'content-length': String(next() % 500) } }),
    (next) => (next() % 4 ? { do: 'flip', at: next() } : next() % 2 ? { do: 'black-hole' } : { do: 'stall', bytes: next() % 3000 }),
  ];

  /** Objects that vanish, are cut, or hold what others hold. */
  async function ruin(next: () => number): Promise<number> {
    const names = await bucket.names();
    const some = names.filter(() => next() % 6 === 0);
    const donors = names.filter((name) => !some.includes(name));
    for (const name of some) {
      const way = next() % 4;
      const bytes = await bucket.get(way === 3 && donors.length > 0 ? (donors[next() % donors.length] as string) : name);
      if (way === 0) await bucket.remove([name]);
      else if (way === 1) await bucket.put(name, bytes.subarray(0, next() % (bytes.length + 1)));
      else if (way === 2) await bucket.put(name, bytes.fill(next(), next() % (bytes.length + 1), next() % (bytes.length + 1)));
      else await bucket.put(name, bytes);
    }
    return some.length;
  }

  test.after(async () => {
    bucket.close();
    await proxy.close();
    await service.stop();
  });

  test('a thousand faults of all kinds give no wrong byte and fail no build', async () => {
    const expected: unknown[] = [];
    for (const state of states) {
      const rig = checkOut(state);
      assert.is((await rig.build()).summary.ok, true);
      expected.push(publishedIn(rig));
      rig.remove('.');
    }
    let [faults, builds, hits, ran] = [0, 0, 0, 0];
    for (let run = 0; faults < faultsMin; run++) {
      const next = numbers(seed * 10_000 + run);
      if (run % 12 === 0) await bucket.empty();
      else if (next() % 3 === 0) faults += await ruin(next);
      const share = [2, 5, 20][next() % 3] as number;
      proxy.decide = () => {
        if (next() % share > 0) return undefined;
        faults++;
        return (kinds[next() % kinds.length] as (typeof kinds)[number])(next);
      };
      const state = next() % states.length;
      const rig = checkOut(states[state] as Sources, impatient);
      const { summary, errors, ran: steps } = await rig.build({ env });
      assert.equal([summary.ok, errors], [true, []], `build ${run} of seed ${seed}`);
      assert.equal(publishedIn(rig), expected[state], `build ${run} of seed ${seed}`);
      rig.remove('.');
      builds++;
      hits += summary.remote?.hits ?? 0;
      ran += steps.length;
    }
    // Else it would show nothing: the remote was of use in between.
    assert.ok(hits > builds, `${hits} hits in ${builds} builds`);
    assert.ok(ran > 0);
    if (process.env['FIGURES']) console.log(`${faults} faults, ${builds} builds, ${hits} hits, ${ran} steps`);
  });

  test.run();
}
