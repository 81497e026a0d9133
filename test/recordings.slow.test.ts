// time limit: 180 s
import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { record, recorded, stable } from './recordings.ts';

const test = suite('recordings in README');

test('what README shows of the first minutes and of an edit is what is said today, but for times', async () => {
  const { text } = recorded(readFileSync(new URL('../README.md', import.meta.url), 'utf8'));
  assert.fixture(stable(text), stable(await record()), 'npm run record writes it anew');
});

test('other times are no difference, other counts are', () => {
  const slowly = 'a  planning · 10.0 s\na  1 of 3 steps · 1 running · 1.2 KB read · 20.0 s\n';
  const said = `${slowly}a  built · 3 steps ran · 0.62 s\nwaited for a 0.2 s\n2026-11-21T19-05-09-013Z -> now\n`;
  assert.is(stable(said), 'a  built · 3 steps ran · <time>\n<run> -> now\n');
  assert.is(stable('took 1 min 10 s, 40 ms'), 'took <time>, <time>');
  assert.is.not(stable('3 steps'), stable('4 steps'));
});

test.run();
