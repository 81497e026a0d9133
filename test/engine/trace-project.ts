/** A small project whose rows are words, so that a test can tell where each of them must come from, and a rule of its own that packs them. */
import { gunzipSync, gzipSync } from 'node:zlib';
import type { Project } from '../../src/engine/project.ts';
import type { TraceItem } from '../../src/engine/trace/items.ts';
import { trace } from '../../src/engine/trace/trace.ts';
import { numbers } from '../source/files.ts';
import { Rig } from './rig.ts';

const config = `import { defineConfig, download, exportDataset, files, filter, param } from 'dsbuild';
import { asked, short } from './short.ts';
import { chop } from './chop.ts';

const raw = download({
  sources: {
    'text/big': 'in/big.jsonl',
    'text/small': 'in/small/*.jsonl',
    'chat/asked': files('in/chat.jsonl', { adapt: asked }),
    'text/packed': 'in/packed.jsonl.gz',
  },
  badRecordShareMax: 1,
});
const clean = filter(raw, { use: short({ wordsMin: param('wordsMin', 4) }) });
const rows = chop(clean, { length: param('length', 16), out: 'rows' });
export default defineConfig({
  targets: { raw, clean, rows, exported: exportDataset(clean, { format: 'jsonl', out: 'exported' }) },
  chunking: { chunkSize: '1KB' },
});
`;

const filters = `import { defineAdapter, defineFilter, drop, integer, keep } from 'dsbuild';
export const short = defineFilter({
  name: 'short',
  options: { wordsMin: integer() },
  decide: ({ text }, { wordsMin }) => (text.split(' ').length >= wordsMin ? keep : drop(text.includes('edit') ? 'too-short-edit' : 'too-short')),
});
export const asked = defineAdapter({
  name: 'asked',
  adapt: ({ text }) => (typeof text !== 'string' || text.includes('shard') ? null : { text }),
});
`;

/** Words in rows of one length. Each document ends with an added word, as EOS does; what is left over at a run's end is a shorter row. */
const rule = `import { defineRule, defineStep, integer, LineageBuilder, lineageOutput, sumOf } from 'dsbuild';

const pack = defineStep('pack', { version: 1, outputs: ['main', lineageOutput] }, ({ parts }, { length }, io) => {
  const lineage = new LineageBuilder();
  const rows = [[]];
  let before = 0;
  for (const part of parts) {
    const all = [...io.documents(part)];
    for (const { record, document } of all) {
      const words = [...document.text.split(' '), '.'];
      for (let start = 0; start < words.length; ) {
        const row = rows.at(-1);
        const taken = words.slice(start, start + length - row.length);
        row.push(...taken);
        lineage.span(before + record, start, taken.length);
        start += taken.length;
        if (row.length < length) continue;
        lineage.endRow();
        rows.push([]);
      }
    }
    before += part.form === 'view' ? JSON.parse(io.bytes(part).toString('utf8').split('\\n')[0]).records : part.facts.records;
  }
  if (rows.at(-1).length > 0) lineage.endRow();
  else rows.pop();
  const main = io.create('rows');
  for (const row of rows) main.write(Buffer.from(JSON.stringify({ words: row }) + '\\n'));
  main.close({ rows: rows.length });
  const side = io.create('side', lineageOutput);
  side.write(lineage.finish());
  side.close();
});

const join = defineStep('join', { version: 1 }, ({ rows }, _params, io) => {
  const file = io.create('file');
  for (const part of rows) file.write(io.bytes(part));
  file.close({ rows: sumOf(rows, 'rows') });
});

export const chop = defineRule({
  name: 'chop',
  version: 1,
  inputs: { documents: 'documents' },
  output: 'files',
  options: { length: integer().default(16) },
  steps: [pack, join],
  async plan({ documents }, { length }, build) {
    for await (const { group, parts } of documents.byGroup()) {
      const runs = Array.from({ length: Math.ceil(parts.length / 3) }, (_, i) => parts.slice(i * 3, i * 3 + 3));
      const packed = runs.map((run) => build.step(pack, { parts: run }, { length }).part.main);
      build.emit(build.step(join, { rows: packed }, {}), { group, name: group + '.jsonl' });
    }
  },
});
`;

/** Lines of each source file, by path. */
export type Files = ReadonlyMap<string, readonly string[]>;

const words = 'the of and data set line by hash chunk shard token edit build again every one more than a few'.split(' ');

/** One line of a source: most are documents; some are blank, some can not be used. */
export function sourceLine(seed: number): string {
  const next = numbers(seed);
  const kind = next() % 20;
  if (kind === 0) return ['', '  ', '\r'][next() % 3] as string;
  if (kind === 1) return ['{"text":', '[1]', '{"id":"x"}'][next() % 3] as string;
  const text = Array.from({ length: 1 + (next() % 14) }, () => words[next() % words.length]).join(' ');
  return JSON.stringify({ ...(next() % 2 > 0 && { id: `d${seed}` }), text });
}

const some = (count: number, seed: number): string[] => Array.from({ length: count }, (_, i) => sourceLine(seed * 1000 + i));

export function firstFiles(seed: number): Map<string, readonly string[]> {
  const twice = some(40, seed + 7);
  const files = new Map<string, readonly string[]>([
    // The same lines twice: equal chunks at two places.
    ['in/big.jsonl', [...twice, ...some(30, seed), ...twice]],
    ['in/chat.jsonl', some(30, seed + 1)],
    ['in/packed.jsonl.gz', some(30, seed + 2)],
  ]);
  for (let i = 0; i < 12; i++) files.set(`in/small/${String.fromCharCode(97 + i)}.jsonl`, some(1 + (i % 4), seed + 10 + i));
  return files;
}

export function layOut(rig: Rig, files: Files): void {
  for (const [name, lines] of files) {
    const content = lines.map((line) => `${line}\n`).join('');
    rig.write({ [name]: name.endsWith('.gz') ? gzipSync(content) : content });
  }
}

export function newProject(files: Files): Rig {
  const rig = new Rig();
  rig.write({ 'datasets.config.ts': config, 'short.ts': filters, 'chop.ts': rule });
  layOut(rig, files);
  return rig;
}

export async function itemsOf(project: Project, place: string): Promise<TraceItem[]> {
  const items: TraceItem[] = [];
  for await (const item of trace(project, place)) items.push(item);
  return items;
}

/** The answer to one question. */
export const traced = (rig: Rig, place: string): Promise<TraceItem[]> => rig.withProject((project) => itemsOf(project, place));

/** The words of a line, with the one that packing adds. */
export const wordsOf = (line: string): string[] => [...(JSON.parse(line) as { text: string }).text.split(' '), '.'];

/** Rows of a published file. */
export function rowsIn(rig: Rig, name: string): string[][] {
  const bytes = rig.read(name);
  const text = (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => (JSON.parse(line) as { words: string[] }).words);
}

/** A line of a source, by the path and number that a trace says. */
export function lineAt(files: Files, { file, line }: { readonly file: string; readonly line: number }): string {
  const found = files.get(file)?.[line - 1];
  if (found === undefined) throw new Error(`there is no ${file}:${line}`);
  return found;
}
