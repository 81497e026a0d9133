import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { BuildError } from '../../src/base/errors.ts';
import { limits } from '../../src/base/limits.ts';
import { OutputStream, UpstreamFailed } from '../../src/execute/output-stream.ts';
import { UnknownYet } from '../../src/execute/pending.ts';
import type { PlanRun } from '../../src/execute/plan-run.ts';
import type { Part } from '../../src/rule/part.ts';
import type { Build, Running } from '../../src/rule/rule.ts';
import { ask, Hands, part, Stage, settled, streamOf } from './hands.ts';

const test = suite('plan run');

const named = (parts: readonly Part[] | undefined): string[] =>
  (parts ?? []).map(({ digest }) => Buffer.from(digest, 'hex').toString().replace(/\.+$/, ''));
const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `p${i}`);
const wholeOf = async (plan: PlanRun, output = 'main'): Promise<string[]> => named(await plan.outputs[output]?.whole());
const isCode = (code: string) => (error: unknown) => error instanceof BuildError && error.code === code;

test('what is emitted stands where it was emitted, whatever ends first', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(fc.nat({ max: 999 }), { minLength: 1, maxLength: 8 }), async (priorities) => {
      const stage = onStage(new Stage({ jobs: 99 }));
      const wanted: string[] = [];
      const { plan, error } = stage.plan((build) => {
        for (const [i] of priorities.entries()) {
          build.emit(ask(build, `s${i}`));
          build.emit(part(`p${i}`));
          wanted.push(`s${i}`, `p${i}`);
        }
      });
      await settled();
      const order = priorities.map((_, i) => i).sort((a, b) => (priorities[a] as number) - (priorities[b] as number));
      for (const i of order) await stage.hands.end(`s${i}`);
      assert.is(await error, undefined);
      assert.equal(await wholeOf(plan), wanted);
    }),
    { numRuns: 30 },
  );
});

test('parts can be read as soon as all before them are made', async () => {
  const { hands, plan: planned } = onStage(new Stage({ jobs: 9 }));
  const { plan } = planned((build) => {
    for (const name of ['a', 'b', 'c']) build.emit(ask(build, name));
  });
  const seen: string[] = [];
  const read = (async () => {
    for await (const one of (plan.outputs['main'] as OutputStream).from(0)) seen.push(...named([one]));
  })();
  await settled();
  await hands.end('b');
  assert.equal(seen, []);
  await hands.end('a');
  assert.equal(seen, ['a', 'b']);
  await hands.end('c');
  await read;
  assert.equal(seen, ['a', 'b', 'c']);
});

test('a step may give none or several parts, all at its one place', async () => {
  const { hands, plan: planned } = onStage(new Stage({ jobs: 9 }));
  const { plan } = planned((build) => {
    for (const name of ['none', 'two']) build.emit(ask(build, name));
    build.emit(part('last'));
  });
  await settled();
  await hands.end('two', Hands.made('x', 'y'));
  await hands.end('none', Hands.made());
  assert.equal(await wholeOf(plan), ['x', 'y', 'last']);
});

test('outputs are kept apart; a part takes the group of what its step read unless the plan says otherwise', async () => {
  const { hands, plan: planned } = onStage(new Stage({ jobs: 9 }));
  const { plan } = planned(
    (build) => {
      const both = ask(build, 'both');
      build.emit(both.part.other, { output: 'rejected' });
      build.emit(both.part.main, { output: 'kept', group: 'c/d', name: 'c/d.jsonl' });
      build.emit(both);
    },
    { kept: 'documents', rejected: 'documents' },
  );
  await settled();
  const made = Hands.made('m');
  await hands.end('both', { ...made, parts: [...made.parts, { ...part('o'), output: 'other', group: '' }] });
  const [kept, rejected] = [await plan.outputs['kept']?.whole(), await plan.outputs['rejected']?.whole()];
  assert.equal([named(kept), named(rejected)], [['m', 'm'], ['o']]);
  assert.equal(
    [...(kept ?? []), ...(rejected ?? [])].map(({ group, name }) => [group, name]),
    [
      ['c/d', 'c/d.jsonl'],
      ['a/b', undefined],
      ['a/b', undefined],
    ],
  );
});

test('a plan that awaits a step gets its parts and counters, and may go on from there', async () => {
  const { hands, plan: planned } = onStage(new Stage());
  const { plan, error } = planned(async (build) => {
    const { parts, counters } = await ask(build, 'a');
    build.emit(ask(build, `saw ${counters['rows']}`, parts['main'] ?? []));
  });
  await settled();
  await hands.end('a', { ...Hands.made('a'), counters: { rows: 7 } });
  await hands.end('saw 7');
  assert.is(await error, undefined);
  assert.equal(await wholeOf(plan), ['saw 7']);
});

test('a failed step fails the plan that awaits it, and the stream that it was emitted to', async () => {
  const { hands, plan: planned } = onStage(new Stage({ keepGoing: true }));
  const { plan, error } = planned(async (build) => {
    const a = ask(build, 'a');
    build.emit(a);
    await a;
  });
  await settled();
  await hands.fail('a');
  assert.is(((await error) as Error).message, 'a failed');
  const thrown = await plan.outputs['main']?.whole().catch((one: unknown) => one);
  assert.ok(thrown instanceof UpstreamFailed || (thrown as Error).message === 'a failed');
});

