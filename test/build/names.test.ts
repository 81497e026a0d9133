/** Names as people, archives and enemies choose them: what is built under them is right, and nothing lies outside of `out`. */
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { records } from './matrix.ts';
import { errorsOf, type Outcome, TestProject } from './project.ts';

const test = suite('names');

const config = (sources: string, options = ''): string => `import { defineConfig, download, exportDataset, files } from 'dsbuild';
const raw = download({ sources: { ${sources} }, out: 'checked' });
const text = exportDataset(raw, { format: 'jsonl', ${options} out: 'out' });
export default defineConfig({ targets: { raw, text } });
`;

async function withProject(use: (project: TestProject) => Promise<void>): Promise<void> {
  const project = new TestProject();
  try {
    await use(project);
  } finally {
    project.end();
  }
}

/** Everything beside the project's own files, down to the folder that holds it. */
const outside = (project: TestProject): string[] => readdirSync(join(project.dir, '..')).concat(readdirSync(project.dir)).sort();

const isMistake = (outcome: Outcome): boolean => errorsOf(outcome).length > 0 && errorsOf(outcome).every(({ code }) => code !== 'bug');

const odd = [
  'with space',
  'quote"and\'more',
  'line\nbreak',
  'tab\there',
  '-n',
  '--force',
  '$(touch x)',
  '`touch x`',
  '%2e%2e%2f',
  'caf\u00e9',
  'cafe\u0301',
  '\u202Eltr',
  'emoji \u{1F4DA}',
  '__proto__',
  'constructor',
  'toString',
  '#',
  ';',
  'a'.repeat(200),
];

test('files with odd names are built, published under their names, and known the next time', () =>
  withProject(async (project) => {
    project.write('datasets.config.ts', config("'odd/*': files('in/**/*.jsonl')"));
    odd.forEach((name, i) => {
      project.write(`in/${name}.jsonl`, records(i, 2));
    });
    const outcome = await project.build();
    assert.equal(errorsOf(outcome), []);
    for (const [i, name] of odd.entries()) assert.is(project.read(`out/odd/${name}.jsonl`), records(i, 2), name);
    assert.is(project.list('out').length, odd.length);
    assert.equal((await project.build()).summary.steps, { ran: 0, hit: 0, restored: 0, failed: 0 });
    assert.not.ok(project.has('x'));
  }));

test('a file whose name is not UTF-8 is an error that says so, and so is a name that is too long for its files', () =>
  withProject(async (project) => {
    project.write('datasets.config.ts', config("'odd/*': files('in/**/*.jsonl')"));
    project.write('in/good.jsonl', records(1, 2));
    const bad = Buffer.concat([Buffer.from(`${project.path('in')}/`), Buffer.from([0xff, 0xfe]), Buffer.from('.jsonl')]);
    writeFileSync(bad, records(2, 2));
    const outcome = await project.build();
    assert.equal(
      errorsOf(outcome).map(({ code }) => code),
      ['source-unreadable'],
    );
    project.remove('in');
    project.write(`in/${'b'.repeat(249)}.jsonl`, records(1, 2));
    assert.ok(isMistake(await project.build()));
  }));

const leading = ['../../evil', 'a/../../../evil', '/tmp/evil', 'a/..', '..', 'a//b', 'a\\\\..\\\\..\\\\evil', './x', 'a/\\0'];
for (const name of leading) {
  test(`a group called ${name} leads nowhere: the config is refused, or what is written lies in out`, () =>
    withProject(async (project) => {
      project.write('datasets.config.ts', config(`'${name}': 'in.jsonl'`));
      project.write('in.jsonl', records(1, 2));
      const before = outside(project);
      const outcome = await project.build();
      assert.ok(isMistake(outcome) || outcome.code === 0);
      const expected = new Set([...before, '.dsbuild', 'out', 'checked', 'dsbuild.lock']);
      assert.equal(
        outside(project).filter((entry) => !expected.has(entry)),
        [],
      );
    }));
}

