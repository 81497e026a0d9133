import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { diffLine } from '../../src/cli/show-diff.ts';
import type { DiffItem } from '../../src/engine/api.ts';
import { uncoloured } from '../../src/report/colour.ts';

const test = suite('what diff shows');

const amounts = { documents: 480, tokens: 0, parts: 1 };
const group: DiffItem = { type: 'group', target: 'clean.rejected', group: 'docs/a', before: amounts, after: amounts };

test('where it is not known which documents differ no change is claimed', () => {
  const note = 'which documents is not known';
  assert.is(diffLine({ ...group, note }, uncoloured), `clean.rejected docs/a  (480 -> 480 documents)  ${note}`);
  const more = { ...group, after: { ...amounts, documents: 482 }, note };
  assert.is(diffLine(more, uncoloured), `clean.rejected docs/a  +2 documents  (480 -> 482 documents)  ${note}`);
});

test.run();
