import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { BuildError } from '../../src/base/errors.ts';
import { Pause } from '../../src/execute/pausing.ts';
import { StepRun } from '../../src/execute/step-run.ts';
import { ask, external, Hands, part, Stage, settled } from './hands.ts';

const test = suite('scheduler');

const names = (count: number, prefix = ''): string[] => Array.from({ length: count }, (_, i) => `${prefix}${i}`);
const small = [part('small', 10)];

test('steps start in the order in which they were asked for, as many at once as there are jobs', async () => {
  const { hands, ...stage } = parts(new Stage({ jobs: 2 }));
  const { error } = stage.plan((build) => names(5).forEach((name) => void ask(build, name)));
  await settled();
  assert.equal(hands.running, ['0', '1']);
  await hands.end('1');
  assert.equal(hands.running, ['0', '2']);
  for (const name of ['0', '2', '3', '4']) await hands.end(name);
  assert.equal(hands.started, names(5));
  assert.is(await error, undefined);
});

test('of small steps sixteen share a job, and a large one waits until there is room for it', async () => {
  const { hands, ...stage } = parts(new Stage({ jobs: 1 }));
  stage.plan((build) => {
    for (const name of names(17, 's')) void ask(build, name, small);
    void ask(build, 'large');
    void ask(build, 'last', small);
  });
  await settled();
  assert.equal(hands.running, names(16, 's'));
  for (const name of names(16, 's')) await hands.end(name);
  assert.equal(hands.running, ['s16'], 'a large step does not start beside a small one, and what was asked for later does not pass it');
  await hands.end('s16');
  assert.equal(hands.running, ['large']);
  await hands.end('large');
  assert.equal(hands.running, ['last']);
});

test('while it is paused nothing new starts, what runs ends, and afterwards all goes on in order', async () => {
  const pausing = new Pause();
  const { hands, ...stage } = parts(new Stage({ jobs: 2, pausing }));
  const { error } = stage.plan((build) => {
    for (const name of names(4)) void ask(build, name);
    build.step(external, { parts: [] }, { name: 'outside' });
  });
  await settled();
  assert.equal(hands.running, ['0', '1', 'outside']);
  pausing.toggle();
  stage.plan((build) => void build.step(external, { parts: [] }, { name: 'later' }));
  for (const name of ['1', '0', 'outside']) await hands.end(name);
  assert.equal(hands.running, []);
  pausing.toggle();
  assert.equal(hands.running, ['later', '2', '3']);
  for (const name of ['3', '2', 'later']) await hands.end(name);
  assert.is(await error, undefined);
});

test('a build that is stopped while it is paused ends', async () => {
  const pausing = new Pause();
  pausing.toggle();
  const { hands, scheduler, ...stage } = parts(new Stage({ jobs: 2, pausing }));
  const { error } = stage.plan(async (build) => void (await ask(build, 'a')));
  await settled();
  const reason = new BuildError('interrupted', { message: 'stopped' });
  scheduler.stop(reason);
  await scheduler.idle();
  pausing.toggle();
  assert.equal(hands.started, []);
  assert.is(await error, reason);
});

test('steps that reach outside take no job, and at most eight run at once', async () => {
  const { hands, ...stage } = parts(new Stage({ jobs: 1 }));
  stage.plan((build) => {
    void ask(build, 'local');
    for (const name of names(9, 'x')) build.step(external, { parts: [] }, { name });
  });
  await settled();
  assert.equal(hands.running.length, 9);
  assert.not.ok(hands.running.includes('x8'));
  await hands.end('x3');
  assert.ok(hands.running.includes('x8'));
});

test('a step starts when all that it reads is made', async () => {
  const { hands, ...stage } = parts(new Stage({ jobs: 4 }));
  stage.plan((build) => {
    const [a, b] = [ask(build, 'a'), ask(build, 'b')];
    void ask(build, 'c', [a.part.main, part('x'), b.part.main]);
  });
  await settled();
  await hands.end('b');
  assert.equal(hands.running, ['a']);
  await hands.end('a');
  assert.equal(hands.running, ['c']);
});

