import { readdirSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { matrixConfig, matrixProject } from './matrix.ts';
import { errorsOf, type Outcome, ran, type TestProject, warningsOf } from './project.ts';

const test = suite('published and stored bytes');

const sources = 4;
const copyOfText = matrixConfig()
  .replace('export default', "const copy = exportDataset(lower, { format: 'jsonl', each: 'collection', out: 'out/copy' });\nexport default")
  .replace('text }', 'text, copy }');

/** A built project with two exports of the same bytes, and a snapshot of it. */
async function withBuilt(use: (project: TestProject, clean: Record<string, string>) => Promise<void>): Promise<void> {
  const project = matrixProject(sources);
  try {
    project.write('datasets.config.ts', copyOfText);
    const outcome = await project.build();
    assert.is(outcome.code, 0, JSON.stringify(errorsOf(outcome)));
    await use(project, project.snapshot());
  } finally {
    project.end();
  }
}

async function assertWell(project: TestProject, outcome: Outcome, clean: Record<string, string>): Promise<void> {
  assert.equal(errorsOf(outcome), []);
  assert.is(outcome.code, 0, outcome.stderr);
  assert.equal(project.snapshot(), clean);
  assert.is((await project.build()).summary.steps.ran, 0);
}

const text = 'out/text/data.jsonl';
const copy = 'out/copy/data.jsonl';

/** Other bytes of the same length; `quietly` with the times that the file had. */
function corrupt(project: TestProject, name: string, quietly: boolean): void {
  const { atime, mtime } = statSync(project.path(name));
  project.edit(name, (before) => before.replace(/[a-z]/g, 'z'));
  if (quietly) utimesSync(project.path(name), atime, mtime);
}

test('a folder that can not be published keeps no other from being published; each such folder is told, and the build fails', () =>
  withBuilt(async (project, clean) => {
    corrupt(project, text, false);
    project.remove(copy);
    const one = await project.build();
    assert.equal([one.code, errorsOf(one).map(({ where }) => where)], [1, [project.path(text)]]);
    assert.is(project.snapshot()[copy], clean[copy]);
    corrupt(project, copy, false);
    const both = await project.build();
    assert.equal(
      errorsOf(both)
        .map(({ code, where }) => `${code} ${where}`)
        .sort(),
      [copy, text].map((name) => `edited ${project.path(name)}`),
    );
    await assertWell(project, await project.build('--overwrite'), clean);
  }));

for (const quietly of [false, true]) {
  const how = quietly ? 'with its size and time put back' : 'with a new time';

  test(`a published file that was changed ${how} is refused by name, never replaced unasked, and repaired by --overwrite`, () =>
    withBuilt(async (project, clean) => {
      for (const name of [text, 'out/shards/s00/shard_0000.parquet', 'out/shards/manifest.json']) {
        corrupt(project, name, quietly);
        const theirs = project.snapshot()[name];
        assert.is.not(theirs, clean[name]);
        const refused = await project.build();
        assert.is(refused.code, 1);
        assert.equal(
          errorsOf(refused).map(({ code, where }) => [code, where]),
          [['edited', project.path(name)]],
        );
        assert.is(project.snapshot()[name], theirs, 'the bytes of whoever changed it are still there');
        const repaired = await project.build('--overwrite');
        assert.is(repaired.summary.steps.ran, 0);
        await assertWell(project, repaired, clean);
      }
    }));

  test(`bytes that were changed ${how} never reach another output`, () =>
    withBuilt(async (project, clean) => {
      corrupt(project, text, quietly);
      project.remove(copy);
      const refused = await project.build();
      assert.is(refused.code, 1);
      assert.ok([undefined, clean[copy]].includes(project.snapshot()[copy]));
      const only = await project.build('copy');
      assert.is(only.code, 0, JSON.stringify(errorsOf(only)));
      assert.is(project.snapshot()[copy], clean[copy]);
      await assertWell(project, await project.build('--overwrite'), clean);
    }));
}

test('a file of the user at a path that is to be published is refused by name, and stays', async () => {
  const project = matrixProject(sources);
  try {
    project.write('out/text/data.jsonl', '{"text":"mine"}\n');
    const refused = await project.build();
    assert.is(refused.code, 1);
    assert.equal(
      errorsOf(refused).map(({ code, where }) => [code, where]),
      [['edited', project.path('out/text/data.jsonl')]],
    );
    assert.is(project.read('out/text/data.jsonl'), '{"text":"mine"}\n');
  } finally {
    project.end();
  }
});

test('a file that is no longer wanted but was changed stays, with a warning', () =>
  withBuilt(async (project) => {
    project.append(copy, '{"text":"mine"}\n');
    const mine = project.read(copy);
    project.write(
      'datasets.config.ts',
      copyOfText.replace("each: 'collection', out: 'out/copy'", "each: 'collection', name: 'other.jsonl', out: 'out/copy'"),
    );
    const outcome = await project.build();
    assert.is(outcome.code, 0, JSON.stringify(errorsOf(outcome)));
    assert.equal(
      warningsOf(outcome).map(({ where }) => where),
      [project.path(copy)],
    );
    assert.is(project.read(copy), mine);
  }));

const packs = (project: TestProject): string[] => project.list('.dsbuild/store').filter((name) => name.endsWith('.pack'));

test('intermediate results that are gone are made again where they are needed, and only there', () =>
  withBuilt(async (project, clean) => {
    for (const name of packs(project)) project.remove(name);
    assert.is((await project.build()).summary.steps.restored, 0, 'nothing needs them');
    project.edit('in/s02.jsonl', (lines) => lines.replace('"text":"', '"text":"one more '));
    const edited = await project.build();
    assert.is(edited.code, 0, JSON.stringify(errorsOf(edited)));
    assert.is(edited.summary.steps.ran, 9);
    assert.ok(edited.summary.steps.restored > 0);
    assert.equal(Object.values(ran(edited)), [1, 1, 1, 1, 1, 1, 1, 1, 1]);
    project.edit('in/s02.jsonl', (lines) => lines.replace('"text":"one more ', '"text":"'));
    await assertWell(project, await project.build(), clean);
  }));

test('without the store, but with its results, the same bytes come out', () =>
  withBuilt(async (project, clean) => {
    project.remove('.dsbuild/store');
    project.remove('out');
    const outcome = await project.build();
    assert.is(outcome.summary.steps.ran, 0);
    assert.ok(outcome.summary.steps.restored > 0);
    await assertWell(project, outcome, clean);
  }));

test('without the results, but with the store, every step runs and the same bytes come out', () =>
  withBuilt(async (project, clean) => {
    project.remove('.dsbuild/results');
    await assertWell(project, await project.build(), clean);
  }));

test('damaged bytes in the store are found, told of, and made again', () =>
  withBuilt(async (project, clean) => {
    for (const name of packs(project)) project.edit(name, (bytes) => bytes.replace(/[a-z]/g, 'z'));
    project.remove(text);
    project.remove(copy);
    const outcome = await project.build();
    assert.ok(warningsOf(outcome).some(({ code }) => code === 'corrupt-store'));
    assert.is(outcome.summary.steps.ran, 0);
    await assertWell(project, outcome, clean);
  }));

test('a damaged file of the store is not published', () =>
  withBuilt(async (project, clean) => {
    project.write('datasets.config.ts', copyOfText.replaceAll("format: 'jsonl'", "format: 'jsonl', fields: ['text']"));
    assert.is((await project.build()).code, 0);
    const store = project.path('.dsbuild/store/v1');
    const blobs = readdirSync(store).flatMap((folder) =>
      folder.length === 2 ? readdirSync(join(store, folder)).map((name) => `.dsbuild/store/v1/${folder}/${name}`) : [],
    );
    assert.ok(blobs.length > 0, 'what was published before went back into the store');
    for (const name of blobs) project.edit(name, (bytes) => bytes.replace(/[a-z]/g, 'z'));
    project.write('datasets.config.ts', copyOfText);
    await assertWell(project, await project.build(), clean);
  }));

test.run();
