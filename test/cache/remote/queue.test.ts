import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Queue } from '../../../src/cache/remote/queue.ts';

const test = suite('queue');

/** Pieces that end when they are told to. */
function pieces() {
  const begun: string[] = [];
  const ends = new Map<string, { end: () => void; fail: (error: Error) => void }>();
  const piece = (name: string) => () =>
    new Promise<void>((end, fail) => {
      begun.push(name);
      ends.set(name, { end, fail });
    });
  return { begun, ends, piece };
}

test('so many pieces run at once, in the order in which they came, but for those that go first', async () => {
  const { begun, ends, piece } = pieces();
  const queue = new Queue(2);
  const all = ['a', 'b', 'c', 'd'].map((name) => queue.add(piece(name)));
  const first = queue.add(piece('first'), { first: true });
  assert.equal(begun, ['a', 'b']);
  ends.get('a')?.end();
  await all[0];
  assert.equal(begun, ['a', 'b', 'first']);
  ends.get('first')?.end();
  await first;
  assert.equal([begun, queue.added, queue.ended], [['a', 'b', 'first', 'c'], 5, 2]);
});

test('a piece that fails has ended like any other', async () => {
  const { begun, ends, piece } = pieces();
  const queue = new Queue(1);
  const [one] = [queue.add(piece('a')), queue.add(piece('b'))];
  ends.get('a')?.fail(new Error('no'));
  await one;
  assert.equal([begun, queue.ended], [['a', 'b'], 1]);
});

test('what waits when a queue is given up is not begun, and nobody waits for it', async () => {
  const { begun, piece } = pieces();
  const queue = new Queue(1);
  void queue.add(piece('a'));
  const waiting = queue.add(piece('b'));
  queue.giveUp();
  await waiting;
  await queue.add(piece('c'));
  assert.equal(begun, ['a']);
});

test.run();
