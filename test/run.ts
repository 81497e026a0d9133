/**
 * The test runner. uvu alone can pass by accident (a hook that throws, a `.run()` that is missing, an early exit), so each file
 * runs in a process of its own, and counts as passed only when every test that it registered ran and passed.
 */
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { findTests, slowestFirst } from './run/find.ts';
import { killAll, type RunOptions, runFile } from './run/one.ts';
import { fileText, totalsOf, totalsText } from './run/print.ts';
import type { FileReport } from './run/protocol.ts';
import { readTimes, writeTimes } from './run/times.ts';

const usage = `Usage: npm test -- [--fast] [part of a path]...
  --fast           without test/build, test/e2e, test/services and *.slow.test.ts
  --limit <s>      seconds that a file may take (default 600; a file raises it with "// time limit: 900 s" at its head)
  --grace <s>      seconds that a file may live after its last test (default 60)
  --jobs <n>       files at a time
  --dir <folder>   where the tests are (default: test)
With CI set, skipped tests and .only are failures.`;

function settings() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      fast: { type: 'boolean', default: false },
      limit: { type: 'string', default: '600' },
      grace: { type: 'string', default: '60' },
      jobs: { type: 'string', default: String(availableParallelism()) },
      dir: { type: 'string', default: fileURLToPath(new URL('.', import.meta.url)) },
      help: { type: 'boolean', default: false },
    },
  });
  return { ...values, filters: positionals, ci: Boolean(process.env['CI']) };
}

type Settings = ReturnType<typeof settings>;

/** Runs the files, several at a time, and prints each as it ends. */
async function runAll({ dir, fast, filters, ...given }: Settings): Promise<FileReport[]> {
  const times = readTimes();
  const waiting = slowestFirst(await findTests(dir, { fast, filters }), times);
  const reports: FileReport[] = [];
  const options: Omit<RunOptions, 'name'> = { ci: given.ci, limitMs: Number(given.limit) * 1000, graceMs: Number(given.grace) * 1000 };
  async function work(): Promise<void> {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const report = await runFile(next.file, { ...options, name: next.name });
      reports.push(report);
      times[report.name] = Math.round(report.tookMs);
      console.log(fileText(report));
    }
  }
  await Promise.all(Array.from({ length: Math.max(1, Number(given.jobs)) }, work));
  writeTimes(times);
  return reports;
}

async function main(): Promise<number> {
  const given = settings();
  if (given.help) {
    console.log(usage);
    return 0;
  }
  const reports = await runAll(given);
  const totals = totalsOf(reports);
  if (reports.length === 0) {
    console.log(`no test file matches: ${given.filters.join(' ') || given.dir}`);
    totals.failed = 1;
  }
  console.log(totalsText(totals));
  return totals.failed > 0 ? 1 : 0;
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    killAll();
    process.exit(130);
  });
}
process.exitCode = await main();