test('a known result is taken at once, and what reads it goes on', async () => {
  const { hands, ...stage } = parts(new Stage());
  hands.known.set('a', Hands.made('a'));
  stage.plan((build) => void ask(build, 'b', [ask(build, 'a').part.main]));
  await settled();
  assert.equal([hands.running, hands.ends], [['b'], ['a hit']]);
});

test('steps with equal keys share one run', async () => {
  const { hands, ...stage } = parts(new Stage({ jobs: 9 }));
  const { plan, error } = stage.plan((build) => {
    for (const name of ['one', 'two', 'three']) build.emit(ask(build, name, [part(name)], 'same'));
  });
  await settled();
  assert.equal(hands.started, ['one']);
  await hands.end('one');
  assert.is(await error, undefined);
  assert.equal(hands.ends.sort(), ['one ran', 'three hit', 'two hit']);
  assert.equal(new Set((await plan.outputs['main']?.whole())?.map(({ digest }) => digest)).size, 1);
});

test('steps with equal keys fail together', async () => {
  const { hands, ...stage } = parts(new Stage({ jobs: 9, keepGoing: true }));
  const { plan } = stage.plan((build) => {
    for (const name of ['one', 'two']) void ask(build, name, [part('x')], 'same');
  });
  await settled();
  await hands.fail('one');
  assert.equal(
    plan.steps.map(({ state, error }) => [state, (error as Error).message]),
    [
      ['failed', 'one failed'],
      ['blocked', 'one failed'],
    ],
  );
});

test('after an equal step has failed, another one asked for later runs', async () => {
  const { hands, ...stage } = parts(new Stage({ keepGoing: true }));
  stage.plan(async (build) => {
    await Promise.resolve(ask(build, 'one', [part('x')], 'same')).catch(() => {});
    void ask(build, 'two', [part('x')], 'same');
  });
  await settled();
  await hands.fail('one');
  assert.equal(hands.started, ['one', 'two']);
});

test('a failure stops everything that has not begun', async () => {
  const { hands, ...stage } = parts(new Stage({ jobs: 2 }));
  const { plan, error } = stage.plan((build) => {
    const a = ask(build, 'a');
    void ask(build, 'b');
    void ask(build, 'queued');
    void ask(build, 'after', [a.part.main]);
  });
  await settled();
  await hands.fail('a');
  assert.equal(hands.running, ['b']);
  assert.equal(hands.ends.sort(), ['a failed', 'after blocked', 'queued blocked']);
  await hands.end('b');
  assert.is(await error, undefined);
  assert.equal(hands.started, ['a', 'b']);
  assert.equal(
    plan.steps.map(({ state }) => state),
    ['failed', 'done', 'blocked', 'blocked'],
  );
});

test('with keep-going only what reads from the failed step is left out', async () => {
  const { hands, ...stage } = parts(new Stage({ jobs: 2, keepGoing: true }));
  const { plan } = stage.plan((build) => {
    const [a, b] = [ask(build, 'a'), ask(build, 'b')];
    const after = ask(build, 'after a', [a.part.main]);
    void ask(build, 'after that', [after.part.main, b.part.main]);
    void ask(build, 'after b', [b.part.main]);
  });
  await settled();
  await hands.fail('a');
  await hands.end('b');
  await hands.end('after b');
  assert.equal(
    plan.steps.map(({ state }) => state),
    ['failed', 'done', 'blocked', 'blocked', 'done'],
  );
  assert.is(stage.scheduler.stopped, undefined);
});

for (const code of ['disk-full', 'source-changed']) {
  test(`even with keep-going nothing goes on after ${code}`, async () => {
    const { hands, ...stage } = parts(new Stage({ keepGoing: true }));
    stage.plan((build) => void [ask(build, 'a'), ask(build, 'b')]);
    await settled();
    await hands.fail('a', new BuildError(code, { message: code }));
    assert.equal(hands.started, ['a']);
    assert.is((stage.scheduler.stopped as BuildError).code, code);
  });
}

