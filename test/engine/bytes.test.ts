import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { stats } from '../../src/engine/stats.ts';
import { status } from '../../src/engine/status.ts';
import { resultWords } from '../../src/report/plain.ts';
import { apply, emptyView } from '../../src/report/state.ts';
import { type Built, Rig } from './rig.ts';

const test = suite('bytes of a target');

const config = `import { defineConfig, download, files } from 'dsbuild';
export default defineConfig({ targets: { raw: download({ sources: { 'a/*': files('in/*.jsonl') }, badRecordShareMax: 0.5 }) } });
`;
const good = '{"text":"one"}\n{"text":"two"}\n{"text":"three"}\n';

function rigOf(text: string): Rig {
  const rig = new Rig();
  rig.write({ 'datasets.config.ts': config, 'in/x.jsonl': text });
  return rig;
}

/** What is told of `raw` in all the ways in which that is done. */
async function told(rig: Rig, { events, summary }: Built): Promise<object> {
  const view = emptyView();
  for (const event of events) apply(view, event, 0);
  const raw = view.targets.get('raw');
  const [statusOfRaw, statsOfRaw] = await rig.withProject(async (project) => [
    (await status(project, { targets: [] })).targets[0],
    (await stats(project, 'raw')).outputs[0]?.groups[0],
  ]);
  return {
    summary: summary.targets['raw']?.bytesOut,
    words: raw && / B\b/.test(resultWords(raw)),
    status: statusOfRaw?.bytes,
    stats: statsOfRaw?.bytes,
    documents: statsOfRaw?.documents,
  };
}

test('are those of its documents where they are copied or lie as they came', async () => {
  const rig = rigOf(good);
  const { length } = good;
  assert.equal(await told(rig, await rig.build()), { summary: length, words: true, status: length, stats: length, documents: 3 });
});

test('are not told where a bad line makes a selection of the rest, whether it is built or kept; a mended source has them again', async () => {
  const rig = rigOf(`${good}no JSON\n`);
  const none = { summary: undefined, words: false, status: undefined, stats: undefined, documents: 3 };
  assert.equal(await told(rig, await rig.build()), none);
  const kept = await rig.build();
  assert.equal(kept.ran, []);
  assert.equal(await told(rig, kept), none);
  rig.write({ 'in/x.jsonl': good });
  const { length } = good;
  assert.equal(await told(rig, await rig.build()), { summary: length, words: true, status: length, stats: length, documents: 3 });
});

test.run();
