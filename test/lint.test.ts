/** Biome's newer rules move between groups and versions: each that is switched on by name must still find what it is there for. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const root = fileURLToPath(new URL('..', import.meta.url));

const bad = `import { b } from './b.ts';
import thing from 'no-such-package';

async function later(): Promise<number> {
  return b;
}
later();
if (later()) process.exit();
declare const kind: 'x' | 'y';
switch (kind) {
  case 'x':
    process.exit();
}
export const a = (given: any): number => thing(given!);
export default a;
`;

const expected = [
  'lint/correctness/noUndeclaredDependencies',
  'lint/nursery/noFloatingPromises',
  'lint/nursery/noMisusedPromises',
  'lint/nursery/useExhaustiveSwitchCases',
  'lint/style/noDefaultExport',
  'lint/style/noNonNullAssertion',
  'lint/suspicious/noExplicitAny',
  'lint/suspicious/noImportCycles',
];

const test = suite('lint');

test('rules that are switched on by name find what they are there for', () => {
  const folder = mkdtempSync(join(tmpdir(), 'dsbuild-lint-'));
  try {
    cpSync(join(root, 'biome.json'), join(folder, 'biome.json'));
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    writeFileSync(join(folder, 'a.ts'), bad);
    writeFileSync(join(folder, 'b.ts'), `import { a } from './a.ts';\n\nexport const b = a(1);\n`);
    const { status, stdout } = spawnSync(join(root, 'node_modules/.bin/biome'), ['lint', '--vcs-enabled=false', '--reporter=json', '.'], {
      cwd: folder,
      encoding: 'utf8',
    });
    const { diagnostics } = JSON.parse(stdout) as { diagnostics: { category: string }[] };
    const found = new Set(diagnostics.map(({ category }) => category));
    assert.is(status, 1);
    assert.equal(
      expected.filter((rule) => !found.has(rule)),
      [],
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test.run();
