// time limit: 600 s
/**
 * The invariant with a shared cache: a checkout that takes what others have built gives what a clean build gives, and nothing that was built
 * once is built again. `SEED=7 RUNS=50` tries other scripts of edits.
 */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { startS3 } from '../services/s3.ts';
import { applyEdit, type Edit, script } from './invariant-edits.ts';
import { firstState, layOut, newProject, outs, type State } from './invariant-project.ts';
import { TestBucket } from './remote-rig.ts';
import type { Built, Rig } from './rig.ts';

const service = await startS3();
if (service) {
  const test = suite('invariant of a remote');
  const bucket = await TestBucket.create(service, 'cache');
  const { env } = bucket;
  const seed = Number(process.env['SEED'] ?? 20);
  const runs = Number(process.env['RUNS'] ?? 3);

  const seen = (rig: Rig, { summary, errors }: Built): object =>
    summary.ok ? { errors, ...Object.fromEntries(outs.map((out) => [out, rig.tree(out)])) } : { errors };

  async function buildAnew(state: State, given: Readonly<Record<string, string>>): Promise<{ built: Built; left: object }> {
    const rig = newProject(state);
    const built = await rig.build({ params: state.params, env: given });
    const left = seen(rig, built);
    rig.remove('.');
    return { built, left };
  }

  /** One folder is edited and built on; after each edit another checkout takes what it needs. */
  async function follow(edits: readonly Edit[], firstSeed: number): Promise<void> {
    await bucket.empty();
    const history: State[] = [firstState(firstSeed)];
    const rig = newProject(history[0] as State);
    await rig.build({ env });
    for (const [i, edit] of edits.slice(0, 5).entries()) {
      const before = history.at(-1) as State;
      const state = applyEdit(edit, history);
      layOut(rig, state, before);
      history.push(state);
      // Either may be the first to build a state.
      const isFirst = edit.seed % 2 === 0;
      if (isFirst) await rig.build({ params: state.params, env });
      const shared = await buildAnew(state, env);
      const clean = await buildAnew(state, {});
      const where = `after edit ${i} (${edit.edit})`;
      assert.equal(shared.left, clean.left, `${where}: other than a clean build`);
      const remote = shared.built.summary.remote;
      assert.equal([remote?.failures, remote?.damaged], [0, 0], where);
      if (!shared.built.summary.ok) continue;
      if (isFirst) assert.equal(shared.built.ran, [], `${where}: all of it was built before`);
      else {
        const own = await rig.build({ params: state.params, env });
        assert.equal([own.ran, seen(rig, own)], [[], clean.left], `${where}: another checkout has built it`);
      }
    }
    rig.remove('.');
  }

  test.after(async () => {
    bucket.close();
    await service.stop();
  });

  test('after any edits a checkout with a shared cache holds what a clean build makes, and what was built once never runs again', async () => {
    await fc.assert(fc.asyncProperty(script, fc.nat({ max: 1000 }), follow), { seed, numRuns: runs, includeErrorInReport: true });
  });

  test.run();
}
