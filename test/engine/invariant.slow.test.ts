// time limit: 900 s
/**
 * The invariant that all else rests on: build(x), edit, build == clean build of the edited x, byte for byte.
 * `SEED=7 RUNS=500` tries other scripts; on a failure fast-check prints seed and path of the smallest script that it found.
 */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readLastPlan } from '../../src/engine/last-plan.ts';
import { applyEdit, type Edit, script } from './invariant-edits.ts';
import { firstState, layOut, newProject, outs, type State, targets } from './invariant-project.ts';
import type { Built, Rig } from './rig.ts';

const test = suite('invariant');

const seed = Number(process.env['SEED'] ?? 20);
const runs = Number(process.env['RUNS'] ?? 60);

interface Seen {
  readonly ok: boolean;
  readonly errors: readonly string[];
  /** Of all files in all folders, and of the lists of parts of all targets; nothing when the build failed. */
  readonly digests: Readonly<Record<string, unknown>>;
}

function seen(rig: Rig, { summary, errors }: Built): Seen {
  if (!summary.ok) return { ok: false, errors, digests: {} };
  const collections = targets.map((target) => [target, readLastPlan(rig.path('.dsbuild'), target)?.outputs] as const);
  return { ok: true, errors, digests: Object.fromEntries([...outs.map((out) => [out, rig.tree(out)] as const), ...collections]) };
}

/** Rows that some build knew from an earlier version of their chunk: the scripts are to meet them. */
let rowsReused = 0;

/** What each step gave is what it gives in a clean build, side parts included, whatever was known of its rows. */
function compareSteps(built: Built, clean: Built): void {
  for (const { reused } of Object.values(built.summary.targets)) rowsReused += reused?.rows ?? 0;
  const different = [...built.results].filter(([step, result]) => (clean.results.get(step) ?? result) !== result);
  assert.equal(different, [], 'a step gave something else than in a clean build');
}

async function buildClean(state: State): Promise<{ clean: Seen; built: Built }> {
  const rig = newProject(state);
  const built = await rig.build({ params: state.params });
  const clean = seen(rig, built);
  rig.remove('.');
  return { clean, built };
}

/** Names of files and lists that differ: more telling than two trees of digests. */
function differences(a: Seen, b: Seen): string[] {
  const flat = ({ ok, errors, digests }: Seen): Map<string, string> => {
    const entries = Object.entries(digests).flatMap(([name, inner]) =>
      Object.entries((inner ?? {}) as object).map(([key, value]) => [`${name} ${key}`, String(value)] as const),
    );
    return new Map([['ok', String(ok)], ['errors', errors.join()], ...entries]);
  };
  const [left, right] = [flat(a), flat(b)];
  const names = new Set([...left.keys(), ...right.keys()]);
  return [...names].filter((name) => left.get(name) !== right.get(name));
}

/** Builds after each edit; compares with a clean build in the middle and at the end. */
async function follow(edits: readonly Edit[], firstSeed: number): Promise<void> {
  const history: State[] = [firstState(firstSeed)];
  const rig = newProject(history[0] as State);
  await rig.build();
  for (const [i, edit] of edits.entries()) {
    const before = history.at(-1) as State;
    const state = applyEdit(edit, history);
    layOut(rig, state, before);
    history.push(state);
    // Some builds are interrupted first, after a few of their steps: the next one goes on from there.
    if (edit.seed % 3 === 0) await rig.build({ params: state.params, interruptAfter: 1 + (edit.at % 9) });
    const built = await rig.build({ params: state.params });
    const incremental = seen(rig, built);
    if (i !== edits.length - 1 && i !== edits.length >> 1) continue;
    const { clean, built: anew } = await buildClean(state);
    assert.equal(differences(incremental, clean), [], `after edit ${i} (${edit.edit}) other than a clean build`);
    compareSteps(built, anew);
    const again = await rig.build({ params: state.params });
    if (incremental.ok) assert.equal(again.ran, []);
    assert.equal(differences(seen(rig, again), incremental), [], `another build after edit ${i} changed something`);
  }
  rig.remove('.');
}

test('after any edits the outputs are those of a clean build of the same inputs, and building again runs no step', async () => {
  await fc.assert(fc.asyncProperty(script, fc.nat({ max: 1000 }), follow), { seed, numRuns: runs, includeErrorInReport: true });
  assert.ok(rowsReused > 10 * runs, `${rowsReused} rows were known from earlier`);
});

test.run();