test('stop() starts nothing new, lets what runs end, and is over when that has ended', async () => {
  const { hands, ...stage } = parts(new Stage({ jobs: 1 }));
  const reason = new Error('stopped by hand');
  let idle = false;
  let toldToGoOn = (): void => {};
  const goOn = new Promise<void>((resolve) => {
    toldToGoOn = resolve;
  });
  const { plan, error } = stage.plan(async (build) => {
    void ask(build, 'a');
    void ask(build, 'b');
    build.step(external, { parts: [] }, { name: 'x' });
    await goOn;
    void ask(build, 'too late');
  });
  await settled();
  stage.scheduler.stop(reason);
  stage.scheduler.stop(new Error('a second reason changes nothing'));
  void stage.scheduler.idle().then(() => {
    idle = true;
  });
  await settled();
  assert.equal([hands.running, idle], [['a', 'x'], false]);
  toldToGoOn();
  await hands.end('x');
  await hands.end('a');
  await settled();
  assert.is(idle, true);
  assert.equal([await error, stage.scheduler.stopped], [reason, reason]);
  assert.equal(
    plan.steps.map(({ state }) => state),
    ['done', 'blocked', 'done'],
  );
});

test('a step waits for its bytes without holding a job', async () => {
  const { hands, ...stage } = parts(new Stage({ jobs: 1 }));
  let brought = (): void => {};
  hands.bringing.set(
    'a',
    new Promise((resolve) => {
      brought = resolve;
    }),
  );
  stage.plan((build) => void [ask(build, 'a'), ask(build, 'b')]);
  await settled();
  assert.equal(hands.running, ['b']);
  brought();
  await settled();
  await hands.end('b');
  assert.equal(hands.running, ['a']);
});

test('a step whose bytes can not be brought has failed', async () => {
  const { hands, ...stage } = parts(new Stage());
  hands.bringing.set('a', Promise.reject(new Error('gone')));
  const { plan } = stage.plan((build) => void ask(build, 'a'));
  await settled();
  assert.equal([plan.steps[0]?.state, (plan.steps[0]?.error as Error | undefined)?.message, hands.started], ['failed', 'gone', []]);
});

test('a forced step runs although its result is known', async () => {
  const { hands, ...stage } = parts(new Stage());
  hands.known.set('a', Hands.made('a'));
  const { plan } = stage.plan((build) => void ask(build, 'a'));
  await settled();
  assert.equal(hands.started, []);
  const { definition, inputs, params } = plan.steps[0] as StepRun;
  stage.scheduler.force(new StepRun(definition, inputs, params));
  await settled();
  assert.equal(hands.running, ['a']);
});

test('in a dry run no step runs, and of what is not known nothing behind it is', async () => {
  const { hands, ...stage } = parts(new Stage({ dryRun: true }));
  hands.known.set('hit', Hands.made('hit'));
  const { plan, error } = stage.plan((build) => {
    const hit = ask(build, 'hit');
    const unknown = ask(build, 'unknown', [hit.part.main]);
    void ask(build, 'behind', [unknown.part.main]);
  });
  assert.is(await error, undefined);
  assert.equal(hands.started, []);
  assert.equal(
    plan.steps.map(({ state }) => state),
    ['done', 'unknown', 'unknown'],
  );
  assert.equal(hands.ends.sort(), ['behind unknown', 'hit hit', 'unknown unknown']);
});

test('a plan that waits for what no step makes is noticed, one that waits for others is not', async () => {
  const { scheduler, plan } = parts(new Stage());
  let release = (): void => {};
  const work = scheduler.holding(
    new Promise<void>((resolve) => {
      release = resolve;
    }),
  );
  let stuck = 0;
  const ended = new Promise<void>((resolve) => {
    const unwatch = scheduler.watchForStuckPlans(() => {
      stuck++;
      unwatch();
      resolve();
    });
  });
  plan(() => new Promise(() => {}));
  await settled();
  assert.is(stuck, 0);
  release();
  await work;
  await ended;
  assert.is(stuck, 1);
});

/** A stage in pieces whose methods stay bound to it. */
function parts(stage: Stage): { hands: Hands; scheduler: Stage['scheduler']; plan: Stage['plan'] } {
  return { hands: stage.hands, scheduler: stage.scheduler, plan: (run, output) => stage.plan(run, output) };
}

test.run();
