import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { digestHex } from '../../src/base/digest.ts';
import { RecordMark } from '../../src/execute/record-mark.ts';
import { RecordWatch, type Stuck } from '../../src/execute/record-watch.ts';

const test = suite('record watch');

const part = digestHex(Buffer.from('part'));
const periodMs = 1000;
const recordMsMax = 60_000;

interface Message {
  readonly name: string;
  readonly mark: RecordMark;
  readonly recordMsMax: number;
}

/** A watch whose clock goes when the test says so. */
class Watching {
  readonly watch = new RecordWatch<Message>();
  found: readonly Stuck<Message>[] = [];
  #nowMs = 1e6;

  message(name = 'm', limitMs = recordMsMax): RecordMark {
    const mark = new RecordMark();
    this.watch.add({ name, mark, recordMsMax: limitMs });
    return mark;
  }

  /** Names of the messages that are found stuck at a look after so long. */
  after(ms: number): string[] {
    this.#nowMs += ms;
    this.found = this.watch.look(this.#nowMs, periodMs);
    return this.found.map(({ message }) => message.name);
  }

  /** How many looks there are until something is found, or undefined. */
  looksUntilFound(looks: number, between: () => void = () => {}): number | undefined {
    for (let look = 1; look <= looks; look++) {
      if (this.after(periodMs).length > 0) return look;
      between();
    }
    return undefined;
  }
}

test('a worker that stays at a record for as long as is allowed is found, with the record', () => {
  const watching = new Watching();
  watching.message().begins(part, 17, 100);
  // The first look only sees what is to be compared with.
  assert.is(watching.looksUntilFound(100), 61);
  assert.equal(
    watching.found.map(({ at, allowedMs }) => [at, allowedMs]),
    [[{ part, record: 17, bytes: 100 }, recordMsMax]],
  );
});

test('a worker that goes on from record to record is never found, however slow it is', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 59 }), { minLength: 5, maxLength: 30 }), (looksPerRecord) => {
      const watching = new Watching();
      const mark = watching.message();
      for (const [record, looks] of looksPerRecord.entries()) {
        mark.begins(part, record, 100);
        assert.is(watching.looksUntilFound(looks), undefined);
      }
    }),
  );
});

test('a step that says how far it is within one record is alive', () => {
  const watching = new Watching();
  const mark = watching.message();
  mark.begins(part, 0, 100);
  assert.is(
    watching.looksUntilFound(1000, () => mark.alive()),
    undefined,
  );
});

test('between records nothing is found: loading a model, merging, writing take as long as they take', () => {
  const watching = new Watching();
  const mark = watching.message();
  assert.is(watching.looksUntilFound(1000), undefined, 'not begun: it waits for a worker');
  mark.starts(1);
  assert.is(watching.looksUntilFound(1000), undefined, 'before its first record');
  mark.begins(part, 0, 100);
  mark.ends();
  assert.is(watching.looksUntilFound(1000), undefined, 'after its last');
  mark.begins(part, 1, 100);
  mark.aside(() => assert.is(watching.looksUntilFound(1000), undefined, 'while it waits for the disk'));
});

test('time in which the computer slept, the program was stopped or this thread was busy counts as one look', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: periodMs, max: 1e9, noNaN: true }), { maxLength: 59 }), (gaps) => {
      const watching = new Watching();
      watching.message().begins(part, 0, 100);
      assert.equal(watching.after(1e9), []);
      for (const gap of gaps) assert.equal(watching.after(gap), []);
    }),
  );
});

test('a large record is allowed as much longer as it is larger than 1 MiB', () => {
  const watching = new Watching();
  watching.message().begins(part, 0, 3 * 1024 * 1024);
  assert.is(watching.looksUntilFound(1000), 181);
});

test('one of several is found, and not again once it is not watched any more', () => {
  const watching = new Watching();
  const marks = ['a', 'b'].map((name) => watching.message(name));
  const other = { name: 'c', mark: new RecordMark(), recordMsMax };
  watching.watch.add(other);
  for (const mark of [...marks, other.mark]) mark.begins(part, 0, 100);
  watching.watch.delete(other);
  const found: string[] = [];
  for (let look = 0; look < 100 && found.length === 0; look++) {
    marks[0]?.alive();
    found.push(...watching.after(periodMs));
  }
  assert.equal(found, ['b']);
});

test('a limit shorter than the time between two looks is found at the second', () => {
  const watching = new Watching();
  watching.message('m', 50).begins(part, 0, 100);
  assert.is(watching.looksUntilFound(10), 2);
});

test.run();
