import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { TargetSummary } from '../../src/base/events.ts';
import { readHistory } from '../../src/report/history.ts';
import { nothing } from './events.ts';

const test = suite('what earlier runs tell');

const folders: string[] = [];
test.after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

function stateWith(runs: Readonly<Record<string, Readonly<Record<string, Partial<TargetSummary>>> | string>>): string {
  const stateDir = mkdtempSync(join(tmpdir(), 'dsbuild-history-'));
  folders.push(stateDir);
  for (const [run, targets] of Object.entries(runs)) {
    mkdirSync(join(stateDir, 'runs', run), { recursive: true });
    const full =
      typeof targets === 'string' ? {} : Object.entries(targets).map(([name, given]) => [name, { ...nothing, ...given }] as const);
    const text = typeof targets === 'string' ? targets : JSON.stringify({ targets: Object.fromEntries(full as []) });
    writeFileSync(join(stateDir, 'runs', run, 'summary.json'), text);
  }
  return stateDir;
}

test('of each target the newest run counts in which any of its steps ran', () => {
  const stateDir = stateWith({
    '2026-01-01': { raw: { ran: 10, tookMs: 1000 }, tokens: { ran: 4, hit: 6, tookMs: 8000 } },
    '2026-01-02': { raw: { ran: 2, hit: 8, tookMs: 100 }, tokens: { hit: 10, savedMs: 20_000 } },
  });
  assert.equal(
    [...readHistory(stateDir)],
    [
      ['raw', { stepMs: 50, steps: 10 }],
      ['tokens', { stepMs: 2000, steps: 10 }],
    ],
  );
});

test('a run that was killed while it was written, and a project without runs, tell nothing', () => {
  assert.is(readHistory(stateWith({ '2026-01-01': '{"targets": {' })).size, 0);
  assert.is(readHistory(stateWith({})).size, 0);
});

test.run();
