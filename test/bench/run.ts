/**
 * `npm run bench [case]...`: whole programs on the machine as it is, others beside them in the same run. The table goes to standard
 * output, progress to standard error. Nothing here passes or fails, but a case that can not run ends the bench with 1.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { runQuietly } from './cache-folder.ts';
import type { Bench, Case } from './case.ts';
import { cases } from './cases.ts';
import { megabytes } from './figures.ts';
import { describeMachine, machine } from './machine.ts';
import { endMeasured } from './measure.ts';
import { alignedTable, markdownTable, type TableRow, withRows } from './table.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const scale = Number(process.env['DSBUILD_BENCH_SCALE'] ?? 1);
const { values: flags, positionals: names } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    markdown: { type: 'boolean', default: false },
    readme: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '3' },
  },
});

const loadMax = 0.5;
const say = (line: string): void => void process.stderr.write(`${line}\n`);
const print = (text: string): void => void process.stdout.write(`${text}\n`);
const commandOf = ({ name }: Case): string => `npm run bench ${name}`;

const usage = (): string =>
  [
    'npm run bench [case]... [-- flags]: all cases, or those that are named',
    '',
    ...cases.flatMap(({ name, about, needs, takes, diskBytes }) => [
      `${name.padEnd(10)} ${about}`,
      `${''.padEnd(10)} takes ${takes}${diskBytes ? `, ${megabytes(diskBytes)} of disk` : ''}${needs ? `; needs ${needs}` : ''}`,
    ]),
    '',
    '--rounds N   how often what is compared runs; the median counts (3)',
    '--check      edits: compare with a clean build as well',
    '--markdown   the table as README shows it, too',
    '--readme     write the rows into README.md',
    '--json       all figures as JSON in the place of the table',
    '',
    'DSBUILD_CORPUS names a folder with docs.jsonl and multilang.jsonl, DSBUILD_BENCH_CACHE one for what is fetched once,',
    'TMPDIR the disk that is used; DSBUILD_BENCH_SCALE=0.02 makes all sizes smaller, to try the bench itself.',
  ].join('\n');

/** The scratch folder of the case that runs. */
let scratch: string | undefined;

function leave(): void {
  endMeasured();
  if (scratch) rmSync(scratch, { recursive: true, force: true });
}

function checkDisk({ diskBytes = 0, name }: Case): void {
  const { bavail, bsize } = statfsSync(tmpdir());
  const [free, needed] = [bavail * bsize, diskBytes * scale];
  if (free < needed) throw new Error(`${name} needs ${megabytes(needed)} in ${tmpdir()}, where ${megabytes(free)} are free`);
}

async function runCase(which: Case): Promise<TableRow[]> {
  checkDisk(which);
  scratch = mkdtempSync(join(tmpdir(), 'dsbuild-bench-'));
  mkdirSync(join(scratch, 'case'));
  const rows: TableRow[] = [];
  const bench: Bench = {
    scratch: join(scratch, 'case'),
    scale,
    rounds: Number(flags.rounds),
    check: flags.check,
    say: (line) => say(`  ${line}`),
  };
  say(`${which.name}: ${which.about} (${which.takes})`);
  try {
    for await (const row of which.run(bench)) {
      rows.push({ ...row, command: commandOf(which) });
      say(`  ${row.what}: ${row.dsbuild}`);
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
    scratch = undefined;
  }
  return rows;
}

/** What programs said is no figure. */
const withoutOutput = (key: string, value: unknown): unknown => (key === 'stdout' || key === 'summary' ? undefined : value);

function show(rows: readonly TableRow[], faults: readonly string[]): void {
  const table = `${describeMachine(about)}\n\n${alignedTable(rows)}${flags.markdown ? `\n\n${markdownTable(rows)}` : ''}`;
  if (flags.json) {
    say(table);
    print(JSON.stringify({ machine: about, scale, rows, faults }, withoutOutput, 2));
  } else print(table);
  if (flags.readme) {
    const page = join(root, 'README.md');
    const figures = { rows, commands: cases.map(commandOf), machine: `Last run on ${describeMachine(about)}.` };
    writeFileSync(page, withRows(readFileSync(page, 'utf8'), figures));
  }
  for (const fault of faults) say(`FAILED ${fault}`);
}

function chosen(): readonly Case[] {
  const unknown = names.filter((name) => !cases.some((known) => known.name === name));
  if (unknown.length > 0) throw new Error(`there is no case ${unknown.join(', ')}; there are: ${cases.map(({ name }) => name).join(', ')}`);
  return names.length === 0 ? cases : cases.filter(({ name }) => names.includes(name));
}

async function main(): Promise<void> {
  if (flags.help) return print(usage());
  const wanted = chosen();
  if (about.load > loadMax) say(`this machine is busy (load ${about.load.toFixed(1)}): times will be those of a busy machine`);
  if (flags.readme && scale !== 1) throw new Error('README.md shows figures of full size: leave DSBUILD_BENCH_SCALE away');
  runQuietly('npm', ['run', '--silent', 'build'], root);
  const rows: TableRow[] = [];
  const faults: string[] = [];
  for (const which of wanted) {
    try {
      rows.push(...(await runCase(which)));
    } catch (error) {
      faults.push(`${which.name}: ${error instanceof Error ? error.message : String(error)}`);
      process.exitCode = 1;
    }
  }
  show(rows, faults);
}

const about = machine();
process.on('exit', leave);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130));
try {
  await main();
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
  process.exitCode = 2;
}
