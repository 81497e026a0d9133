import { list, text } from '../src/rule/options.ts';
import type { Part } from '../src/rule/part.ts';
import { sumOf } from '../src/rule/part.ts';
import { defineRule } from '../src/rule/rule.ts';
import { defineStep } from '../src/rule/step.ts';
import { fileOfGroup } from './lib/file-name.ts';
import { newlineByte, runsOf } from './lib/json-lines.ts';
import { decodeStats, describeRows, emptyStats, encodeStats, mergeStats, printStats } from './lib/stats.ts';

const concat = defineStep('concat', { version: 1 }, ({ parts }: { parts: readonly Part[] }, _params: Record<string, never>, io) => {
  const file = io.create('file');
  for (const [i, part] of parts.entries()) {
    for (const run of runsOf(io.documents(part))) {
      file.write(run);
      file.write(newlineByte);
    }
    io.progress(i + 1, parts.length);
  }
  file.close({ records: sumOf(parts, 'records') });
});

const describe = defineStep('describe', { version: 1 }, ({ chunk }: { chunk: Part }, _params: Record<string, never>, io) => {
  const stats = io.create('file');
  stats.write(encodeStats(describeRows(io.documents(chunk))));
  stats.close();
});

const mergeAll = defineStep('merge-stats', { version: 1 }, ({ parts }: { parts: readonly Part[] }, _params: Record<string, never>, io) => {
  const merged = emptyStats();
  for (const part of parts) mergeStats(merged, decodeStats(io.bytes(part)));
  const file = io.create('file');
  file.write(Buffer.from(printStats(merged)));
  file.close();
});

/** What a documents target publishes: each group's documents as `<group>.jsonl`, and `<group>.stats.json` beside it. */
export const write = defineRule({
  name: 'write',
  version: 1,
  doc: 'Writes each group as <group>.jsonl with <group>.stats.json; every documents target that has "out" gets one.',
  inputs: { documents: 'documents' },
  output: 'files',
  options: {
    inPlace: list(text()).default([]).doc('Files below `out` that are sources themselves: they are left as they are. Found by dsbuild.'),
  },
  steps: [concat, describe, mergeAll],
  async plan({ documents }, { inPlace }, build) {
    for await (const { group, parts } of documents.byGroup()) {
      const [jsonl, json] = [fileOfGroup(build, group, 'jsonl'), fileOfGroup(build, group, 'stats.json')];
      const described = parts.map((chunk) => build.step(describe, { chunk }, {}).part.main);
      if (!inPlace.includes(jsonl)) build.emit(build.step(concat, { parts }, {}), { group, name: jsonl });
      build.emit(build.step(mergeAll, { parts: described }, {}), { group, name: json });
    }
  },
});
