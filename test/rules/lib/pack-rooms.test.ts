import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RoomIndex } from '../../../rules/lib/pack-rooms.ts';

const test = suite('rooms of rows');

/** Rooms of every size up to the largest, most of them near the borders of words and of words of words. */
const roomsUpTo = (roomMax: number): fc.Arbitrary<number> =>
  fc.oneof(
    fc.integer({ min: 1, max: roomMax }),
    fc
      .constantFrom(1, 31, 32, 33, 1023, 1024, 1025, 32_767, 32_768, 32_769, roomMax - 1, roomMax)
      .filter((room) => room >= 1 && room <= roomMax),
  );

const scripts = fc
  .constantFrom(1, 31, 32, 40, 1024, 40_000, 1 << 20)
  .chain((roomMax) =>
    fc.record({ roomMax: fc.constant(roomMax), asked: fc.array(fc.tuple(fc.boolean(), roomsUpTo(roomMax)), { maxLength: 80 }) }),
  );

test('the least room that is large enough is found, and its row that came last', () => {
  fc.assert(
    fc.property(scripts, ({ roomMax, asked }) => {
      const index = new RoomIndex(roomMax, asked.length);
      let held: { room: number; row: number }[] = [];
      for (const [row, [adds, size]] of asked.entries()) {
        if (adds) {
          index.add(size, row);
          held.push({ room: size, row });
          continue;
        }
        const least = Math.min(...held.filter(({ room }) => room >= size).map(({ room }) => room));
        const found = index.leastFrom(size);
        assert.is(found, Number.isFinite(least) ? least : -1);
        if (found < 0) continue;
        const newest = held.findLast(({ room }) => room === found);
        assert.is(index.take(found), newest?.row);
        held = held.filter((one) => one !== newest);
      }
    }),
    { numRuns: 300 },
  );
});

test.run();