test('all() gives everything at once, byGroup() groups in the order of their first part', async () => {
  const stage = onStage(new Stage());
  const stream = streamOf(['x/1', 'y/1', 'x/1', 'z/1', 'y/1'].map((group, i) => ({ ...part(`p${i}`), group })));
  const found: unknown[] = [];
  const { error } = stage.plan(async (_, plan) => {
    found.push(named(await plan.inputFrom(stream).all()));
    for await (const { group, parts } of plan.inputFrom(stream).byGroup()) found.push([group, named(parts)]);
  });
  assert.is(await error, undefined);
  assert.equal(found, [names(5), ['x/1', ['p0', 'p2']], ['y/1', ['p1', 'p4']], ['z/1', ['p3']]]);
});

test('align() pairs what stands at the same place, and refuses lists of different length', async () => {
  const stage = onStage(new Stage());
  const [left, right] = [streamOf([part('a'), part('b')]), streamOf([part('c'), part('d')])];
  const pairs: string[][] = [];
  const { error } = stage.plan(async (_, plan) => {
    for await (const pair of plan.inputFrom(left).align(plan.inputFrom(right))) pairs.push(named(pair));
  });
  assert.is(await error, undefined);
  assert.equal(pairs, [
    ['a', 'c'],
    ['b', 'd'],
  ]);
  const uneven = stage.plan(async (_, plan) => {
    for await (const _pair of plan.inputFrom(left).align(plan.inputFrom(streamOf([part('c')])))) pairs.push([]);
  });
  assert.ok(isCode('not-aligned')(await uneven.error));
});

test(`a plan reads no further while ${limits.unfinishedStepsMax} of its steps are unfinished`, async () => {
  const { hands, plan: planned } = onStage(new Stage({ jobs: 1 }));
  const input = streamOf(names(limits.unfinishedStepsMax + 10).map((name) => part(name)));
  const { plan } = planned(async (build, run) => {
    let i = 0;
    for await (const one of run.inputFrom(input)) build.emit(ask(build, `s${i++}`, [one]));
  });
  while (plan.steps.length < limits.unfinishedStepsMax) await settled();
  await settled();
  assert.is(plan.steps.length, limits.unfinishedStepsMax);
  await hands.end('s0');
  assert.is(plan.steps.length, limits.unfinishedStepsMax + 1);
  await hands.end('s1');
  await hands.end('s2');
  assert.is(plan.steps.length, limits.unfinishedStepsMax + 3);
});

test('in a dry run a plan is told apart that reads what no step has made yet', async () => {
  const reading = (read: (running: Running<'main' | 'other'>) => unknown) =>
    onStage(new Stage({ dryRun: true })).plan(async (build) => {
      await read(ask(build, 'a'));
    }).error;
  assert.ok((await reading((running) => running)) instanceof UnknownYet);
  assert.ok((await reading(({ part: { main } }) => main.digest)) instanceof UnknownYet);
  assert.ok((await reading(({ part: { main } }) => main.facts)) instanceof UnknownYet);
  assert.is(await reading(({ part: { main } }) => main.group), undefined);
});

test('a pending part that turns out to be none or several is an error that says what to do', async () => {
  const { hands, plan: planned } = onStage(new Stage({ jobs: 9, keepGoing: true }));
  const { plan } = planned((build) => void ask(build, 'b', [ask(build, 'a').part.main]));
  await settled();
  await hands.end('a', Hands.made('x', 'y'));
  assert.equal([hands.started, plan.steps[1]?.state], [['a'], 'failed']);
  assert.ok(isCode('not-one-part')(plan.steps[1]?.error));
});

test('misuse by a plan is an error that names the target', async () => {
  const stage = onStage(new Stage());
  let kept: Build | undefined;
  const errors = [
    stage.plan((build) => build.emit(part('x'), { output: 'nowhere' })),
    stage.plan((build) => build.emit({} as never)),
    stage.plan((build) => build.fail('no-good', { message: 'refused' })),
    stage.plan((build) => {
      kept = build;
    }),
  ];
  assert.ok(isCode('bad-plan')(await errors[0]?.error));
  assert.ok(isCode('bad-plan')(await errors[1]?.error));
  const refused = (await errors[2]?.error) as BuildError | undefined;
  assert.equal([refused?.code, refused?.where], ['no-good', 'target']);
  assert.is(await errors[3]?.error, undefined);
  assert.throws(() => ask(kept as Build, 'late'), isCode('bad-plan'));
  assert.throws(() => kept?.emit(part('late')), isCode('bad-plan'));
});

test('what a plan throws reaches those who read its outputs, after its steps have ended', async () => {
  const { hands, plan: planned } = onStage(new Stage({ keepGoing: true }));
  let over = false;
  const { plan, error } = planned((build) => {
    build.emit(ask(build, 'a'));
    throw new Error('as told');
  });
  void error.then(() => {
    over = true;
  });
  await settled();
  assert.is(over, false);
  await hands.end('a');
  assert.is(((await error) as Error).message, 'as told');
  assert.is(await plan.outputs['main']?.whole().catch((one: Error) => one.message), 'as told');
});

test('a plan that is given up ends those who read from it', async () => {
  const { plan: planned } = onStage(new Stage());
  const { plan } = planned(() => new Promise(() => {}));
  const reading = plan.outputs['main']?.whole().catch((error: unknown) => error);
  plan.abandon(new UpstreamFailed('gone'));
  assert.ok((await reading) instanceof UpstreamFailed);
});

test('a long stream forgets the places that are filled, and loses none', async () => {
  const stream = new OutputStream();
  for (let i = 0; i < 5000; i++) stream.push({ part: part(`p${i}`), origin: part(`p${i}`) });
  stream.close();
  assert.equal(named(await stream.whole()), names(5000));
});

/** A stage in pieces whose methods stay bound to it. */
function onStage(stage: Stage): { hands: Hands; scheduler: Stage['scheduler']; plan: Stage['plan'] } {
  return { hands: stage.hands, scheduler: stage.scheduler, plan: (run, output) => stage.plan(run, output) };
}

test.run();
