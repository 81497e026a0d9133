import { cpSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { look } from '../../src/engine/look.ts';
import { status } from '../../src/engine/status.ts';
import { why } from '../../src/engine/why.ts';
import { type Built, checkout, Rig } from './rig.ts';

const test = suite('a target as it is shown, and what a build tells of its steps');

const config = `import { command, defineConfig, download, exportDataset, param, secret, tokenize } from 'dsbuild';
const raw = download({ sources: { 'x/a': 'in/a.jsonl' } });
const sent = command(raw, { run: ['cat'], version: param('version', '1'), secrets: { TOKEN: secret('MY_TOKEN') } });
export default defineConfig({
  targets: { raw, sent, tokens: tokenize(sent, { tokenizer: './tokenizer' }), files: exportDataset(sent, { format: 'jsonl', out: 'out/files' }) },
});
`;

function project(): Rig {
  const rig = new Rig();
  cpSync(checkout('fixtures/tokenizers/tiny'), rig.path('tokenizer'), { recursive: true });
  rig.write({ 'datasets.config.ts': config, 'in/a.jsonl': '{"text":"one note"}\n{"text":"and another"}\n' });
  return rig;
}

const env = { MY_TOKEN: 'hidden-value' };

test('it has its options with defaults, the parts of its last build, and its first rows; never the value of a secret', async () => {
  const rig = project();
  await rig.build({ env });
  const [sent, files] = await rig.withProject(async (opened) => [await look(opened, 'sent'), await look(opened, 'files')] as const);
  assert.equal([sent.rule, sent.where, sent.partCount, sent.noRows], ['command', 'datasets.config.ts:3', 1, undefined]);
  assert.equal(
    sent.parts.map(({ name, records }) => [name.split(' ')[0], records]),
    [['x/a', 2]],
  );
  assert.equal(
    sent.rows.map((row) => (JSON.parse(row) as { text: string }).text),
    ['one note', 'and another'],
  );
  const options = Object.fromEntries(sent.options.map(({ name, value }) => [name, value]));
  assert.is(options['run'], '["cat"]');
  assert.match(options['secrets'] as string, 'secret(MY_TOKEN)');
  assert.not.match(JSON.stringify(sent), 'hidden-value');
  assert.is(files.out, 'out/files');
});

test('of a target that was never built it says so', async () => {
  const rig = project();
  const raw = await rig.withProject((opened) => look(opened, 'raw'));
  assert.equal([raw.partCount, raw.parts, raw.rows], [0, [], []]);
  assert.match(raw.noRows as string, 'not built');
});

test('what can not be planned says why, what needs it names it, and neither is said to have failed the last time', async () => {
  const rig = project();
  rig.write({ 'datasets.config.ts': config.replace('files: exportDataset(sent,', 'counted: exportDataset(raw,') });
  await rig.build({ env });
  rig.remove('in/a.jsonl');
  await rig.withProject(async (opened) => {
    const [raw, sent, tokens] = await Promise.all(['raw', 'sent', 'tokens'].map((name) => why(opened, name)));
    assert.equal([raw?.state, sent?.state, tokens?.state], ['failed', 'blocked', 'blocked']);
    assert.equal([sent?.reasons, tokens?.reasons], [['needs raw, which failed'], ['needs sent, which can not be built']]);
    const { targets } = await status(opened, { targets: [] });
    assert.equal(targets.find(({ target }) => target === 'sent')?.why, ['needs raw, which failed']);
    assert.is((await look(opened, 'tokens')).noRows, 'tokens can not be built: needs sent, which can not be built');
  });
});

const finished = ({ events }: Built) => events.flatMap((event) => (event.type === 'step-finished' ? [event] : []));

test('steps tell how many documents they read and how many tokens they made; the build, who needs what', async () => {
  const built = await project().build({ env });
  const encode = finished(built).find(({ step }) => step === 'encode');
  assert.is(encode?.documents, 2);
  assert.is(encode?.tokens, built.summary.targets['tokens']?.tokens);
  assert.ok((encode?.tokens ?? 0) > 0);
  const [started] = built.events.flatMap((event) => (event.type === 'build-started' ? [event] : []));
  assert.equal(started?.needs, { raw: [], sent: ['raw'], tokens: ['sent'], files: ['sent'] });
  assert.ok((started?.jobs ?? 0) >= 1);
});

test('a summary tells the time of the steps that ran, and what those took that were known, of kept targets too', async () => {
  const rig = project();
  const first = await rig.build({ env });
  const ranMs = (target: string): number => first.summary.targets[target]?.tookMs ?? 0;
  for (const target of ['raw', 'sent', 'tokens']) {
    const steps = finished(first).filter((event) => event.target === target);
    assert.is(
      ranMs(target),
      steps.reduce((sum, { tookMs }) => sum + tookMs, 0),
      target,
    );
    assert.is(first.summary.targets[target]?.savedMs, 0);
  }
  const again = await rig.build({ env });
  for (const target of ['raw', 'sent', 'tokens']) {
    assert.is(again.summary.targets[target]?.tookMs, 0);
    assert.is(again.summary.targets[target]?.savedMs, ranMs(target), target);
  }
});

test.run();
