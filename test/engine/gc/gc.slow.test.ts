// time limit: 900 s
/**
 * Whatever is collected, and whenever, outputs are those of clean builds. `SEED=7 RUNS=100` tries other scripts; on a failure fast-check
 * prints seed and path of the smallest script that it found.
 */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Digest } from '../../../src/base/digest.ts';
import { takeInventory } from '../../../src/cache/inventory.ts';
import { sweep } from '../../../src/cache/sweep.ts';
import { clean } from '../../../src/engine/clean.ts';
import { collectGarbage } from '../../../src/engine/gc/collect.ts';
import { applyEdit, type Edit, script } from '../invariant-edits.ts';
import { firstState, layOut, newProject, outs, type State } from '../invariant-project.ts';
import type { Built, Rig } from '../rig.ts';

const test = suite('garbage collection at any time');

const seed = Number(process.env['SEED'] ?? 6);
const runs = Number(process.env['RUNS'] ?? 12);

const published = (rig: Rig): readonly unknown[] => outs.map((out) => rig.tree(out));

/** Only what the builds of the project itself leave tells what a clean build gives. */
async function cleanOutput(state: State): Promise<{ ok: boolean; output: readonly unknown[] }> {
  const rig = newProject(state);
  const { summary } = await rig.build({ params: state.params });
  const output = published(rig);
  rig.remove('.');
  return { ok: summary.ok, output };
}

async function assertFresh(rig: Rig, state: State): Promise<void> {
  const { ran, summary } = await rig.build({ params: state.params });
  assert.equal([ran, summary.steps.ran, summary.steps.restored], [[], 0, 0]);
}

const first = firstState(3);
const edited: State = applyEdit({ edit: 'edit', file: 0, at: 5, seed: 99 }, [first]);

/** Digests by what made them: `filter decide main`. */
function byMaker({ results }: Built): Map<string, Set<Digest>> {
  const found = new Map<string, Set<Digest>>();
  for (const [step, result] of results) {
    for (const [output, digest] of (JSON.parse(result) as [[string, Digest][]])[0]) {
      const maker = `${step.split(' ').slice(0, 2).join(' ')} ${output}`;
      found.set(maker, (found.get(maker) ?? new Set()).add(digest));
    }
  }
  return found;
}

test('of whatever step the bytes alone are gone, a build goes on as if they were there', async () => {
  const makers = byMaker(await newProject(first).build());
  assert.ok(makers.size > 12, [...makers.keys()].join());
  const { output } = await cleanOutput(edited);
  for (const [maker, evict] of makers) {
    const rig = newProject(first);
    await rig.build();
    await rig.withProject(async ({ store }) => {
      sweep(store, { inventory: takeInventory(store), evict, youngMs: Number.POSITIVE_INFINITY, goalBytes: 0 });
      for (const digest of evict) assert.is(store.locate(digest), undefined);
    });
    await assertFresh(rig, first);
    layOut(rig, edited, first);
    for (const out of outs.filter((out) => out !== 'data/raw')) rig.remove(out);
    const { summary } = await rig.build();
    assert.ok(summary.ok, maker);
    assert.equal(published(rig), output, maker);
    rig.remove('.');
  }
});

/** What is done to the cache between edits, or while a build runs. */
interface Collection {
  readonly when: 'before' | 'during' | 'after' | 'never';
  readonly how: 'all' | 'half' | 'cap' | 'clean' | 'dryRun';
  readonly times: number;
}

const collections: fc.Arbitrary<Collection[]> = fc.array(
  fc.record({
    when: fc.constantFrom('before', 'during', 'after', 'never'),
    how: fc.constantFrom('all', 'half', 'cap', 'clean', 'dryRun'),
    times: fc.integer({ min: 1, max: 3 }),
  }),
  { minLength: 10, maxLength: 10 },
);

async function collect(rig: Rig, { how, times }: Collection): Promise<void> {
  for (let i = 0; i < times; i++) {
    await rig.withProject(async (project) => {
      if (how === 'clean') await clean(project, { dryRun: false, all: false }).catch(onlyNotBuilt);
      else {
        const maxBytes = how === 'all' ? 0 : how === 'half' ? (project.store.size.read() ?? 0) / 2 : undefined;
        await collectGarbage(project, { dryRun: how === 'dryRun', ...(maxBytes !== undefined && { maxBytes }) });
      }
    });
  }
}

/** A target that can not be planned says nothing of what it needs. */
function onlyNotBuilt(error: unknown): void {
  assert.is((error as { code?: string }).code, 'not-built');
}

/** Builds after each edit, with collections around and inside; compares with a clean build each time that one can be made. */
async function follow(edits: readonly Edit[], plans: readonly Collection[]): Promise<void> {
  const history: State[] = [first];
  const rig = newProject(first);
  await rig.build();
  for (const [i, edit] of edits.entries()) {
    const [before, plan] = [history.at(-1) as State, plans[i % plans.length] as Collection];
    const state = applyEdit(edit, history);
    layOut(rig, state, before);
    history.push(state);
    if (plan.when === 'before') await collect(rig, plan);
    if (edit.seed % 4 === 0) await rig.build({ params: state.params, interruptAfter: 1 + (edit.at % 9) });
    // clean waits for every claim, and would wait for the build.
    const during = plan.when === 'during' && plan.how !== 'clean' ? collect(rig, plan) : undefined;
    const built = await rig.build({ params: state.params });
    await during;
    if (plan.when === 'after') await collect(rig, plan);
    if (i !== edits.length - 1 && i % 3 !== 0) continue;
    const { ok, output } = await cleanOutput(state);
    assert.is(built.summary.ok, ok, `after edit ${i} (${edit.edit})`);
    if (!ok) continue;
    assert.equal(published(rig), output, `after edit ${i} (${edit.edit}) other than a clean build`);
    await assertFresh(rig, state);
  }
  rig.remove('.');
}

test('after any edits and collections, also while a build runs, outputs are those of a clean build, and building again runs no step', () =>
  fc.assert(fc.asyncProperty(script, collections, follow), { seed, numRuns: runs, includeErrorInReport: true }));

test.run();
