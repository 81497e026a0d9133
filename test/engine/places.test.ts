import { gzipSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Built, Rig } from './rig.ts';

const test = suite('places');

const config = `import { defineConfig, download, filter } from 'dsbuild';
import { picky } from './picky.ts';
const raw = download({ sources: { 'text/a': 'in/*.jsonl', 'text/z': 'in/z.jsonl.gz' }, badRecordShareMax: 1 });
export default defineConfig({ targets: { raw, clean: filter(raw, { use: picky(), badRecordShareMax: 1 }) }, chunking: { chunkSize: '1KB' } });
`;
const picky = `import { defineFilter, keep } from 'dsbuild';
export const picky = defineFilter({
  name: 'picky',
  options: {},
  decide: ({ text }) => {
    if (text === 'boom') throw new Error('it went off');
    return keep;
  },
});
`;
const line = (text: string): string => `${JSON.stringify({ text })}\n`;
const lines = (count: number): string => Array.from({ length: count }, (_, i) => line(`number ${i} of quite some lines`)).join('');

function project(files: Readonly<Record<string, string | Uint8Array>>): Rig {
  const rig = new Rig();
  rig.write({ 'datasets.config.ts': config, 'picky.ts': picky, 'in/z.jsonl.gz': gzipSync(line('packed')), ...files });
  return rig;
}

const warnings = ({ events }: Built): string[] =>
  events.flatMap((event) => (event.type === 'warning' && event.code === 'bad-records' ? [`${event.target} ${event.where}`] : []));

test('a bad record is shown by its file and line', async () => {
  const rig = project({ 'in/a.jsonl': lines(5), 'in/b.jsonl': `${lines(60)}{"text":\n${lines(60)}` });
  assert.equal(warnings(await rig.build()), ['raw in/b.jsonl:61']);
});

test('a record that a later target could not use is found through the view that it was read from', async () => {
  const rig = project({ 'in/a.jsonl': lines(5), 'in/b.jsonl': `${lines(50)}{"text":\n${lines(1)}${line('boom')}${lines(60)}` });
  const built = await rig.build();
  assert.equal(warnings(built).sort(), ['clean in/b.jsonl:53', 'raw in/b.jsonl:51']);
  const kept = await rig.build();
  assert.equal(kept.ran, []);
  assert.equal(warnings(kept).sort(), warnings(built).sort());
});

test('in a compressed file it is the line of the file as it unwraps', async () => {
  const rig = project({ 'in/a.jsonl': lines(5), 'in/z.jsonl.gz': gzipSync(`${lines(3)}[]\n`) });
  assert.equal(warnings(await rig.build()), ['raw in/z.jsonl.gz:4']);
});

test.run();