test('a name that an option gives leads nowhere', () =>
  withProject(async (project) => {
    project.write('in.jsonl', records(1, 2));
    for (const name of ['../evil.jsonl', '/tmp/evil.jsonl', 'a/../../evil.jsonl', '..']) {
      project.write('datasets.config.ts', config("'a/b': 'in.jsonl'", `each: 'collection', name: '${name}',`));
      assert.ok(isMistake(await project.build()), name);
      assert.not.ok(project.has('../evil.jsonl') || project.has('evil.jsonl'));
    }
  }));

test('links that lead to themselves, out of the folder or to nothing are passed over or followed to files, and the build ends', () =>
  withProject(async (project) => {
    project.write('datasets.config.ts', config("'odd/*': files('in/**/*.jsonl')"));
    project.write('in/good.jsonl', records(1, 2));
    project.write('elsewhere/linked.jsonl', records(2, 2));
    mkdirSync(project.path('in/deep'));
    symlinkSync('..', project.path('in/deep/up'));
    symlinkSync('loop.jsonl', project.path('in/loop.jsonl'));
    symlinkSync('../elsewhere/linked.jsonl', project.path('in/linked.jsonl'));
    symlinkSync('nowhere', project.path('in/dangling.jsonl'));
    const outcome = await project.build();
    assert.ok(outcome.code === 0 || isMistake(outcome), outcome.stderr);
    for (const name of ['loop.jsonl', 'dangling.jsonl']) project.remove(`in/${name}`);
    assert.equal(errorsOf(await project.build()), []);
    assert.equal(project.list('out'), ['out/odd/good.jsonl', 'out/odd/linked.jsonl']);
  }));

test('`out` may be a link to a folder, and is published there; a file in its place is named', () =>
  withProject(async (project) => {
    project.write('datasets.config.ts', config("'a/b': 'in.jsonl'"));
    project.write('in.jsonl', records(1, 2));
    mkdirSync(project.path('large-disk'));
    symlinkSync('large-disk', project.path('out'));
    assert.equal(errorsOf(await project.build()), []);
    assert.is(project.read('large-disk/a/b.jsonl'), records(1, 2));
    assert.is((await project.build()).summary.steps.ran, 0);
    project.remove('out');
    project.write('out', 'mine');
    assert.ok(isMistake(await project.build()));
    assert.is(project.read('out'), 'mine');
  }));

test('records and options with the keys of prototypes are data like all others', () =>
  withProject(async (project) => {
    const lines = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty'].map(
      (key, i) => `{"id":"${i}","text":"t","${key}":{"polluted":true},"metadata":{"${key}":{"polluted":true}}}\n`,
    );
    project.write('in.jsonl', lines.join(''));
    project.write(
      'datasets.config.ts',
      `${config("'constructor/__proto__': 'in.jsonl'")}if (({} as { polluted?: boolean }).polluted) throw new Error('polluted');\n`,
    );
    assert.equal(errorsOf(await project.build()), []);
    assert.is(project.read('out/constructor/__proto__.jsonl'), lines.join(''));
    for (const name of ['__proto__', 'constructor', 'toString', '__proto__.polluted']) {
      const outcome = await project.start('build', '--json', '--set', `${name}=x`).done;
      assert.ok(outcome.code === 0 || isMistake(outcome), `${name}: ${outcome.stderr}`);
      const told = await project.start('build', name, '--json').done;
      assert.equal([told.code, errorsOf(told).map(({ code }) => code)], [2, ['unknown-target']]);
    }
  }));

test('two sources that would be published under one name, but for how Unicode is written, are both there', () =>
  withProject(async (project) => {
    project.write('datasets.config.ts', config("'a/caf\u00e9': 'one.jsonl', 'a/cafe\u0301': 'two.jsonl'"));
    project.write('one.jsonl', records(1, 2));
    project.write('two.jsonl', records(2, 2));
    assert.equal(errorsOf(await project.build()), []);
    assert.equal([project.read('out/a/caf\u00e9.jsonl'), project.read('out/a/cafe\u0301.jsonl')], [records(1, 2), records(2, 2)]);
  }));

test.run();
