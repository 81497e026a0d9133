import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Load, Slots } from '../../src/s3/slots.ts';

const test = suite('slots');

const load = fc.record({ requests: fc.integer({ min: 0, max: 2 }), bytes: fc.integer({ min: 0, max: 150 }) });

test('never more is in flight than there is room for, unless one is larger than that and holds all bytes alone; all get their turn', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(load, { maxLength: 40 }), async (loads) => {
      const max: Load = { requests: 3, bytes: 100 };
      const slots = new Slots(max);
      const inFlight = new Set<Load>();
      const sum = (pick: (each: Load) => number): number => [...inFlight].reduce((all, each) => all + pick(each), 0);
      let done = 0;
      await Promise.all(
        loads.map((each, i) =>
          slots.run(each, async () => {
            inFlight.add(each);
            assert.ok(sum(({ requests }) => requests) <= max.requests);
            const holders = [...inFlight].filter(({ bytes }) => bytes > 0);
            assert.ok(holders.length <= 1 || sum(({ bytes }) => bytes) <= max.bytes);
            for (let turns = i % 4; turns > 0; turns--) await Promise.resolve();
            inFlight.delete(each);
            done++;
          }),
        ),
      );
      assert.is(done, loads.length);
    }),
  );
});

test('work that fails leaves its slot', async () => {
  const slots = new Slots({ requests: 1, bytes: 1 });
  const failed = await slots.run({ requests: 1, bytes: 1 }, () => Promise.reject(new Error('no'))).catch((error: Error) => error.message);
  assert.is(failed, 'no');
  assert.is(await slots.run({ requests: 1, bytes: 1 }, async () => 'next'), 'next');
});

test.run();
