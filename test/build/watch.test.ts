// time limit: 300 s
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { BuildEvent, BuildSummary } from '../../src/base/events.ts';
import { Gate } from './gate.ts';
import { type RunningBuild, TestProject, tinyTokenizer } from './project.ts';

const test = suite('watch');

type Of<T extends BuildEvent['type']> = Extract<BuildEvent, { type: T }>;

const config = (more = ''): string => `import { defineConfig, download, files, filter, index, shard, tokenize } from 'dsbuild';
import { long } from './filters/long.ts';
const raw = download({ sources: { 'custom/notes': files('in/**/*.jsonl') } });
const clean = filter(raw, { use: [long({ charsMin: 3 })] });
const shards = shard(tokenize(clean, { tokenizer: ${JSON.stringify(tinyTokenizer)} }), { maxSeqLength: 16, ${more} out: 'out' });
export default defineConfig({ targets: { raw, clean, shards, manifest: index(shards) } });
`;

const longFilter = (than: string): string => `import { defineFilter, drop, integer, keep } from 'dsbuild';
export const long = defineFilter({ name: 'long', options: { charsMin: integer() },
  decide: (document, { charsMin }) => document.text.length < charsMin ${than} ? drop('short') : keep });
`;

const line = (id: string, text: string): string => `${JSON.stringify({ id, text })}\n`;

/** A project that is watched, and what it says from one moment on. */
class Watched {
  readonly project = new TestProject();
  #run: RunningBuild | undefined;
  readonly #seen: BuildEvent[] = [];

  constructor() {
    this.project.write('datasets.config.ts', config());
    this.project.write('filters/long.ts', longFilter(''));
    this.project.write('in/a.jsonl', line('a1', 'the first note') + line('a2', 'and a second one'));
  }

  launch(...args: string[]): void {
    this.#run = this.project.start('watch', '--json', ...args);
  }

  async start(...args: string[]): Promise<void> {
    this.launch(...args);
    await this.until('watching');
  }

