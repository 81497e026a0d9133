/** The view as it is installed: one file with Ink and React in it, in which two packages of Ink's are replaced by smaller ones. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { coloured } from '../../src/report/colour.ts';
import { cutLine, paintLine, piece, type Tone } from '../../src/report/tui/line.ts';
import type { Layout } from '../../src/report/tui/screen.ts';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const bundle = join(repository, 'dist/src/report/tui/screen.js');

const test = suite<{ layout: Layout }>('view as it is bundled');
test.before.each(async (context) => {
  const { openLayout } = (await import(pathToFileURL(bundle).href)) as typeof import('../../src/report/tui/screen.ts');
  context.layout = openLayout();
});
test.after.each(({ layout }) => layout.close());

const tones: readonly Tone[] = ['plain', 'bold', 'dim', 'good', 'bad', 'warn'];
const pieces = fc.tuple(fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.constant('中文 ━━ │')), fc.constantFrom(...tones));
const row = fc.array(pieces, { maxLength: 4 }).map((all) => {
  const line = all.map(([text, tone]) => piece(text, tone));
  return paintLine(cutLine(line, 40), coloured);
});

test('its rows are the lines that it was given, whatever is in them and whatever was drawn before', ({ layout }) => {
  const frame = fc.array(row, { minLength: 1, maxLength: 8 });
  fc.assert(fc.property(frame, (lines) => assert.equal(layout.rows(lines), lines)));
});

test('it keeps nothing of frames that were drawn: a watch may go on for weeks', ({ layout }) => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const heapBytes = (): number => {
    collect();
    return process.memoryUsage().heapUsed;
  };
  const draw = (frames: number): void => {
    for (let i = 0; i < frames; i++) layout.rows([`${i} ${'x'.repeat(20_000)}`, 'y']);
  };
  draw(100);
  const before = heapBytes();
  draw(400);
  assert.ok(heapBytes() - before < 5e6, `${heapBytes() - before} bytes more`);
});

test('it is small: a build waits while it is parsed', () => {
  assert.ok(statSync(bundle).size < 400e3, `${statSync(bundle).size} bytes`);
});

/** `name version` of each package of which something is in the bundle. */
function packagesIn(map: string): Set<string> {
  const { sources } = JSON.parse(readFileSync(map, 'utf8')) as { sources: string[] };
  const manifestAbove = (folder: string): string =>
    existsSync(join(folder, 'package.json')) ? join(folder, 'package.json') : manifestAbove(dirname(folder));
  const manifests = sources
    .filter((source) => source.includes('node_modules/'))
    .map((source) => manifestAbove(dirname(join(map, '..', source))));
  return new Set(manifests.map((path) => JSON.parse(readFileSync(path, 'utf8'))).map(({ name, version }) => `${name} ${version}`));
}

test('THIRD-PARTY.md names the packages that are in it, with their versions, and no others', () => {
  const [, notices = ''] = readFileSync(join(repository, 'THIRD-PARTY.md'), 'utf8').split('`dist/src/report/tui/screen.js`');
  const named = notices.match(/(?:@[\w-]+\/)?[\w-]+ \d+\.\d+\.\d+/g) ?? [];
  assert.equal([...new Set(named)].sort(), [...packagesIn(`${bundle}.map`)].sort());
});

test.run();
