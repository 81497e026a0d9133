import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RunningSteps } from '../../src/engine/running-steps.ts';

const test = suite('steps that are told to run');

/** What is told of steps, and how many run at the most by that. */
class Told {
  readonly said: string[] = [];
  readonly #running = new Set<number>();
  most = 0;

  readonly begins = (id: number) => (): void => {
    this.said.push(`begins ${id}`);
    this.#running.add(id);
    this.most = Math.max(this.most, this.#running.size);
  };

  readonly ends = (id: number, how: string) => (): void => {
    this.said.push(`${how} ${id}`);
    this.#running.delete(id);
  };
}

/** Of each worker the steps that it runs, message by message; `lots` of their ends come together, which are then kept one after another. */
const workers = fc.array(fc.array(fc.record({ lot: fc.nat(8), fails: fc.array(fc.boolean(), { maxLength: 16 }) }), { maxLength: 6 }), {
  minLength: 1,
  maxLength: 4,
});

test('steps that are told to run are never more than workers, whatever comes together, and each that finishes was told to begin before', () =>
  fc.assert(
    fc.property(workers, fc.infiniteStream(fc.nat(3)), (all, turns) => {
      const running = new RunningSteps(all.length);
      const told = new Told();
      let id = 0;
      const left = all.map((messages) =>
        messages.map(({ lot, fails }) => ({ lot, steps: fails.map((doesFail) => ({ id: id++, doesFail })) })),
      );
      /** One turn of the driver: ends of one worker arrive, the next of its steps begins, and then the ends are told: failures at once. */
      const turn = (at: number): void => {
        const messages = left[at] ?? [];
        const message = messages[0];
        if (!message) return;
        const lot = message.steps.splice(0, message.lot + 1);
        for (const [i, { id }] of [...lot.entries()].slice(1)) if (i > 0) running.begins(id, told.begins(id));
        const next = message.steps[0];
        if (next) running.begins(next.id, told.begins(next.id));
        for (const { id, doesFail } of lot) if (doesFail) running.fails(id, told.ends(id, 'fails'));
        for (const { id, doesFail } of lot) if (!doesFail) running.finishes(id, told.ends(id, 'finishes'));
        if (!next) {
          messages.shift();
          const first = messages[0]?.steps[0];
          if (first) running.begins(first.id, told.begins(first.id));
        }
      };
      for (const messages of left) {
        const first = messages[0]?.steps[0];
        if (first) running.begins(first.id, told.begins(first.id));
      }
      for (const at of turns) {
        if (left.every(({ length }) => length === 0)) break;
        turn(at);
      }
      assert.ok(told.most <= all.length, `${told.most} at once`);
      for (const said of told.said.filter((said) => said.startsWith('finishes '))) {
        const begun = told.said.indexOf(said.replace('finishes', 'begins'));
        assert.ok(begun >= 0 && begun < told.said.indexOf(said), said);
      }
      const ended = told.said.filter((said) => !said.startsWith('begins '));
      assert.is(new Set(ended).size, id, 'each end is told once');
    }),
  ));

test('a step that waits for its turn begins behind the end of another, and is forgotten when it fails before', () => {
  const running = new RunningSteps(1);
  const told = new Told();
  for (const id of [1, 2, 3]) running.begins(id, told.begins(id));
  running.fails(2, told.ends(2, 'fails'));
  running.finishes(1, told.ends(1, 'finishes'));
  running.finishes(3, told.ends(3, 'finishes'));
  assert.equal(told.said, ['begins 1', 'fails 2', 'finishes 1', 'begins 3', 'finishes 3']);
});

test.run();
