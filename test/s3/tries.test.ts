import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { S3Error } from '../../src/s3/errors.ts';
import { Tries } from '../../src/s3/tries.ts';

const test = suite('tries');

const times = { triesMax: 3, giveUpMs: 60_000, pauseMs: 0, pauseMsMax: 0 };
const passing = new S3Error({ kind: 'network', message: 'cut', again: true });

async function thrownBy(work: Promise<unknown>): Promise<unknown> {
  try {
    await work;
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

test('what may pass is tried again until the tries are used up', async () => {
  const tries = new Tries(times);
  await tries.after(passing);
  await tries.after(passing);
  assert.is(await thrownBy(tries.after(passing)), passing);
});

test('bytes that came in between give the tries back', async () => {
  const tries = new Tries(times);
  for (let i = 0; i < 10; i++) {
    await tries.after(passing);
    tries.moved();
  }
  assert.is(tries.failed, 0);
});

test('what will not pass, and what is no fault of the other side, is thrown at once', async () => {
  for (const error of [new S3Error({ kind: 'denied', message: 'no', again: false }), new Error('ENOSPC')]) {
    assert.is(await thrownBy(new Tries(times).after(error)), error);
  }
});

test('no try begins after the time is over, nor is a pause begun that would end after it', async () => {
  assert.is(await thrownBy(new Tries({ ...times, giveUpMs: -1 }).after(passing)), passing);
  const busy = new S3Error({ kind: 'throttled', message: 'slow down', again: true, pauseMs: 61_000 });
  assert.is(await thrownBy(new Tries(times).after(busy)), busy);
});

test('an abort ends the pause with its reason', async () => {
  const stop = new AbortController();
  const reason = new Error('enough');
  const busy = new S3Error({ kind: 'throttled', message: 'slow down', again: true, pauseMs: 50_000 });
  const waiting = thrownBy(new Tries(times, stop.signal).after(busy));
  stop.abort(reason);
  assert.is(await waiting, reason);
  assert.is(await thrownBy(new Tries(times, stop.signal).after(passing)), reason);
});

test.run();
