import { formatCount } from '../base/bytes.ts';
import type { BuildSummary } from '../base/events.ts';
import { readIfThere } from '../base/files.ts';
import type { DiffItem } from '../engine/api.ts';
import type { Project } from '../engine/project.ts';
import { markdownTable } from '../report/markdown.ts';
import { type RunRecord, runRecord, runsIn } from '../report/recorded.ts';
import type { CliContext } from './context.ts';
import { isComplete, isWhole, outputsOf } from './run-outputs.ts';

type Environment = CliContext['env'];

/** What a job is compared with. */
interface Base {
  readonly branch: string;
  /** The commit that a pull request was made against, if GitHub says which. */
  readonly commit: string | undefined;
}

/** `GITHUB_EVENT_PATH` holds what set the job off, in JSON. */
function baseCommitOf(env: Environment): string | undefined {
  try {
    const event = JSON.parse(readIfThere(env['GITHUB_EVENT_PATH'] ?? '')?.toString('utf8') ?? '{}') as Record<string, unknown>;
    const { base } = (event['pull_request'] ?? {}) as { base?: { sha?: unknown } };
    return typeof base?.sha === 'string' ? base.sha : undefined;
  } catch {
    return undefined;
  }
}

/** A pull request is compared with its base, a push with what was built of its branch before. */
function baseOf(env: Environment): Base | undefined {
  const { GITHUB_BASE_REF: base, GITHUB_REF_NAME: pushed } = env;
  if (base) return { branch: base, commit: baseCommitOf(env) };
  return pushed ? { branch: pushed, commit: undefined } : undefined;
}

/** The newest build of the very commit, else of the branch. */
function recordOf({ branch, commit }: Base, { stateDir }: Project, now: string): RunRecord | undefined {
  const records = runsIn(stateDir)
    .filter((run) => run !== now)
    .map((run) => runRecord(stateDir, run))
    .filter((record) => record.summary?.ok === true && isComplete(record) && isWhole(record));
  const ofCommit = commit === undefined ? undefined : records.find(({ summary }) => summary?.commit === commit);
  return ofCommit ?? records.find(({ summary }) => summary?.branch === branch);
}

const rowsMax = 50;
const arrow = (before: number, after: number): string =>
  before === after ? (after === 0 ? '' : formatCount(after)) : `${formatCount(before)} → ${formatCount(after)}`;
const orBlank = (count: number | undefined): string => (count ? formatCount(count) : '');

type Group = Extract<DiffItem, { type: 'group' }>;
type Note = Extract<DiffItem, { type: 'note' }>;

interface Row {
  readonly target: string;
  readonly group: string;
  readonly documents: string;
  readonly tokens: string;
  /** Where it is known which documents differ. */
  readonly changes?: Group['changes'];
}

const groupRow = ({ target, group, before, after, changes }: Group): Row => ({
  target,
  group,
  documents: arrow(before.documents, after.documents),
  tokens: arrow(before.tokens, after.tokens),
  ...(changes && { changes }),
});

interface Compared {
  readonly before: BuildSummary;
  readonly after: BuildSummary;
}

/** Of a target whose earlier parts are gone, what the two summaries say. */
function totalsRow(target: string, { before, after }: Compared): Row | undefined {
  const [was, is] = [before.targets[target], after.targets[target]];
  if (!was || !is) return undefined;
  return { target, group: '', documents: arrow(was.documentsOut, is.documentsOut), tokens: arrow(was.tokens, is.tokens) };
}

const hasFigures = ({ before, after }: Group): boolean => before.documents + after.documents + before.tokens + after.tokens > 0;

/** Which documents differ has columns where it is known of any. */
function tableOf(rows: readonly Row[]): string[] {
  const kinds = rows.some(({ changes }) => changes) ? (['added', 'removed', 'changed'] as const) : [];
  const cells = rows
    .slice(0, rowsMax)
    .map(({ target, group, documents, tokens, changes }) => [
      target,
      group,
      documents,
      ...kinds.map((kind) => orBlank(changes?.[kind])),
      tokens,
    ]);
  const more = rows.length > rowsMax ? [`... and ${rows.length - rowsMax} more.`, ''] : [];
  return [...markdownTable(['target', 'group', 'documents', ...kinds, 'tokens'], cells, 2), ...more];
}

/** What differs, as Markdown. */
async function differenceText(items: AsyncIterable<DiffItem>, compared: Compared): Promise<string[]> {
  const rows: Row[] = [];
  const said: Note[] = [];
  let differs = false;
  for await (const item of items) {
    differs ||= item.type !== 'same';
    if (item.type === 'group' && hasFigures(item)) rows.push(groupRow(item));
    if (item.type === 'note') said.push(item);
  }
  const isKnown = ({ target }: Note): boolean => rows.some((row) => row.target === target && row.changes !== undefined);
  const totals = new Map(said.filter((note) => !isKnown(note)).map((note) => [note, totalsRow(note.target, compared)]));
  rows.push(...[...totals.values()].filter((row) => row !== undefined));
  const notes = said.filter((note) => !totals.get(note)).map(({ target, message }) => `- \`${target}\`: ${message}`);
  if (!differs) return ['Nothing differs: every target holds what it held there.', ''];
  if (rows.length + notes.length === 0) return ['Bytes differ, but no counts.', ''];
  return [...tableOf(rows), ...notes, ...(notes.length > 0 ? [''] : [])];
}

/**
 * What a build on GitHub Actions left beside what the base branch has, as Markdown for the page of the job. What is known of the base is
 * what lies in `.dsbuild`, carried over from its builds; where nothing does, it says so. Undefined outside of GitHub's jobs.
 */
export async function baseDifference(context: CliContext, project: Project, summary: BuildSummary): Promise<string | undefined> {
  const base = baseOf(context.env);
  if (!base) return undefined;
  const record = recordOf(base, project, summary.run);
  if (!record?.summary) {
    // What is pushed has no base: the first build of a branch has nothing to be compared with.
    if (!context.env['GITHUB_BASE_REF']) return undefined;
    return [
      `#### Difference to \`${base.branch}\`: not known`,
      '',
      `No build of it is on record here. Builds of \`${base.branch}\` have to leave \`.dsbuild/runs\` for this job, as with actions/cache.`,
      '',
    ].join('\n');
  }
  const { commit } = record.summary;
  const isOlder = base.commit !== undefined && commit !== base.commit;
  const which = [commit?.slice(0, 12), record.started].filter((part) => part !== undefined).join(', ');
  const request = { before: outputsOf(record), after: outputsOf({ summary }), targets: [], samples: 0 };
  return [
    `#### Difference to \`${base.branch}\``,
    '',
    `Compared with the build of ${which}.${isOlder ? ` That is not the commit ${base.commit?.slice(0, 12)} which this is based on, of which no build is on record.` : ''}`,
    '',
    ...(await differenceText(context.engine.diff(project, request), { before: record.summary, after: summary })),
  ].join('\n');
}
