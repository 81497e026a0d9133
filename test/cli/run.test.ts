import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Engine } from '../../src/cli/engine.ts';
import { engine as realEngine } from '../../src/cli/engine.ts';
import { optionsFrom, type RuleFlag } from '../../src/cli/run-flags.ts';
import type { OptionShape } from '../../src/rule/options.ts';
import type { Rule } from '../../src/rule/rule.ts';
import { isSourceValue } from '../../src/rule/source.ts';
import type { AnyTarget } from '../../src/rule/target.ts';
import { type Asked, type Ended, emptyFolder, removeFolders, run, stage, words } from './console.ts';

const test = suite('run');
test.after(removeFolders);

type Inline = Parameters<Engine['openInline']>[0];

interface OneShot extends Ended {
  readonly asked: Asked;
  readonly inline: Inline | undefined;
  /** The targets by name, as a config would have declared them. */
  readonly targets: Readonly<Record<string, AnyTarget>>;
}

/** Runs a line with the real rules; the project that it would open is only written down. */
async function oneShot(line: string, cwd: string): Promise<OneShot> {
  const asked = stage();
  let inline: Inline | undefined;
  const openInline: Engine['openInline'] = (options) => {
    inline = options;
    return (asked.engine.openInline as Engine['openInline'])(options);
  };
  const face = await realEngine.loadFace();
  const ended = await run(words(line), { engine: { ...asked.engine, openInline, loadFace: async () => face }, cwd });
  const targets = (inline?.config(face).targets ?? {}) as Readonly<Record<string, AnyTarget>>;
  return { ...ended, asked, inline, targets };
}

function folderWith(...paths: readonly string[]): string {
  const folder = emptyFolder();
  for (const path of paths) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), '{"text":"a"}\n');
  }
  return folder;
}

const optionsOf = (target: AnyTarget | undefined) => target?.node.options;

function sourcesOf({ targets }: OneShot): Record<string, readonly string[]> {
  const given = optionsOf(targets['download'])?.['sources'] as Record<string, unknown>;
  return Object.fromEntries(Object.entries(given).map(([group, value]) => [group, isSourceValue(value) ? value.patterns : []]));
}

test('run tokenize makes the targets that a config would have: documents, tokens, shards, index', async () => {
  const cwd = folderWith('distillation/a.jsonl', 'distillation/deep/b.jsonl');
  const line = 'run tokenize --input distillation --output out --recursive --tokenizer T --max-seq-length 1024 --shard-size 2';
  const shot = await oneShot(line, cwd);
  assert.is(shot.code, 0, shot.stderr);
  assert.equal(Object.keys(shot.targets), ['download', 'tokenize', 'shard', 'index']);
  assert.equal(sourcesOf(shot), { 'distillation/*': ['distillation/**/*.jsonl'] });
  assert.equal(optionsOf(shot.targets['tokenize']), { tokenizer: 'T' });
  assert.equal(optionsOf(shot.targets['shard']), { maxSeqLength: 1024, shardSize: '2GB' });
  assert.is(shot.targets['shard']?.node.common.out, join(cwd, 'out'));
  assert.is(shot.targets['index']?.node.common.out, undefined);
  assert.is(shot.inline?.stateDir, join(cwd, 'out/.dsbuild'));
  assert.is(shot.inline?.cwd, cwd);
  assert.is(shot.asked.closed, 1);
});

test('an option that is an object has a flag for each of its fields', async () => {
  const line =
    'run tokenize --input data --output out --tokenizer T --window-length 1_024 --window-stride 512 ' +
    '--drop-tokens-characters-min 2 --drop-tokens-special --drop-tokens-stop-words the,of';
  const shot = await oneShot(line, folderWith('data/a.jsonl'));
  assert.is(shot.code, 0, shot.stderr);
  assert.equal(optionsOf(shot.targets['tokenize']), {
    tokenizer: 'T',
    window: { length: 1024, stride: 512 },
    dropTokens: { charactersMin: 2, special: true, stopWords: ['the', 'of'] },
  });
});

test('run shard makes the same targets', async () => {
  const shot = await oneShot('run shard --input data --output out --tokenizer T --max-seq-length 64', folderWith('data/a.jsonl'));
  assert.is(shot.code, 0, shot.stderr);
  assert.equal(Object.keys(shot.targets), ['download', 'tokenize', 'shard', 'index']);
});

test('run export publishes documents in the form that its flags say', async () => {
  const shot = await oneShot(
    'run export --input data --output text --format jsonl.gz --fields id --fields text',
    folderWith('data/a.jsonl'),
  );
  assert.is(shot.code, 0, shot.stderr);
  assert.equal(Object.keys(shot.targets), ['download', 'export']);
  assert.equal(optionsOf(shot.targets['export']), { format: 'jsonl.gz', fields: ['id', 'text'] });
});

