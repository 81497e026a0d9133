import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type KnownRow, Recall, RowMemo } from '../../../rules/lib/row-memo.ts';
import { BuildError } from '../../../src/base/errors.ts';
import type { Part } from '../../../src/rule/part.ts';
import type { EarlierRun, StepIo } from '../../../src/rule/step.ts';

const test = suite('row-memo');

const bytesOf = (line: string): Buffer => Buffer.from(line);

/** A memo of lines, by record. */
function memoOf(lines: Iterable<readonly [number, string]>): Buffer {
  const memo = new RowMemo();
  for (const [record, line] of lines) {
    memo.hash(bytesOf(line));
    memo.keep(record);
  }
  return Buffer.from(memo.finish());
}

const numbered = (lines: readonly string[]): (readonly [number, string])[] => lines.map((line, i) => [i, line]);

/** A step's io that has nothing but earlier runs, whose memos have these bytes. */
function ioWith(memos: readonly (Uint8Array | undefined)[]): StepIo {
  const earlier = memos.map((_, i) => ({ memo: [{ digest: String(i) } as Part] }));
  const bytes = ({ digest }: Part): Buffer => {
    const found = memos[Number(digest)];
    if (!found) throw new BuildError('part-mismatch', { message: 'gone' });
    return Buffer.from(found);
  };
  return { earlier, bytes } as unknown as StepIo;
}

const recallOf = (memos: readonly (Uint8Array | undefined)[]): Recall<EarlierRun> | undefined => Recall.of(ioWith(memos), (run) => run);

const ask = (recall: Recall<EarlierRun> | undefined, line: string): KnownRow<EarlierRun> | undefined => {
  const memo = new RowMemo();
  memo.hash(bytesOf(line));
  return recall?.find(memo);
};

/** Where a line is found: place of the earlier run and record there. */
function found(recall: Recall<EarlierRun> | undefined, line: string): readonly [string, number] | undefined {
  const known = ask(recall, line);
  return known && [known.outcomes['memo']?.[0]?.digest ?? '', known.record];
}

const lines = fc.uniqueArray(fc.string(), { maxLength: 60 });

test('every line that was kept is found at its record, in any order, and no other', () => {
  fc.assert(
    fc.property(lines, lines, fc.nat({ max: 3 }), (kept, asked, gap) => {
      const recall = recallOf([memoOf(kept.map((line, i) => [i * (gap + 1), line]))]);
      for (const line of [...kept, ...asked, ...kept.toReversed()]) {
        const at = kept.indexOf(line);
        assert.equal(found(recall, line), at < 0 ? undefined : ['0', at * (gap + 1)]);
      }
    }),
  );
});

test('many lines are found again', () => {
  const many = Array.from({ length: 5000 }, (_, i) => `{"text":"line ${i}"}`);
  const recall = recallOf([memoOf(numbered(many))]);
  assert.ok(many.every((line, i) => found(recall, line)?.[1] === i));
  assert.is(found(recall, '{"text":"line 5000"}'), undefined);
});

test('the nearest run that knows a line is the one that is used', () => {
  const recall = recallOf([memoOf(numbered(['a', 'b'])), memoOf(numbered(['c', 'b', 'd']))]);
  assert.equal(found(recall, 'b'), ['0', 1]);
  assert.equal(found(recall, 'd'), ['1', 2]);
});

test('a line that was hashed and not kept is not in the memo', () => {
  const memo = new RowMemo();
  for (const line of ['a', 'bad', 'b']) {
    memo.hash(bytesOf(line));
    if (line !== 'bad') memo.keep(0);
  }
  assert.is(memo.finish().length, (8 + 2 * 4 + 2) * 4);
});

test('the bytes are pinned: head, the first 16 bytes of SHA-256 of each line, numbers only where they are not 0, 1, 2', () => {
  const sha = (line: string): Buffer => createHash('sha256').update(line).digest().subarray(0, 16);
  const words = (...given: number[]): Buffer => Buffer.from(Uint32Array.from(given).buffer);
  const head = (count: number, flag: number, names = 0): Buffer => words(0x4d4d5344, 1, count, flag, names, 0, 0, 0);
  assert.equal(memoOf(numbered(['a', 'ü'])), Buffer.concat([head(2, 0), sha('a'), sha('ü')]));
  assert.equal(memoOf([[3, 'a']]), Buffer.concat([head(1, 1), sha('a'), words(3)]));
  const memo = new RowMemo();
  memo.hash(bytesOf('a'));
  memo.keep(0, { tokens: 5 });
  memo.hash(bytesOf('b'));
  memo.keep(1, { added: 1, tokens: 7 });
  assert.equal(memo.finish(), Buffer.concat([head(2, 0, 5), Buffer.from('["added","tokens"]  '), sha('a'), sha('b'), words(0, 1, 5, 7)]));
});

test('what a record counted is known with it, zeros left out', () => {
  const memo = new RowMemo();
  const counts = Array.from({ length: 3000 }, (_, i) => ({ tokens: i + 1, ...(i % 3 === 0 && { 'dropped:short': i + 2 }) }));
  for (const [i, of] of counts.entries()) {
    memo.hash(bytesOf(`line ${i}`));
    memo.keep(i, of);
  }
  const recall = recallOf([Buffer.from(memo.finish())]);
  for (const [i, of] of counts.entries()) assert.equal(ask(recall, `line ${i}`)?.counts, of);
});

test('a memo that is cut off, longer, of another version, or gone is no memo', () => {
  const whole = memoOf([
    [0, 'a'],
    [2, 'b'],
  ]);
  const changed = (at: number): Buffer => {
    const copy = Buffer.from(whole);
    copy[at] = (copy[at] as number) ^ 1;
    return copy;
  };
  for (let length = 0; length < whole.length; length++) assert.is(recallOf([whole.subarray(0, length)]), undefined);
  for (let at = 0; at < 20; at++) assert.is(recallOf([changed(at)]), undefined);
  assert.is(recallOf([Buffer.concat([whole, whole])]), undefined);
  assert.is(recallOf([undefined]), undefined);
  assert.equal(found(recallOf([undefined, whole]), 'b'), ['1', 2]);
});

test('about one known record in 64 is a sample, and always the same ones', () => {
  const many = Array.from({ length: 6400 }, (_, i) => `line ${i}`);
  const samples = (): string[] => {
    const recall = recallOf([memoOf(numbered(many))]) as Recall<EarlierRun>;
    return many.filter((line) => ask(recall, line)?.isSample);
  };
  const first = samples();
  assert.ok(first.length > 60 && first.length < 140, `${first.length} of 6400`);
  assert.equal(samples(), first);
});

test.run();
