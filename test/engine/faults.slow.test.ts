// time limit: 600 s
/**
 * A call of the file system fails, at any moment of a build: `SEED=7 RUNS=500` tries others. What is told is one of the errors that a user
 * can mend, what is published is old or new, and the next build, on a sound disk, goes on by itself.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { BuildError, explained } from '../../src/base/errors.ts';
import { dice } from '../build/matrix.ts';
import { type Fault, type FaultCode, withFault } from './faults.ts';
import type { Rig } from './rig.ts';
import { edit, publishedIn, smallProject } from './small-project.ts';

const seed = Number(process.env['SEED'] ?? 7);
const runs = Number(process.env['RUNS'] ?? 24);
/** Rounds after which both projects begin from nothing. */
const roundsMax = 8;
/** A build makes about so many calls that can fail. */
const callsMax = 900;

const test = suite('a disk that fails');

interface Seen {
  readonly ok: boolean;
  readonly errors: readonly { readonly code: string; readonly message: string }[];
}

/** How a build on a failing disk ended, as the command line tells it. */
async function outcomeOf(rig: Rig): Promise<Seen> {
  try {
    const { summary, events } = await rig.build();
    return { ok: summary.ok, errors: events.flatMap((event) => (event.type === 'target-failed' ? [event.error] : [])) };
  } catch (thrown) {
    const error = explained(thrown);
    if (!(error instanceof BuildError)) throw thrown;
    return { ok: false, errors: [error] };
  }
}

/** Two projects that are edited alike; the disk of one fails. */
class Pair {
  readonly faulty = smallProject();
  readonly sound = smallProject();

  async edit(round: number): Promise<void> {
    for (const rig of [this.faulty, this.sound]) edit(rig, round);
    assert.ok((await this.sound.build()).summary.ok);
  }

  async fails(fault: Fault): Promise<string> {
    const [before, after] = [publishedIn(this.faulty), publishedIn(this.sound)];
    const { value, struck } = await withFault(fault, () => outcomeOf(this.faulty));
    const what = `${fault.code} ${fault.lasting ? 'from' : 'at'} ${struck[0] ?? 'nothing'}`;
    assert.is(value.errors.find(({ code }) => code === 'bug')?.message, undefined, what);
    assert.ok(value.ok || value.errors.length > 0, `${what}: it failed and says nothing`);
    if (value.ok) assert.equal(publishedIn(this.faulty), after, what);
    for (const [name, digest] of Object.entries(publishedIn(this.faulty))) {
      if (/\/\.[^/]*\.tmp$/.test(name)) continue;
      assert.ok([before[name], after[name]].includes(digest), `${what}: ${name} is neither as before nor as after`);
    }
    return what;
  }

  async goesOn(what: string): Promise<void> {
    const next = await outcomeOf(this.faulty);
    assert.equal(next.errors, [], `the build after ${what}`);
    assert.equal(publishedIn(this.faulty), publishedIn(this.sound), `the build after ${what}`);
    assert.equal((await this.faulty.build()).ran, [], `the second build after ${what}`);
  }
}

const codes: readonly FaultCode[] = ['EIO', 'EACCES', 'ENOSPC', 'EROFS', 'EMFILE'];

for (const [i, code] of codes.entries()) {
  test(`whatever call gives ${code}, the build tells it or does without, publishes nothing half, and the next one goes on`, async () => {
    const roll = dice(seed + i);
    let pair = new Pair();
    let failed = 0;
    for (let run = 0; run < runs; run++) {
      const round = run % roundsMax;
      if (round === 0) pair = new Pair();
      // The second half of the projects is built before anything fails.
      if (round === 0 && run % (2 * roundsMax) !== 0) assert.ok((await pair.faulty.build()).summary.ok);
      await pair.edit(round);
      const fault = { code, at: roll(roll(2) === 0 ? callsMax / 6 : callsMax), lasting: roll(2) === 0, below: pair.faulty.root };
      const what = await pair.fails(fault);
      if (!what.endsWith('nothing')) failed++;
      await pair.goesOn(what);
    }
    assert.ok(failed > runs / 3, `only ${failed} of ${runs} builds met the fault`);
  });
}

test.run();
