/** The schemas of what commands write with `--json`. That the program writes what they say: test/build/json.slow.test.ts. */
import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadCommands } from '../src/cli/commands.ts';
import { FolderCommand } from '../src/cli/folder-command.ts';
import { faults } from './schema-check.ts';
import { schemaFile, schemaOf, schemaTexts } from './schemas.ts';

const test = suite('schemas');

const texts = schemaTexts();

test('every command that has --json has a schema, and no other', async () => {
  const commands = await loadCommands();
  const names = commands.filter(({ prototype, usage }) => prototype instanceof FolderCommand && usage).map(({ paths }) => nameOf(paths));
  assert.equal([...texts.keys()].sort(), names.sort());
});

/** The first path that is one: `build` is what is done without a word as well. */
const nameOf = (paths: readonly (readonly string[])[] = []): string => paths.find((path) => path.length > 0)?.join(' ') ?? '';

test('the schemas are those of the types that are printed: npm run schemas', () => {
  for (const [command, text] of texts) assert.is(readFileSync(schemaFile(command), 'utf8'), text, command);
});

test('what is missing, too much or of another type is found', () => {
  const schema = schemaOf('clean');
  assert.equal(faults({ removed: ['a'], bytes: 1 }, schema), []);
  assert.equal(faults({ removed: ['a'] }, schema), ['/bytes is missing']);
  assert.equal(faults({ removed: ['a', 2], bytes: 1 }, schema), ['/removed/1 is number, not string']);
  assert.equal(faults({ removed: [], bytes: 1, more: true }, schema), ['/more is not in the schema']);
});

test.run();
