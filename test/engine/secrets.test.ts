import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Rig } from './rig.ts';

const config = `import { command, defineConfig, download, secret } from 'dsbuild';
const raw = download({ sources: { 'a/b': 'a.jsonl' } });
const marked = command(raw, { run: ['sh', '-c', 'sed s/name/$KEY/'], version: '1', secrets: { KEY: secret('MY_KEY') }, out: 'out' });
export default defineConfig({ targets: { raw, marked } });
`;

const test = suite('secrets of a program');
const project = (): Rig => {
  const rig = new Rig();
  rig.write({ 'datasets.config.ts': config, 'a.jsonl': '{"id":"1","text":"a name"}\n' });
  return rig;
};

test('a program sees the value under the name that the config gives it', async () => {
  const rig = project();
  const { summary } = await rig.build({ env: { MY_KEY: 'hidden' } });
  assert.ok(summary.ok);
  assert.is(rig.read('out/a/b.jsonl').toString(), '{"id":"1","text":"a hidden"}\n');
});

test('no value is in a key: with another one, or with none, nothing runs again', async () => {
  const rig = project();
  await rig.build({ env: { MY_KEY: 'hidden' } });
  for (const env of [{ MY_KEY: 'other' }, {}]) assert.equal((await rig.build({ env })).ran, []);
});

test('a step that needs a value that the environment does not have fails and names the variable', async () => {
  const { summary, events, errors } = await project().build();
  assert.not.ok(summary.ok);
  assert.equal(errors, ['no-secret']);
  assert.match(JSON.stringify(events), /the environment has no MY_KEY/);
});

test('no event holds the value', async () => {
  const { events } = await project().build({ env: { MY_KEY: 'hidden' } });
  assert.not.match(JSON.stringify(events), /hidden/);
});

test.run();
