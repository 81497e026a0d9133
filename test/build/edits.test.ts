import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { assertAsClean, cleanBuild, withProject as within } from './clean-build.ts';
import { matrixConfig, matrixProject, sourceName } from './matrix.ts';
import { errorsOf, type Outcome, type TestProject } from './project.ts';

const test = suite('edits during a build');

const sources = 6;

/** An adapter that can be held at the record that says so, before any later source is read. */
const holdingAdapter = (home: string): string => `import { existsSync, writeFileSync } from 'node:fs';
import { defineAdapter } from 'dsbuild';
export const holding = defineAdapter({ name: 'holding', adapt(record) {
  const home = ${JSON.stringify(home)};
  if (String(record['id']) === '1-0' && existsSync(home + '/hold')) {
    writeFileSync(home + '/adapter.held', '');
    while (existsSync(home + '/hold')) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
  }
  return { id: String(record['id']), text: String(record['text']) };
} });
`;

const withProject = (use: (project: TestProject) => Promise<void>, project = matrixProject(sources)): Promise<void> => within(project, use);

const first = (text: string): string => text.replace('"text":"', '"text":"AAAA first ');
const second = (text: string): string => text.replace('"text":"', '"text":"BBBB second ');

/** Builds with one worker, held at the first program; `meanwhile` runs before any later source's program has read its input. */
async function buildHeld(project: TestProject, meanwhile: () => void): Promise<Outcome> {
  const gate = project.gate();
  const running = project.start('build', '--json', '-j', '1');
  await gate.held();
  meanwhile();
  gate.open();
  const outcome = await running.done;
  gate.end();
  return outcome;
}

test('an input edited after it was hashed and before its step read it is planned again, and no key holds other bytes', () =>
  withProject(async (project) => {
    const name = sourceName(5);
    const original = project.read(name);
    project.write(name, first(original));
    const outcome = await buildHeld(project, () => project.write(name, second(original)));
    await assertAsClean(project, outcome);
    project.write(name, first(original));
    await assertAsClean(project, await project.build());
    project.write(name, second(original));
    const back = await project.build();
    assert.is(back.summary.steps.ran, 0);
    await assertAsClean(project, back);
  }));

test('an input edited and put back before its step read it changes nothing', () =>
  withProject(async (project) => {
    const name = sourceName(5);
    const original = project.read(name);
    const outcome = await buildHeld(project, () => {
      project.write(name, second(original));
      project.write(name, original);
    });
    await assertAsClean(project, outcome);
    assert.is((await project.build()).summary.steps.ran, 0);
  }));

test('lines inserted in front of others while the build runs: chunks are found at their new places', () =>
  withProject(async (project) => {
    const outcome = await buildHeld(project, () => project.edit(sourceName(0), (text) => `{"id":"new","text":"in front"}\n${text}`));
    await assertAsClean(project, outcome);
    assert.is((await project.build()).summary.steps.ran, 0);
  }));

test('a source that is removed, or renamed, while the build runs is planned again without it', () =>
  withProject(async (project) => {
    const outcome = await buildHeld(project, () => {
      project.remove(sourceName(4));
      project.move(sourceName(5), 'in/s07.jsonl');
    });
    await assertAsClean(project, outcome);
    assert.is((await project.build()).summary.steps.ran, 0);
  }));

test('an input edited after its step read it and before the step ended: the result is that of the bytes it read', () =>
  withProject(async (project) => {
    const name = sourceName(0);
    const original = project.read(name);
    project.write(name, first(original));
    // The program has read all of its input before it comes to the gate, and the first source's is the first.
    const during = await buildHeld(project, () => project.write(name, second(original)));
    assert.is(during.code, 0, JSON.stringify(errorsOf(during)));
    const next = await project.build();
    await assertAsClean(project, next);
    project.write(name, first(original));
    const back = await project.build();
    await assertAsClean(project, back);
  }));

test('an input edited before the very first step that reads it: the adapter of a later source finds it changed', () =>
  withProject(async (project) => {
    project.write('adapter.ts', holdingAdapter(project.home));
    const config = matrixConfig().replace("files('in/**/*.jsonl')", "files('in/**/*.jsonl', { adapt: holding })");
    project.write('datasets.config.ts', `import { holding } from './adapter.ts';\n${config}`);
    const name = sourceName(5);
    const original = project.read(name);
    project.write(name, first(original));
    const held = project.atHome('adapter.held');
    project.writeHome('hold', '');
    const running = project.start('build', '--json', '-j', '1');
    await held;
    project.write(name, second(original));
    project.removeHome('hold');
    await assertAsClean(project, await running.done);
    project.write(name, first(original));
    await assertAsClean(project, await project.build());
  }));

test('a source that is written to again and again ends in a clear error, and the build after it is right', () =>
  withProject(async (project) => {
    const gate = project.gate();
    const running = project.start('build', '--json', '-j', '1');
    await gate.held();
    let count = 0;
    const writer = setInterval(() => project.append(sourceName(5), `{"id":"w${count++}","text":"more"}\n`), 1);
    gate.open();
    const outcome = await running.done;
    clearInterval(writer);
    gate.end();
    assert.ok(count > 0);
    if (outcome.code !== 0) assert.ok(errorsOf(outcome).every(({ code }) => ['source-changed', 'source-changing'].includes(code)));
    await assertAsClean(project, await project.build());
  }));

test("a tool's edit during the build reaches no result of this build", () =>
  withProject(async (project) => {
    const before = project.read('tools/lower.sh');
    const outcome = await buildHeld(project, () => project.write('tools/lower.sh', before.replace('tr ', 'rev | tr ')));
    assert.is(outcome.code, 0);
    const edited = project.snapshot();
    await assertAsClean(project, await project.build());
    project.write('tools/lower.sh', before);
    assert.equal(edited, await cleanBuild(project));
  }));

test.run();