test('an input folder gives the files in it; compressed ones too; those below it only with --recursive', async () => {
  const cwd = folderWith('data/a.jsonl', 'data/b.jsonl.gz', 'data/deep/c.jsonl.zst', 'data/d.json');
  const line = 'run tokenize --input data --output out --tokenizer T';
  assert.equal(sourcesOf(await oneShot(line, cwd)), { 'data/*': ['data/*.jsonl', 'data/*.jsonl.gz'] });
  assert.equal(sourcesOf(await oneShot(`${line} --recursive`, cwd)), {
    'data/*': ['data/**/*.jsonl', 'data/**/*.jsonl.gz', 'data/**/*.jsonl.zst'],
  });
});

test('an input file is a group of its own', async () => {
  const shot = await oneShot('run tokenize --input data/a.jsonl.gz --output out --tokenizer T', folderWith('data/a.jsonl.gz'));
  assert.equal(sourcesOf(shot), { 'data/a': ['data/a.jsonl.gz'] });
});

test('an output elsewhere becomes the project, and paths stay what they were', async () => {
  const [cwd, other] = [folderWith('data/a.jsonl', 'tokenizer.json'), emptyFolder()];
  const shot = await oneShot(`run tokenize --input data --output ${other}/out --tokenizer tokenizer.json`, cwd);
  assert.is(shot.inline?.cwd, other);
  assert.equal(sourcesOf(shot), { 'data/*': [join(cwd, 'data/*.jsonl')] });
  assert.equal(optionsOf(shot.targets['tokenize']), { tokenizer: join(cwd, 'tokenizer.json') });
});

test('--skip-existing is accepted, and says that it changes nothing', async () => {
  const shot = await oneShot('run tokenize --input data --output out --tokenizer T --skip-existing --force', folderWith('data/a.jsonl'));
  assert.is(shot.code, 0, shot.stderr);
  assert.match(shot.stdout, '--skip-existing: what is done is never done again anyway');
  assert.equal(
    shot.asked.built.map(({ force }) => force),
    [true],
  );
});

const mistakes: readonly [line: string, says: string][] = [
  ['run tokenize --output out --tokenizer T', '--input is missing\n'],
  ['run tokenize --input data --tokenizer T', '--output is missing\n'],
  ['run tokenize --input data --output out', '--tokenizer is missing\n'],
  ['run tokenize --input nope --output out --tokenizer T', 'there is no file or folder nope\n'],
  ['run tokenize --input data --output out --tokenizer T --max-seq-length 1', '--max-seq-length must be at least 2, but is 1\n'],
  [
    'run tokenize --input data --output out --tokenizer T --max-seq-length long',
    '--max-seq-length must be a whole number, but is "long"\n',
  ],
  [
    'run tokenize --input data --output out --tokenizer T --labels shift',
    '--labels must be one of shifted, hf, but is "shift". Did you mean "shifted"?\n',
  ],
  [
    'run tokenize --input data --output out --tokenizer T --max-seq-len 8',
    'dsbuild run tokenize has no option --max-seq-len\nDid you mean --max-seq-length?',
  ],
  ['run tokenize --input data --output out --tokenizer T --window-length 0', '--window-length must be at least 1, but is 0\n'],
  ['run tokenize --input data --output out --tokenizer T --window-stride 5', '--window-length is missing\n'],
  [
    'run tokenize --input data --output out --tokenizer T --window-length 8 --window-stride 8',
    '--window-stride must be less than length, but is 8\n',
  ],
  ['run tokenise', 'no rule "tokenise" can run on its own. Did you mean "tokenize"?\n'],
];

for (const [line, says] of mistakes) {
  test(`dsbuild ${line}: ${says.split('\n')[0]}`, async () => {
    const shot = await oneShot(line, folderWith('data/a.jsonl'));
    assert.is(shot.code, 2);
    assert.ok(shot.stderr.startsWith(says), shot.stderr);
    assert.is(shot.inline, undefined);
  });
}

test('"No JSONL files found" hints at --recursive when some lie deeper', async () => {
  const line = 'run tokenize --input data --output out --tokenizer T';
  const nested = await oneShot(line, folderWith('data/deep/a.jsonl', 'data/deep/b.jsonl'));
  assert.is(nested.stderr, 'No JSONL files found in data\n2 lie in folders below it: add --recursive.        [no-jsonl]\n');
  const none = await oneShot(`${line} --recursive`, folderWith('data/a.json'));
  assert.is(none.stderr, 'No JSONL files found in data\nLooked for *.jsonl, *.jsonl.gz and *.jsonl.zst.        [no-jsonl]\n');
});

