/** What is on record of earlier runs may be damaged in any way: who reads it passes over what is no record, and tells the rest. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { dice, matrixProject } from './matrix.ts';

const test = suite('damaged records of runs');

const odd = [null, [], {}, -1, 'x', true, '__proto__'];
type Dice = (below: number) => number;

/** The JSON with one of its values, at any depth, taken out or replaced by one of another type. */
function spoiled(value: unknown, roll: Dice): unknown {
  const keys = typeof value === 'object' && value !== null ? Object.keys(value) : [];
  if (keys.length === 0 || roll(4) === 0) return odd[roll(odd.length)];
  const key = keys[roll(keys.length)] as string;
  const copy = structuredClone(value) as Record<string, unknown>;
  if (roll(3) === 0) delete copy[key];
  else copy[key] = spoiled(copy[key], roll);
  return copy;
}

const damages: Readonly<Record<string, (text: string, roll: Dice) => string>> = {
  'values of another kind': (text, roll) =>
    text.replace(/^.+$/gm, (line) => (roll(2) === 0 || !line.startsWith('{"') ? line : JSON.stringify(spoiled(JSON.parse(line), roll)))),
  'bytes of anything': (text, roll) => text.replace(/["{}:,]/g, (mark) => (roll(20) === 0 ? String.fromCharCode(roll(128)) : mark)),
  'its end cut off': (text, roll) => text.slice(0, roll(text.length)),
};

const commands = ['logs', 'logs --failed', 'logs --steps --json', 'logs --runs', 'profile', 'diff', 'status', 'build --plain'];

for (const [what, damage] of Object.entries(damages)) {
  test(`${what}: no command that reads them fails for it`, async () => {
    const project = matrixProject(2);
    try {
      assert.is((await project.build()).code, 0);
      project.edit('in/s01.jsonl', (text) => text.replace('"text":"', '"text":"edited '));
      assert.is((await project.build()).code, 0);
      const whole = new Map(project.list('.dsbuild/runs').map((name) => [name, project.read(name)]));
      const roll = dice(31);
      for (let round = 0; round < 3; round++) {
        for (const [name, text] of whole) {
          const given = name.endsWith('summary.json') ? JSON.stringify(JSON.parse(text)) : text;
          project.write(name, damage(given, roll));
        }
        for (const command of round === 0 ? commands : commands.slice(0, 6)) {
          const { code, text } = await project.say(...command.split(' '));
          assert.ok([0, 1, 2].includes(code as number), `${command}: ${code}`);
          assert.not.ok(/this is a bug|"code":"bug"| {4}at .*\.js:\d+/.test(text), `${command}: ${text.slice(-1500)}`);
        }
      }
    } finally {
      project.end();
    }
  });
}

test.run();
