import { existsSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { command } from '../../rules/command.ts';
import { LineSplitter } from '../../rules/lib/line-splitter.ts';
import { runProgram } from '../../rules/lib/program.ts';
import type { Part } from '../../src/rule/part.ts';
import { encodeView } from '../../src/rule/view.ts';
import { refusal } from '../refusal.ts';
import { documentsPart, filePart, identitiesOf, linesIn, type Planned, type PlanSettings, planRule } from './harness.ts';
import { StepMemory } from './step-keys.ts';

const test = suite('command');
const version = '1';

type Options = Readonly<Record<string, unknown>> & { readonly settings?: PlanSettings };
const run = (documents: readonly Part[], argv: readonly string[], options: Options = {}): Promise<Planned> =>
  planRule(command, { documents }, { run: argv, version, tools: {}, ...options });
const shell = (documents: readonly Part[], script: string, options: Options = {}): Promise<Planned> =>
  run(documents, ['sh', '-c', script], options);
const parts = ({ outputs }: Planned): readonly Part[] => outputs['main'] ?? [];
const lines = (planned: Planned): string[] => parts(planned).flatMap(linesIn);

const three = documentsPart([
  '{"id":"a","text":"one","stars":1.0}',
  '{"text":"two"}',
  '{"id":"c","text":"three","metadata":{"big":12345678901234567890}}',
]);

test('a program gets the lines of the documents as they are, and what it writes are the documents', async () => {
  const planned = await run([three], ['cat']);
  assert.equal(lines(planned), linesIn(three));
  assert.equal(parts(planned)[0]?.digest, three.digest);
  assert.equal(planned.counters, { documentsIn: 3, documentsOut: 3 });
});

test('a program may drop, change and add documents', async () => {
  const planned = await shell([three], `sed -e 's/one/1/' -e '/two/d' -e 's/^.*three.*$/&\\n&/'`);
  const [first, , third] = linesIn(three);
  assert.equal(lines(planned), [first?.replace('one', '1'), third, third]);
  assert.equal(planned.counters, { documentsIn: 3, documentsOut: 3 });
});

test('only the documents that a view selects are written to it', async () => {
  const bytes = encodeView({ base: three.digest, records: 3, bitmap: Uint8Array.of(0b110) });
  const view: Part = { ...filePart(bytes), form: 'view', facts: { records: 2, u: 1 } };
  assert.equal(lines(await run([view], ['cat'])), linesIn(three).slice(1));
});

test('it runs once for each chunk, or once for each group', async () => {
  const chunks = [three, documentsPart([{ text: 'x' }], 'c/d'), documentsPart([{ text: 'y' }])];
  const script = 'sed -n "$ { p }"';
  const each = await shell(chunks, script);
  assert.equal([each.steps.length, lines(each).length], [3, 3]);
  const whole = await shell(chunks, script, { per: 'target' });
  assert.equal(
    parts(whole).map((part) => [part.group, linesIn(part)]),
    [
      ['a/b', ['{"text":"y"}']],
      ['c/d', ['{"text":"x"}']],
    ],
  );
  assert.is(whole.steps.length, 2);
});

test('what it writes is cut into chunks by the cut rule', async () => {
  const many = documentsPart(Array.from({ length: 200 }, (_, i) => ({ id: `${i}`, text: 'x'.repeat(i) })));
  const planned = await run([many], ['cat'], { settings: { chunkBytes: 2000 } });
  assert.ok(parts(planned).length > 5);
  assert.equal(lines(planned), linesIn(many));
  assert.ok(parts(planned).every(({ form, facts }) => form === 'lines' && (facts['records'] as number) > 0 && facts['u'] !== undefined));
});

test('its tools lie below its folder under the names given, whatever their modes', async () => {
  const tools = {
    'tools/shout.sh': filePart('#!/bin/sh\nsed "s/$(cat tools/data/from.txt)/X/"\n'),
    './tools/data/from.txt': filePart('two'),
  };
  const planned = await run([three], ['tools/shout.sh'], { tools });
  assert.is(lines(planned)[1], '{"text":"X"}');
});

test('it sees no file but its tools', async () => {
  const planned = await shell([three], `find . -type f | sort | sed 's/.*/{"text":"&"}/'`, { tools: { 'a/b.txt': filePart('x') } });
  assert.equal(lines(planned), ['{"text":"./a/b.txt"}']);
});

test('a tool that lies outside the folder of the config is refused', async () => {
  for (const name of ['../x.py', 'tools/../../x.py', `${tmpdir()}/x.py`]) {
    assert.is((await refusal(run([three], ['cat'], { tools: { [name]: filePart('x') } }))).code, 'bad-tool');
  }
});

test('its environment is PATH, HOME, LANG, TZ, and what `env` and `secrets` name', async () => {
  process.env['DSBUILD_TEST_LEAK'] = 'leaked';
  const script = `for (const [name, value] of Object.entries(process.env)) console.log(JSON.stringify({ id: name, text: value }))`;
  const options = { env: { MODE: 'fast', TZ: 'Asia/Tokyo' }, secrets: { TOKEN: 'VARIABLE' }, settings: { secrets: { TOKEN: 's3cret' } } };
  const planned = await run([three], ['node', '-e', script], options);
  const seen = Object.fromEntries(lines(planned).map((line) => Object.values(JSON.parse(line)) as [string, string]));
  const { PATH = '', HOME = '' } = process.env;
  // Node hands it to every child itself, whatever environment that is given.
  delete seen['NODE_V8_COVERAGE'];
  assert.equal(seen, { PATH, HOME, LANG: 'C.UTF-8', TZ: 'Asia/Tokyo', MODE: 'fast', TOKEN: 's3cret' });
});

test('secrets are in no parameter of a step', async () => {
  const options = { secrets: { TOKEN: 'VARIABLE' }, settings: { secrets: { TOKEN: 's3cret' } } };
  const { params } = await run([three], ['cat'], options);
  assert.not.match(JSON.stringify(params), /s3cret|VARIABLE/);
});

test('input and output flow at the same time: neither blocks the other, whichever the program handles first', async () => {
  const text = 'x'.repeat(1000);
  const big = documentsPart(Array.from({ length: 3000 }, (_, i) => ({ id: `${i}`, text })));
  assert.is(lines(await run([big], ['cat'])).length, 3000);
  const writesFirst = `yes '{"text":"${text}"}' | head -n 3000; cat`;
  assert.is(lines(await shell([big], writesFirst)).length, 6000);
});

test('a program that ends well before it has read everything is fine', async () => {
  const big = documentsPart(Array.from({ length: 3000 }, () => ({ text: 'x'.repeat(1000) })));
  assert.is(lines(await run([big], ['head', '-n', '2'])).length, 2);
  assert.equal(lines(await run([big], ['true'])), []);
  assert.is(lines(await shell([big], `exec <&-; echo '{"text":"closed"}'`)).length, 1);
});

test('lines that are no documents are quarantined and counted; blank ones are left out', async () => {
  const script = String.raw`printf '{"text":"ok"}\n\nnot json\n{"id":1}\n{"text":5}\n[1]\n{"messages":[]}\n{"text":"\377"}\n{"text":"last"}'`;
  const planned = await shell([three], script);
  assert.equal(lines(planned), ['{"text":"ok"}', '{"text":"last"}']);
  assert.equal(planned.counters, {
    documentsIn: 3,
    documentsOut: 2,
    blank: 1,
    'quarantined:not-json': 1,
    'quarantined:no-text': 1,
    'quarantined:text-not-a-string': 1,
    'quarantined:not-an-object': 1,
    'quarantined:chat-record': 1,
    'quarantined:invalid-utf8': 1,
  });
  assert.match(planned.quarantined[0]?.detail ?? '', /^line 3 of the program's output: /);
});

test('an exit code other than 0 is an error with command, code and the end of its standard error', async () => {
  const script = 'for i in $(seq 30); do echo "complaint $i" >&2; done; exit 3';
  const error = await refusal(shell([three], script));
  assert.is(error.code, 'command-failed');
  assert.match(error.message, /^sh -c ".*exit 3" ended with exit code 3/);
  const shown = [...error.message.matchAll(/complaint (\d+)$/gm)].map(([, number]) => Number(number));
  assert.equal(
    shown,
    Array.from({ length: 20 }, (_, i) => i + 11),
  );
  assert.match(error.hint ?? '', /`tools`/);
});

test('a program that is killed says by what', async () => {
  const error = await refusal(shell([three], 'kill -KILL $$'));
  assert.match(error.message, /was ended by SIGKILL, and wrote nothing/);
});

test('no error shows a secret', async () => {
  const options = { secrets: { TOKEN: 'VARIABLE' }, settings: { secrets: { TOKEN: 's3cret' } } };
  const failed = await refusal(shell([three], 'echo "got $TOKEN" >&2; exit 1', options));
  assert.match(failed.message, /got \*\*\*/);
  assert.not.match(failed.message, /s3cret/);
  const { quarantined } = await shell([three], 'echo "$TOKEN"', options);
  assert.not.match(JSON.stringify(quarantined), /s3cret/);
});

test('a program that is not there is an error that says what to do', async () => {
  const error = await refusal(run([three], ['dsbuild-no-such-program', 'x']));
  assert.is(error.code, 'command-not-found');
  assert.match(error.message, /"dsbuild-no-such-program"/);
  assert.match(error.hint ?? '', /PATH/);
  const own = await refusal(run([three], ['./tools/missing.sh']));
  assert.match(own.hint ?? '', /`tools`/);
});

test('a file that is no program is an error that says so', async () => {
  const error = await refusal(run([three], ['tools/data'], { tools: { 'tools/data/x.txt': filePart('x') } }));
  assert.is(error.code, 'command-failed');
  assert.match(error.message, /could not be started: EACCES/);
});

test('an empty command is refused', async () => {
  assert.is((await refusal(run([three], []))).code, 'no-command');
});

test('a program that runs too long is killed with its children', async () => {
  const error = await refusal(shell([three], 'sleep 1000 & sleep 1000', { timeoutSeconds: 1 }));
  assert.is(error.code, 'command-timeout');
  assert.match(error.hint ?? '', /timeoutSeconds/);
});

test('a child that outlives its program and holds its output does not outlive the time limit', async () => {
  assert.is((await refusal(shell([three], 'sleep 1000 & exit 0', { timeoutSeconds: 1 }))).code, 'command-timeout');
});

const stateOf = (pid: number): string =>
  existsSync(`/proc/${pid}/stat`) ? (readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.[0] ?? '') : 'gone';

test('when the build is stopped the program and its children are killed', async () => {
  const stop = new AbortController();
  let written = '';
  const program = {
    argv: ['sh', '-c', 'sleep 1000 & echo "$$ $!"; wait'],
    env: { PATH: process.env['PATH'] ?? '' },
    cwd: tmpdir(),
    signal: stop.signal,
    redact: (text: string) => text,
  };
  const output = (bytes: Buffer): void => {
    written += bytes.toString();
    if (written.endsWith('\n')) stop.abort(new Error('stopped'));
  };
  const reason = await runProgram(program, { input: [], output }).catch((error: unknown) => error);
  assert.is((reason as Error).message, 'stopped');
  for (const pid of written.trim().split(' ').map(Number)) {
    while (existsSync('/proc') && !['gone', 'Z', 'X'].includes(stateOf(pid))) await new Promise((resolve) => setImmediate(resolve));
    assert.ok(pid > 0);
  }
});

test('an error while its output is taken ends the program', async () => {
  const program = {
    argv: ['yes'],
    env: { PATH: process.env['PATH'] ?? '' },
    cwd: tmpdir(),
    signal: new AbortController().signal,
    redact: String,
  };
  const full = (): void => {
    throw new Error('disk full');
  };
  const reason = await runProgram(program, { input: [], output: full }).catch((error: unknown) => error);
  assert.is((reason as Error).message, 'disk full');
});

test('its command, version, environment and the bytes of its tools are in the key', async () => {
  const memory = new StepMemory();
  const given = { run: ['cat'], version, tools: { 'x.txt': filePart('x') }, env: { A: '1' } };
  const plan = async (options: object = {}) => (await memory.plan(command, { documents: [three] }, { ...given, ...options })).ran.length;
  assert.equal([await plan(), await plan()], [1, 0]);
  const changes = [{ version: '2' }, { run: ['cat', '-'] }, { env: { A: '2' } }, { tools: { 'x.txt': filePart('y') } }];
  for (const change of changes) assert.is(await plan(change), 1, JSON.stringify(change));
  assert.is(await plan(), 0);
});

test('the same collection comes out in whatever order the steps end', async () => {
  const documents = Array.from({ length: 5 }, (_, i) => documentsPart([{ id: `${i}`, text: 'x' }], i % 2 ? 'a/b' : 'c/d'));
  for (const per of ['chunk', 'target']) {
    const identities = await identitiesOf(command, { documents }, { run: ['cat'], version, tools: {}, per, schedules: 3 });
    assert.is(new Set(identities).size, 1);
  }
});

test('output is split into lines wherever it is broken; an over-long line is known by its length alone', () => {
  const whole = Buffer.from(`short\n\n${'x'.repeat(50)}\n${'y'.repeat(10)}\nlast`);
  for (let piece = 1; piece <= whole.length; piece++) {
    const seen: (string | number)[] = [];
    const splitter = new LineSplitter(10, (line, bytes) => void seen.push(bytes > 10 ? bytes : line.toString()));
    for (let at = 0; at < whole.length; at += piece) splitter.push(whole.subarray(at, at + piece));
    splitter.end();
    assert.equal(seen, ['short', '', 50, 'yyyyyyyyyy', 'last']);
  }
});

test.run();
