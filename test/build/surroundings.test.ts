/** What a machine may do to a build: workers that die, clocks that jump, folders of others, several builds at once. */
import { chmodSync, lchownSync, mkdirSync, readdirSync, rmSync, statSync, symlinkSync, utimesSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { skip } from '../skip.ts';
import { assertAsClean, cleanBuild, withProject as within } from './clean-build.ts';
import { dice, matrixConfig, matrixProject, records, sourceName } from './matrix.ts';
import { errorsOf, type Outcome, type TestProject } from './project.ts';

const test = suite('surroundings');

const sources = 3;

const withProject = (use: (project: TestProject) => Promise<void>, project = matrixProject(sources)): Promise<void> => within(project, use);

const codesOf = (outcome: Outcome): string[] => errorsOf(outcome).map(({ code }) => code);

const fussyConfig = `import { defineConfig, download, exportDataset, files, filter } from 'dsbuild';
import { fussy } from './fussy.ts';
const raw = download({ sources: { 'm/*': files('in/*.jsonl') } });
const text = exportDataset(filter(raw, { use: [fussy()] }), { format: 'jsonl', out: 'out' });
export default defineConfig({ targets: { raw, text }, chunking: { chunkSize: '8KB' } });
`;

/** A filter that does this the first time that any worker comes to it, and is good from then on. */
const onceFussy = (home: string, does: string): string => `import { existsSync, writeFileSync } from 'node:fs';
import { defineFilter, keep } from 'dsbuild';
export const fussy = defineFilter({ name: 'fussy', options: {}, decide() {
  if (!existsSync(${JSON.stringify(`${home}/done`)})) { writeFileSync(${JSON.stringify(`${home}/done`)}, ''); ${does} }
  return keep;
} });
`;

const deaths = {
  'ends its thread': 'process.exit(1);',
  'runs out of memory': 'const all: unknown[] = []; for (;;) all.push(new Array(1e6).fill(all.length));',
  'throws where nobody catches it':
    "setTimeout(() => { throw new Error('late'); }, 0); Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);",
};
for (const [what, does] of Object.entries(deaths)) {
  test(`a worker that ${what} loses its step only: it runs again in another, and the result is that of a clean build`, () =>
    withProject(async (project) => {
      project.write('datasets.config.ts', fussyConfig);
      project.write('fussy.ts', onceFussy(project.home, does));
      // Memory is over soon, and long before that of the machine: by itself Node takes gigabytes of it.
      project.env['NODE_OPTIONS'] = '--max-old-space-size=128';
      await assertAsClean(project, await project.build('-j', '2'));
      assert.is((await project.build()).summary.steps.ran, 0);
    }));
}

/** Each process reads another clock: hours ahead, years back, standing still. */
const clocks = {
  'a year ahead': 'Date.now() + 365 * 86_400_000',
  'a year back': 'Date.now() - 365 * 86_400_000',
  'at its beginning': '0',
  'that jumps to and fro': 'Date.now() + (Math.random() - 0.5) * 86_400_000',
};

test('a clock that jumps between builds and within them changes no result, and makes nothing stale', () =>
  withProject(async (project) => {
    const roll = dice(4);
    for (const [i, [what, now]] of Object.entries(clocks).entries()) {
      project.write('clock.mjs', `const real = Date.now; Date.now = () => { const Date = { now: real }; return Math.floor(${now}); };`);
      project.env['NODE_OPTIONS'] = `--import ${project.path('clock.mjs')}`;
      project.edit(sourceName(i % sources), (text) => text.replace('"text":"', `"text":"edit ${i} `));
      // The same size and, as far as anybody can set it, the same time.
      const path = project.path(sourceName(roll(sources)));
      utimesSync(path, new Date(0), new Date(0));
      const outcome = await project.build();
      project.env['NODE_OPTIONS'] = '';
      assert.equal(project.snapshot(), await cleanBuild(project), what);
      assert.equal(errorsOf(outcome), [], what);
      assert.is((await project.build()).summary.steps.ran, 0, what);
    }
  }));

test('four builds at once, of equal and of other targets, one of them killed, end well and leave a sound state', () =>
  withProject(async (project) => {
    const gate = project.gate();
    const all = [[], [], ['text'], ['train']].map((targets) => project.start('build', ...targets, '--json', '-j', '1'));
    await gate.held();
    await all[0]?.kill();
    gate.open();
    const outcomes = await Promise.all(all.slice(1).map(({ done }) => done));
    gate.end();
    for (const outcome of outcomes) assert.equal([outcome.code, errorsOf(outcome)], [0, []]);
    await assertAsClean(project, await project.build());
    assert.is((await project.build()).summary.steps.ran, 0);
    assert.equal(project.list('.dsbuild/claims'), []);
  }));

const shapes = {
  'cut short': (project: TestProject, path: string) => project.edit(path, (text) => text.slice(0, text.length / 3)),
  grown: (project: TestProject, path: string) => project.append(path, records(77, 5)),
  'replaced by a folder': (project: TestProject, path: string) => {
    project.remove(path);
    mkdirSync(project.path(path));
  },
  'replaced by a link to itself': (project: TestProject, path: string) => {
    project.remove(path);
    symlinkSync(project.path(path), project.path(path));
  },
  'replaced by another that has its name': (project: TestProject, path: string) => {
    project.write('new.jsonl', records(78, 30));
    project.move('new.jsonl', path);
  },
};
for (const [what, change] of Object.entries(shapes)) {
  test(`a source that is ${what} while the build runs never leaves a wrong result`, () =>
    withProject(async (project) => {
      const gate = project.gate();
      const running = project.start('build', '--json', '-j', '1');
      await gate.held();
      change(project, sourceName(2));
      gate.open();
      const outcome = await running.done;
      gate.end();
      assert.not.ok(codesOf(outcome).includes('bug'), JSON.stringify(errorsOf(outcome)));
      const next = await project.build();
      if (codesOf(next).length > 0) {
        assert.ok(
          codesOf(next).every((code) => code.startsWith('source-') || code === 'no-source'),
          JSON.stringify(errorsOf(next)),
        );
        project.remove(sourceName(2));
      }
      await assertAsClean(project, await project.build());
    }));
}

const changes = {
  deleted: (project: TestProject, path: string) => project.remove(path),
  'replaced by a link': (project: TestProject, path: string) => {
    project.write('mine', 'precious');
    project.remove(path);
    symlinkSync(project.path('mine'), project.path(path));
  },
  'replaced by a folder': (project: TestProject, path: string) => {
    project.remove(path);
    project.write(`${path}/mine`, 'precious');
  },
};
for (const [what, change] of Object.entries(changes)) {
  test(`a published file that was ${what} by hand is put back, or refused by name; nothing of the user's is lost`, () =>
    withProject(async (project) => {
      assert.is((await project.build()).code, 0);
      const clean = project.snapshot();
      const path = 'out/text/data.jsonl';
      change(project, path);
      const outcome = await project.build();
      if (what !== 'deleted') {
        assert.equal(
          errorsOf(outcome).map(({ code, where }) => [code, where]),
          [['edited', project.path(path)]],
        );
        assert.is(project.read(what.endsWith('link') ? 'mine' : `${path}/mine`), 'precious');
        rmSync(project.path(path), { recursive: true });
        assert.is((await project.build()).code, 0);
      }
      assert.equal(project.snapshot(), clean);
    }));
}

/** Who nobody else is: for what root may do, whatever the permissions say. */
const nobody = 65534;

function ownAll(project: TestProject, folder: string): void {
  for (const name of ['', ...project.list(folder)]) lchownSync(project.path(name === '' ? folder : name), nobody, nobody);
}

test('folders that may not be written or read are told by path, and once they may be the build goes on', async () => {
  if (process.getuid?.() !== 0) return skip('builds as another user need root');
  await withProject(async (project) => {
    project.as(nobody);
    for (const folder of ['.', 'in']) ownAll(project, folder);
    chmodSync(project.dir, 0o555);
    const first = await project.build();
    assert.equal([first.code === 0, codesOf(first)], [false, ['no-permission']]);
    chmodSync(project.dir, 0o755);
    assert.equal(errorsOf(await project.build()), []);
    const state = (name: string): string => project.path(`.dsbuild/${name}`);
    project.edit(sourceName(0), (text) => text.replace('"text":"', '"text":"edited '));
    for (const path of [
      state('results/v1'),
      state('store/v1/packs'),
      state('published'),
      state('tmp'),
      project.path('out/text'),
      project.path('in'),
    ]) {
      const mode = statSync(path).mode & 0o777;
      chmodSync(path, path.endsWith('/in') ? 0 : 0o555);
      const outcome = await project.build();
      chmodSync(path, mode);
      assert.is(outcome.code, 1, `${path}: ${outcome.code}`);
      assert.ok(
        codesOf(outcome).length > 0 && codesOf(outcome).every((code) => ['no-permission', 'source-unreadable'].includes(code)),
        JSON.stringify(errorsOf(outcome)),
      );
    }
    await assertAsClean(project, await project.build());
    for (const name of readdirSync(state('results/v1'))) chmodSync(state(`results/v1/${name}`), 0);
    await assertAsClean(project, await project.build());
  });
});

test('a lock that may not be read is told by path', async () => {
  if (process.getuid?.() !== 0) return skip('builds as another user need root');
  await withProject(async (project) => {
    project.as(nobody);
    for (const folder of ['.', 'in']) ownAll(project, folder);
    project.write('dsbuild.lock', '# dsbuild lock, format 1\n');
    chmodSync(project.path('dsbuild.lock'), 0);
    assert.equal(codesOf(await project.build()), ['no-permission']);
  }, matrixProject(1));
});

test('the labels of a config that is edited while a build runs reach the next build only', () =>
  withProject(async (project) => {
    const gate = project.gate();
    const running = project.start('build', '--json');
    await gate.held();
    project.write('datasets.config.ts', matrixConfig({ labels: 'hf' }));
    gate.open();
    assert.is((await running.done).code, 0);
    gate.end();
    const before = project.snapshot();
    await assertAsClean(project, await project.build());
    assert.is.not(JSON.stringify(before), JSON.stringify(project.snapshot()));
  }));

test.run();
