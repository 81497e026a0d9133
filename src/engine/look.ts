import { messageOf } from '../base/errors.ts';
import type { PartLook, TargetLook } from '../base/look.ts';
import { readPart } from '../cache/part-reader.ts';
import { outputNames } from '../execute/plan-run.ts';
import type { GraphTarget } from '../graph/graph.ts';
import { decodeCollection } from '../rule/collection.ts';
import type { Part } from '../rule/part.ts';
import { head } from './head.ts';
import { readLastPlan } from './last-plan.ts';
import { shownPath } from './places.ts';
import type { Project } from './project.ts';
import { isSelection } from './target-result.ts';

const partsShownMax = 200;
const rowsShown = 5;
const valueCharsMax = 500;

/** One target as a view shows it. Options and parts are looked up; rows are read, and only of what is built as the config stands. */
export async function look(project: Project, name: string): Promise<TargetLook> {
  const target = project.graph.get(name) as GraphTarget;
  const parts = lastParts(project, target);
  const { out } = target;
  return {
    target: name,
    rule: target.rule.name,
    where: target.where,
    ...(out !== undefined && { out: shownPath(project.root, out) }),
    options: Object.entries(target.options).flatMap(([option, value]) =>
      value === undefined ? [] : [{ name: option, value: JSON.stringify(value)?.slice(0, valueCharsMax) ?? String(value) }],
    ),
    parts: parts.slice(0, partsShownMax).map(partLook),
    partCount: parts.length,
    ...(await firstRows(project, name)),
  };
}

/** The main output as it was when it was last built; nothing if that was never, or if its list is gone. */
function lastParts({ stateDir, store }: Project, target: GraphTarget): readonly Part[] {
  const digest = readLastPlan(stateDir, target.name)?.outputs[outputNames(target)[0] as string];
  const location = digest === undefined ? undefined : store.locate(digest);
  return digest && location ? decodeCollection(readPart(digest, location)) : [];
}

const partLook = (part: Part): PartLook => ({
  name: [part.group, part.name ?? part.digest.slice(0, 12)].filter((word) => word !== '').join('  '),
  ...(!isSelection(part) && { bytes: part.bytes }),
  records: part.facts.records ?? 0,
  tokens: part.facts.tokens ?? 0,
});

async function firstRows(project: Project, name: string): Promise<Pick<TargetLook, 'rows' | 'noRows'>> {
  const rows: string[] = [];
  try {
    for await (const { row } of head(project, name, { rows: rowsShown, rejected: false })) rows.push(JSON.stringify(row));
  } catch (error) {
    return { rows, noRows: messageOf(error) };
  }
  return { rows };
}
