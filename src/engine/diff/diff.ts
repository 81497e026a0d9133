import type { Digest } from '../../base/digest.ts';
import { BuildError } from '../../base/errors.ts';
import { byCodeUnit, didYouMean } from '../../base/names.ts';
import { matcher } from '../../graph/pattern.ts';
import { factOf, type Part, sumOf } from '../../rule/part.ts';
import { Fetching } from '../fetching.ts';
import type { Project } from '../project.ts';
import { type Compared, compareDocuments, partsOnlyIn } from './documents.ts';
import type { Amounts, DiffItem, DiffRequest, RunOutputs } from './items.ts';
import { PartLines } from './part-lines.ts';

interface Side {
  readonly before: readonly Part[];
  readonly after: readonly Part[];
}

/** Names of what both runs, or one of them, left: the first output of a target has the target's name, `clean.rejected` another one. */
function collectionsOf(outputs: RunOutputs): Map<string, Digest> {
  return new Map(
    Object.entries(outputs).flatMap(([target, collections]) =>
      Object.entries(collections).map(([output, digest], i) => [i === 0 ? target : `${target}.${output}`, digest] as const),
    ),
  );
}

function wanted(known: readonly string[], asked: readonly string[]): string[] {
  const meant = asked.map((name) => ({
    name,
    found: known.filter((one) => one === name || one.startsWith(`${name}.`) || matcher(name)(one)),
  }));
  const unknown = meant.find(({ found }) => found.length === 0);
  if (unknown) {
    throw new BuildError('unknown-target', {
      message: `none of the two runs has a target "${unknown.name}".${didYouMean(unknown.name, known)}`,
      hint: `They have ${known.join(', ') || 'none'}.`,
    });
  }
  const names = new Set(meant.flatMap(({ found }) => found));
  return asked.length === 0 ? [...known] : known.filter((name) => names.has(name));
}

/**
 * Says what differs between what two runs left, group by group, with samples of the documents. Documents that are not here are fetched where
 * that is allowed. @throws {BuildError} `unknown-target`.
 */
export async function* diff(project: Project, request: DiffRequest): AsyncGenerator<DiffItem> {
  const fetching = new Fetching(project, request.use ?? { remote: false });
  try {
    yield* compared(project, request, new PartLines(project, { fetching, before: request.before }));
  } finally {
    await fetching.close();
  }
}

async function* compared(project: Project, { before, after, targets, samples }: DiffRequest, lines: PartLines): AsyncGenerator<DiffItem> {
  const [was, is] = [collectionsOf(before), collectionsOf(after)];
  for (const target of wanted([...new Set([...is.keys(), ...was.keys()])], targets)) {
    const [from, to] = [was.get(target), is.get(target)];
    if (from === to) yield { type: 'same', target };
    else if (from === undefined || to === undefined) {
      yield { type: 'note', target, message: from === undefined ? 'the earlier run did not build it' : 'the later run did not build it' };
    } else yield* ofTarget(project, { target, from, to, lines, samples });
  }
}

interface OfTarget {
  readonly target: string;
  readonly from: Digest;
  readonly to: Digest;
  readonly lines: PartLines;
  readonly samples: number;
}

async function* ofTarget(project: Project, { target, from, to, lines, samples }: OfTarget): AsyncGenerator<DiffItem> {
  const ours = project.graph.outputs.get(target)?.target;
  const [before, after] = [await lines.list(from, ours), await lines.list(to, ours)];
  if (!before || !after) {
    yield {
      type: 'note',
      target,
      message: `what it was ${before ? 'in the later run' : 'in the earlier run'} is no longer in the store: it was cleaned`,
    };
    return;
  }
  for (const [group, side] of groupsOf(before, after)) {
    // Selections of nothing, each of another chunk.
    if (isDocuments([...side.before, ...side.after]) && sumOf([...side.before, ...side.after], 'records') === 0) continue;
    const [gone, come] = [partsOnlyIn(side.before, side.after), partsOnlyIn(side.after, side.before)];
    if (gone.length === 0 && come.length === 0) continue;
    const {
      changes,
      note,
      samples: found,
      lost,
    }: Compared = await compareDocuments(gone, come, {
      lines,
      samples,
      target: ours,
    });
    const amounts = { before: amountsOf(side.before), after: amountsOf(side.after) };
    yield { type: 'group', target, group, ...amounts, ...(changes && { changes }), ...(note !== undefined && { note }) };
    for (const sample of found) yield { type: 'sample', target, group, ...sample };
    for (const one of lost) yield { type: 'lost', target, group, ...one };
  }
}

const isDocuments = (parts: readonly Part[]): boolean => parts.every(({ form }) => form === 'lines' || form === 'view');

function groupsOf(before: readonly Part[], after: readonly Part[]): [string, Side][] {
  const names = [...new Set([...before, ...after].map(({ group }) => group))].sort(byCodeUnit);
  const of = (parts: readonly Part[], name: string): Part[] => parts.filter(({ group }) => group === name);
  return names.map((name) => [name, { before: of(before, name), after: of(after, name) }]);
}

/** Shards count the documents that they hold as samples. */
const amountsOf = (parts: readonly Part[]): Amounts => ({
  documents: parts.reduce((sum, part) => sum + (part.facts['records'] ?? factOf(part, 'samples')), 0),
  tokens: sumOf(parts, 'tokens'),
  parts: parts.length,
});
