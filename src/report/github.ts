import { appendFileSync } from 'node:fs';
import { relative, resolve, sep } from 'node:path';
import type { BuildEvent, BuildSummary, ShownError } from '../base/events.ts';
import { markdownTable } from './markdown.ts';
import type { Output, Reporter } from './reporter.ts';
import { apply, emptyView } from './state.ts';
import { funnelTable, outcomeLine, reasonsByTarget } from './summary.ts';
import { whyWords } from './words.ts';

export interface GithubOptions {
  /** Folder that paths in messages belong to. */
  readonly cwd: string;
  /** `GITHUB_WORKSPACE`: annotations name files below it. */
  readonly workspace: string;
  /** `GITHUB_STEP_SUMMARY`: a file that Markdown is appended to. */
  readonly summaryFile?: string | undefined;
}

/** Source: https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions */
const escapeData = (text: string): string => text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
const escapeProperty = (text: string): string => escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C');

/** The last `file:line` of `datasets.config.ts:3 raw › data/a.jsonl:17`: what is nearest to the mistake. */
function placeIn(where: string): { file: string; line: string } | undefined {
  const found = [...where.matchAll(/(\S+?):(\d+)(?::\d+)?(?=\s|$)/g)].at(-1);
  return found && { file: found[1] as string, line: found[2] as string };
}

function annotation(kind: 'error' | 'warning', { code, message, where = '', hint }: ShownError, options: GithubOptions): string {
  const place = placeIn(where);
  const path = place && relative(options.workspace, resolve(options.cwd, place.file)).split(sep).join('/');
  const isInside = path !== undefined && !path.startsWith('..');
  const properties = [
    ...(place && isInside ? [`file=${escapeProperty(path)}`, `line=${place.line}`] : []),
    `title=${escapeProperty(code)}`,
  ];
  const text = [place || where === '' ? message : `${where}  ${message}`, hint].filter((part) => part !== undefined).join('\n');
  return `::${kind} ${properties.join(',')}::${escapeData(text)}\n`;
}

/** A failure as an entry of a list; lines after the first are indented, so that they stay in it. */
const failureEntry = ({ code, message, where, hint }: ShownError, target: string): string =>
  `- ${[`**${target || code}**: ${where === undefined ? '' : `${where} `}${message}`, ...(hint === undefined ? [] : [hint])]
    .join('\n')
    .replaceAll('\n', '\n  ')}`;

/** The funnel, the reasons and how it ended, as Markdown for the page of a job. */
function markdownSummary(view: ReturnType<typeof emptyView>, summary: BuildSummary, failed: readonly string[]): string {
  const { head, rows } = funnelTable(summary);
  const dropped = reasonsByTarget(summary).map((line) => `- ${line}`);
  const built = [...view.targets.values()].filter(({ state }) => state === 'built');
  const why = built.map(({ name, why: reasons }) => `- \`${name}\`: ${whyWords(reasons)}`);
  return [
    '### dsbuild',
    '',
    `**${outcomeLine(view, summary)}**`,
    '',
    ...markdownTable(head, rows),
    ...(dropped.length > 0 ? [...dropped, ''] : []),
    ...(why.length > 0 ? ['Built, because:', '', ...why, ''] : []),
    ...(failed.length > 0 ? ['Failed:', '', ...failed, ''] : []),
    '',
  ].join('\n');
}

/**
 * What GitHub Actions understands besides plain lines: errors and warnings as annotations of files and lines, and a summary on the page
 * of the job. It stands beside the plain report, whose lines it folds into one group.
 */
export function githubReporter(output: Output, options: GithubOptions): Reporter {
  const view = emptyView();
  const failed: string[] = [];
  let isOpen = false;
  const say = (text: string): void => void output.write(text);
  const onEvent = (event: BuildEvent): void => {
    if (event.type === 'build-started' && !isOpen) {
      isOpen = true;
      say('::group::dsbuild\n');
    } else if (event.type === 'warning') say(annotation('warning', event, options));
    else if (event.type === 'target-failed') {
      say(annotation('error', event.error, options));
      failed.push(failureEntry(event.error, event.target));
    } else if (event.type === 'summary' && options.summaryFile)
      appendTo(options.summaryFile, markdownSummary(view, event, failed.splice(0)));
  };
  return {
    emit: (event) => {
      apply(view, event, performance.now());
      onEvent(event);
    },
    close: () => {
      if (isOpen) say('::endgroup::\n');
    },
  };
}

/** What GitHub Actions is told of an error that ended a command before a build could tell of it: a config or a line that is wrong. */
export function tellGithub(output: Output, error: ShownError, options: GithubOptions): void {
  output.write(annotation('error', error, options));
  if (options.summaryFile) appendTo(options.summaryFile, `### dsbuild\n\n**failed**\n\n${failureEntry(error, '')}\n`);
}

/** `GITHUB_ACTIONS` and its like, as reports need them; undefined where it is not GitHub that runs this. */
export function githubOptions(env: Readonly<Record<string, string | undefined>>, cwd: string): GithubOptions | undefined {
  if (env['GITHUB_ACTIONS'] !== 'true') return undefined;
  return { cwd, workspace: env['GITHUB_WORKSPACE'] ?? cwd, summaryFile: env['GITHUB_STEP_SUMMARY'] };
}

/** A summary is a service: that it can not be written fails no build. */
export function appendTo(file: string, text: string): void {
  try {
    appendFileSync(file, text);
  } catch {
    // Nobody misses it who has the lines.
  }
}