  /** The next event of this type that was not waited for yet; those before it are over. */
  async until<T extends BuildEvent['type']>(type: T, fits: (event: Of<T>) => boolean = () => true): Promise<Of<T>> {
    for (;;) {
      const event = await (this.#run as RunningBuild).next();
      this.#seen.push(event);
      if (event.type === type && fits(event as Of<T>)) return event as Of<T>;
    }
  }

  /** The summary of the next build that came to its end, if something ran in it or in those before it that gave way: all may be done then. */
  built(): Promise<BuildSummary> {
    let ran = 0;
    return this.until('summary', ({ ok, steps, superseded }) => {
      ran += steps.ran;
      return ok && ran > 0 && !superseded;
    });
  }

  seen<T extends BuildEvent['type']>(type: T): Of<T>[] {
    return this.#seen.filter((event): event is Of<T> => event.type === type);
  }

  /** How many steps of a target ran so far. */
  ran(target: string): number {
    return this.seen('step-finished').filter((event) => event.target === target && event.how === 'ran').length;
  }

  /** What a build of the same inputs from nothing publishes. */
  async cleanBuild(): Promise<Record<string, string>> {
    const other = new TestProject();
    try {
      for (const name of ['datasets.config.ts', 'filters', 'in', 'rules', 'tool.sh'])
        if (this.project.has(name)) other.copyIn(this.project.path(name), name);
      assert.is((await other.build()).code, 0);
      return other.snapshot();
    } finally {
      other.end();
    }
  }

  async assertAsClean(): Promise<void> {
    assert.equal(this.project.snapshot(), await this.cleanBuild());
  }

  async stop(): Promise<number | NodeJS.Signals> {
    this.#run?.interrupt();
    return (await this.#run?.done)?.code ?? 0;
  }
}

async function watching(use: (watched: Watched) => Promise<void>, ...args: string[]): Promise<void> {
  const watched = new Watched();
  try {
    await watched.start(...args);
    await use(watched);
  } finally {
    await watched.stop();
    watched.project.end();
  }
}

test('a dropped file, an edited one, one replaced by rename, a new folder and a deletion each give what a clean build gives', () =>
  watching(async (watched) => {
    const { project } = watched;
    const changes: (() => void)[] = [
      () => project.write('in/b.jsonl', line('b1', 'dropped into the folder')),
      () => project.edit('in/a.jsonl', (text) => text.replace('second', 'rather better second')),
      () => {
        project.write('elsewhere.jsonl', line('a1', 'saved as editors do: a new file') + line('a3', 'takes the place of the old'));
        project.move('elsewhere.jsonl', 'in/a.jsonl');
      },
      () => project.write('in/new/deep/c.jsonl', line('c1', 'in a folder that was not there')),
      // More than a step hands over in memory.
      () =>
        project.write(
          'in/large.jsonl',
          Array.from({ length: 3000 }, (_, i) => line(`l${i}`, `line ${i} of a file whose tokens fill a file`)).join(''),
        ),
      () => project.edit('in/large.jsonl', (text) => text.replace('line 1500 of', 'the edited line of')),
      () => project.remove('in/b.jsonl'),
      () => project.remove('in/new'),
    ];
    for (const change of changes) {
      change();
      await watched.built();
      await watched.until('watching');
      await watched.assertAsClean();
    }
  }));

test('says of each rebuild what changed, target by target', () =>
  watching(async (watched) => {
    watched.project.append('in/a.jsonl', line('a3', 'one more document'));
    await watched.built();
    await watched.until('watching');
    const [change] = watched.seen('changed');
    assert.is(change?.count, 1);
    assert.match(change?.paths[0] ?? '', /in\/a\.jsonl$/);
    const of = (target: string) => watched.seen('difference').find((event) => event.target === target)?.difference;
    assert.is(of('clean')?.documents, 1);
    assert.ok((of('shards/tokenize')?.tokens ?? 0) > 0);
    assert.ok((of('manifest')?.written ?? 0) > 0);
  }));

test('a line that is written in two halves is read when it is whole', () =>
  watching(async (watched) => {
    const whole = line('a3', 'a line that its writer takes some time for');
    watched.project.append('in/a.jsonl', whole.slice(0, 20));
    watched.project.write('in/b.jsonl', line('b1', 'meanwhile another file is complete'));
    watched.project.append('in/a.jsonl', whole.slice(20));
    await watched.built();
    await watched.until('watching');
    assert.equal(watched.seen('warning'), []);
    await watched.assertAsClean();
  }));

test('a last line without an end is read after a while', () =>
  watching(async (watched) => {
    watched.project.append('in/a.jsonl', line('a3', 'its editor ends no last line').trimEnd());
    const { targets } = await watched.built();
    assert.is(targets['raw']?.documentsOut, 3);
    await watched.until('watching');
    await watched.assertAsClean();
  }));

test('a burst of a thousand files is a few rebuilds, not a thousand', () =>
  watching(async (watched) => {
    for (let i = 0; i < 1000; i++) watched.project.write(`in/many/${i}.jsonl`, line(`m${i}`, `note number ${i} of the burst`));
    await watched.until('summary', ({ ok, targets }) => ok && targets['raw']?.documentsOut === 1002);
    await watched.until('watching');
    assert.ok(watched.seen('build-started').length < 12, String(watched.seen('build-started').length));
    await watched.assertAsClean();
  }));

test('edits of the config and of a filter are taken up, with the workers that are there', () =>
  watching(async (watched) => {
    const { project } = watched;
    project.write('datasets.config.ts', config("labels: 'hf',"));
    await watched.built();
    await watched.assertAsClean();
    project.write('filters/long.ts', longFilter('+ 12'));
    const { targets } = await watched.built();
    assert.is(targets['clean']?.documentsOut, 1);
    await watched.until('watching');
    await watched.assertAsClean();
  }));

test('a rule of the user that is edited, and put back, is never run as it was before', () =>
  watching(async (watched) => {
    const { project } = watched;
    const rule = (mark: string): string => `import { defineRule, defineStep, text } from 'dsbuild';
const stamp = defineStep('stamp', { version: 1 }, ({ chunk }, { word }, io) => {
  const out = io.create('file');
  out.write(Buffer.from(word + ${JSON.stringify(mark)} + io.bytes(chunk).length + '\\n'));
  out.close();
});
export const stamped = defineRule({ name: 'stamped', version: 1, inputs: { documents: 'documents' }, output: 'files', options: { word: text() }, steps: [stamp],
  async plan({ documents }, { word }, build) { for await (const chunk of documents) build.emit(build.step(stamp, { chunk }, { word }), { name: 'stamp.txt' }); } });
`;
    const stampOf = (): string => project.read('out/stamp.txt');
    project.write('rules/stamped.ts', rule('one'));
    project.write(
      'datasets.config.ts',
      `import { defineConfig, download, files } from 'dsbuild';
import { stamped } from './rules/stamped.ts';
const raw = download({ sources: { 'custom/notes': files('in/**/*.jsonl') } });
export default defineConfig({ targets: { raw, stamps: stamped(raw, { word: 'w ', out: 'out' }) } });`,
    );
    await watched.built();
    assert.match(stampOf(), /^w one/);
    project.write('rules/stamped.ts', rule('two'));
    await watched.built();
    await watched.until('watching');
    assert.match(stampOf(), /^w two/);
    project.write('rules/stamped.ts', rule('one'));
    project.append('in/a.jsonl', line('a9', 'so that the step of the old rule has to run'));
    await watched.built();
    await watched.until('watching');
    assert.match(stampOf(), /^w one/);
    await watched.assertAsClean();
  }));

test('a config that can not be read and a bad record are shown, and the watch goes on', () =>
  watching(async (watched) => {
    const { project } = watched;
    project.write('datasets.config.ts', `${config()}\nthis is no TypeScript`);
    const broken = await watched.until('target-failed');
    assert.match(broken.error.where ?? '', /datasets\.config\.ts/);
    project.write('datasets.config.ts', config("labels: 'hf',"));
    await watched.built();
    await watched.until('watching');
    project.append('in/a.jsonl', '{"id": "bad", "text": \n');
    await watched.until('target-failed', ({ target }) => target === 'raw');
    project.edit('in/a.jsonl', (text) => text.replace('{"id": "bad", "text": \n', line('a4', 'mended')));
    await watched.built();
    await watched.until('watching');
    await watched.assertAsClean();
  }));

test('a watch that begins with a broken config begins to build when it is mended', async () => {
  const watched = new Watched();
  try {
    watched.project.write('datasets.config.ts', 'export default 1');
    const started = watched.start();
    await started;
    assert.is(watched.seen('target-failed').length, 1);
    watched.project.write('datasets.config.ts', config());
    await watched.built();
    await watched.until('watching');
    await watched.assertAsClean();
  } finally {
    await watched.stop();
    watched.project.end();
  }
});

const slowConfig = (tool: string): string => `import { command, defineConfig, download, exportDataset, files } from 'dsbuild';
const raw = download({ sources: { 'custom/*': files('in/*.jsonl') } });
const passed = command(raw, { run: ['sh', ${JSON.stringify(tool)}], tools: [${JSON.stringify(tool)}], version: '1' });
export default defineConfig({ targets: { raw, passed, out: exportDataset(passed, { format: 'jsonl', out: 'out' }) } });
`;

test('a change during a build ends it, what was finished stays, and the next one takes up the change', async () => {
  const watched = new Watched();
  const { project } = watched;
  try {
    const tool = (does: string): string => `${Gate.script()}\n${does}\n`;
    project.write('tool.sh', tool('exec cat'));
    project.write('datasets.config.ts', slowConfig('tool.sh'));
    for (const name of ['b', 'c', 'd']) project.write(`in/${name}.jsonl`, line(`${name}1`, `the note of ${name}`));
    // Only what changes when all is watched is sure to be noticed while a build runs.
    await watched.start('-j', '1');
    const before = watched.ran('passed');
    const gate = project.gate();
    project.write('tool.new', tool('tr n N'));
    project.move('tool.new', 'tool.sh');
    await gate.held();
    project.append('in/d.jsonl', line('d2', 'added while the first program waits'));
    // The change is noticed and settles while the program is held; only then it goes on.
    await watched.until('changed', ({ paths }) => paths.some((path) => path.endsWith('d.jsonl')));
    gate.open();
    await watched.until('watching');
    gate.end();
    const given = watched.seen('summary').filter(({ superseded }) => superseded);
    assert.is(given.length, 1);
    assert.equal(watched.seen('target-failed'), []);
    const last = watched.seen('summary').findLast(({ steps }) => steps.ran > 0);
    assert.ok(last?.ok);
    // The old version of the edited file may have been handed to the workers before; nothing else runs twice.
    const ran = watched.ran('passed') - before;
    assert.ok(ran === 4 || ran === 5, String(ran));
    await watched.assertAsClean();
  } finally {
    await watched.stop();
    project.end();
  }
});

test('Ctrl-C ends a watch, and its workers with it', async () => {
  const watched = new Watched();
  try {
    await watched.start();
    assert.is(await watched.stop(), 130);
  } finally {
    watched.project.end();
  }
});

test('what is written for people names what changed and is silent about what did not', async () => {
  const project = new TestProject();
  try {
    project.write('datasets.config.ts', config());
    project.write('filters/long.ts', longFilter(''));
    project.write('in/a.jsonl', line('a1', 'the first note'));
    const child = project.startText('watch', '--plain');
    await child.says(/watching in, /);
    writeFileSync(join(project.dir, 'in/a.jsonl'), readFileSync(join(project.dir, 'in/a.jsonl'), 'utf8') + line('a2', 'the second note'));
    await child.says(/changed: in\/a\.jsonl\n[\s\S]*clean: \+1 document\n[\s\S]*watching in, /);
    assert.not.match(child.text, /nothing to do/);
    child.interrupt();
    assert.is(await child.done, 130);
  } finally {
    project.end();
  }
});

test.run();
