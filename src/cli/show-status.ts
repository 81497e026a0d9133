import { formatBytes } from '../base/bytes.ts';
import type { BuildOptions, SourceStatus, StatusReport, TargetStatus } from '../engine/api.ts';
import type { Project } from '../engine/project.ts';
import type { Paint } from '../report/colour.ts';
import { shownPath } from '../report/plain.ts';
import { forPeople } from '../report/printed.ts';
import { counted, formatDuration, whyWords } from '../report/words.ts';
import { exitCode } from './exit-codes.ts';
import type { ProjectCommand } from './project-command.ts';

const stateWords: Readonly<Record<TargetStatus['state'], string>> = {
  fresh: 'fresh',
  stale: 'stale',
  unknown: 'not fresh',
  'never-built': 'never built',
  failed: 'not planned',
  blocked: 'not built',
};

function stepsWords({ toRun, hit, exact }: TargetStatus['steps']): string {
  if (toRun === 0 && hit === 0) return '';
  return `${exact ? '' : '~'}${counted(toRun, 'step')} to run${hit > 0 ? `, ${hit} known` : ''}`;
}

/** `85.1 MB to read, ~20,000,000 tokens, ~81.0 MB to write, about 2.40 s`: what its steps come to; time is that of as many at once as there are jobs. */
function estimateWords({ estimate }: TargetStatus, jobs: number): string {
  if (!estimate || estimate.steps === 0) return '';
  const { bytesIn, tokens, bytesOut, workMs, isExact, isAtLeast } = estimate;
  const words = [
    bytesIn === 0 ? '' : `${isExact ? '' : '~'}${formatBytes(Math.round(bytesIn))} to read`,
    tokens === 0 ? '' : `~${counted(tokens, 'token')}`,
    bytesOut === 0 ? '' : `~${formatBytes(Math.round(bytesOut))} to write`,
    workMs === 0 ? '' : `${isAtLeast ? 'at least' : 'about'} ${formatDuration(workMs / jobs)}`,
  ];
  return words.filter((word) => word !== '').join(', ');
}

/** What all of it comes to, and whether it fits. */
function totalLines({ estimate, stale, diskFree }: StatusReport, paint: Paint): string[] {
  if (stale === 0 || !estimate || estimate.steps === 0) return [];
  const { steps, bytesOut, tookMs, jobs, isAtLeast, isExact } = estimate;
  const about = isAtLeast ? 'at least' : 'about';
  const line = `${about} ${formatDuration(tookMs)} with ${counted(jobs, 'job')}: ${isExact ? '' : '~'}${counted(steps, 'step')}, ${about} ${formatBytes(Math.round(bytesOut))} to write`;
  const short = bytesOut > diskFree ? [paint.red(`that does not fit: ${formatBytes(diskFree)} are free on this disk`)] : [];
  return [line, ...short];
}

function contentWords({ documents, tokens, bytes }: TargetStatus): string {
  const words = [documents && counted(documents, 'document'), tokens && counted(tokens, 'token'), bytes && formatBytes(bytes)];
  return words.filter((word) => word).join(', ');
}

const sourceWords: Readonly<Record<SourceStatus['state'], string>> = {
  there: 'there',
  missing: 'missing',
  'not-fetched': 'not fetched yet',
  fetched: 'fetched',
};

function sourceLine({ group, source, state, files, bytes }: SourceStatus, paint: Paint): string {
  const word = state === 'missing' ? paint.red(sourceWords[state]) : sourceWords[state];
  const size = [files === undefined ? '' : counted(files, 'file'), bytes === undefined ? '' : formatBytes(bytes)]
    .filter((part) => part !== '')
    .join(', ');
  return `    ${group}  ${source}  ${word}${size === '' ? '' : `  ${size}`}`;
}

/** One line for each target, and below it the sources that it reads and what is wrong in its folder; then what all of it comes to. */
function statusLines(report: StatusReport, { paint, cwd }: { paint: Paint; cwd: string }): string[] {
  const { targets, stale, diskFree, estimate } = report;
  const width = Math.max(0, ...targets.map(({ target }) => target.length));
  const lines = targets.flatMap((target) => {
    const isFresh = target.state === 'fresh' && target.outProblems.length === 0;
    const word = (target.state === 'fresh' && !isFresh ? 'out differs' : stateWords[target.state]).padEnd('never built'.length);
    const words = [
      stepsWords(target.steps),
      estimateWords(target, estimate?.jobs ?? 1),
      target.state === 'fresh' ? '' : whyWords(target.why),
      contentWords(target),
      target.out === undefined ? '' : `-> ${shownPath(target.out, cwd)}`,
    ];
    const line = `${paint.bold(target.target.padEnd(width))}  ${isFresh ? paint.green(word) : paint.yellow(word)}  ${words.filter((part) => part !== '').join(' · ')}`;
    return [
      line.trimEnd(),
      ...target.sources.map((source) => sourceLine(source, paint)),
      ...target.outProblems.map((problem) => `    ${paint.red(problem)}`),
    ];
  });
  const end =
    stale === 0 ? 'all targets are fresh' : `${stale} of ${counted(targets.length, 'target')} ${stale === 1 ? 'is' : 'are'} not fresh`;
  return [...lines, ...totalLines(report, paint), `${end}; ${formatBytes(diskFree)} free on this disk`];
}

export interface StatusRequest {
  readonly project: Project;
  readonly options: BuildOptions;
  readonly check: boolean;
}

/** Says what a build would do. */
export async function showStatus(command: ProjectCommand, { project, options, check }: StatusRequest): Promise<number> {
  const report = await command.context.engine.status(project, options);
  if (command.json) command.printJson(report);
  else command.print(statusLines(forPeople(report), { paint: command.paint, cwd: command.context.cwd }).join('\n'));
  return check && report.stale > 0 ? exitCode.stale : exitCode.ok;
}