test('run lists the rules that can run on their own; so does its help', async () => {
  const { code, stdout } = await oneShot('run', emptyFolder());
  assert.is(code, 0);
  const help = await oneShot('run --help', emptyFolder());
  for (const rule of ['command', 'download', 'export', 'shard', 'tokenize']) {
    assert.match(stdout, new RegExp(`^  ${rule} `, 'm'));
    assert.match(help.stdout, new RegExp(`^  ${rule} `, 'm'));
  }
  assert.not.match(stdout, /^ {2}filter /m, 'its functions can not be said in a flag');
  assert.not.match(stdout, /^ {2}index /m, 'all that it says comes from the rules before it');
});

test('run --json without a rule is one object with all of them', async () => {
  const { code, stdout } = await oneShot('run --json', emptyFolder());
  assert.is(code, 0);
  const { rules } = JSON.parse(stdout) as { rules: { rule: string; doc: string }[] };
  assert.equal(
    rules.map(({ rule }) => rule).filter((rule) => ['command', 'tokenize', 'filter'].includes(rule)),
    ['command', 'tokenize'],
  );
  assert.ok(rules.every(({ doc }) => doc !== ''));
  const unknown = await oneShot('run tokenise --json', emptyFolder());
  const { type, code: errorCode, hint } = JSON.parse(unknown.stdout) as Record<string, string>;
  assert.equal([unknown.code, unknown.stderr, type, errorCode], [2, '', 'error', 'usage']);
  assert.match(hint ?? '', 'tokenize');
});

test('run tokenize --help lists the flags of the rules that it runs, with docs and defaults', async () => {
  const { stdout } = await oneShot('run tokenize --help', emptyFolder());
  assert.match(stdout, 'Runs download, tokenize, shard, index on the files of --input');
  assert.match(stdout, /--tokenizer <tokenizer> {2,}A tokenizer\.json by path[\s\S]*?Needed\./);
  assert.match(stdout, /--max-seq-length <n> {2,}Tokens in a sequence\. Default: 8192\./);
  assert.match(stdout, /--shard-size <size> {2,}[\s\S]*?A bare\s+number means GB\. Default: 2GB\./);
  assert.match(stdout, /--window-length <n> /);
  assert.match(stdout, /--window-stride <n> {2,}[\s\S]*?Default: 0\./);
  assert.match(stdout, /--drop-tokens-stop-words <true\|word,word> /);
  assert.match(stdout, /--labels <shifted\|hf> /);
  assert.match(stdout, /--across-documents {2,}[\s\S]*?--no-across-documents turns it\s+off/);
});

const someRule = { name: 'some' } as Rule;
const typed = (shape: OptionShape, text: unknown): unknown => {
  const flag: RuleFlag = { rule: someRule, option: 'it', shape, flag: '--it' };
  return optionsFrom([flag], { given: () => text, path: (path) => `/base/${path}` }).get(someRule)?.['it'];
};

test('a flag is read as its option wants it', () => {
  assert.equal(typed({ type: 'integer' }, '1_024'), 1024);
  assert.equal(typed({ type: 'number' }, '0.5'), 0.5);
  assert.equal(typed({ type: 'boolean' }, false), false);
  assert.equal(typed({ type: 'size' }, '2'), '2GB');
  assert.equal(typed({ type: 'size' }, '0.5'), '0.5GB');
  assert.equal(typed({ type: 'size' }, '500MB'), '500MB');
  assert.equal(typed({ type: 'list', of: { type: 'integer' } }, ['1', '2']), [1, 2]);
  assert.equal(typed({ type: 'record', of: { type: 'text' } }, ['LANG=C', 'X=a=b']), { LANG: 'C', X: 'a=b' });
  assert.equal(typed({ type: 'file' }, 'words.txt'), '/base/words.txt');
  assert.equal(typed({ type: 'files' }, ['a', 'b']), ['/base/a', '/base/b']);
  assert.equal(typed({ type: 'words' }, 'true'), true);
  assert.equal(typed({ type: 'words' }, 'the,of'), ['the', 'of']);
  assert.equal(typed({ type: 'text', optional: true }, undefined), undefined);
  assert.throws(() => typed({ type: 'size' }, 'much'), /--it must be a size such as '500MB' or '2GB', but is "much"/);
  assert.throws(() => typed({ type: 'record', of: { type: 'text' } }, ['LANG']), /--it takes name=value, but got "LANG"/);
});

test.run();
