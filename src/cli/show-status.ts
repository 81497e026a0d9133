import { formatBytes } from '../base/bytes.ts';
import type { BuildOptions, SourceStatus, StatusReport, TargetStatus } from '../engine/api.ts';
import type { Project } from '../engine/project.ts';
import type { Paint } from '../report/colour.ts';
import { shownPath } from '../report/plain.ts';
import { counted, whyWords } from '../report/words.ts';
import { exitCode } from './exit-codes.ts';
import type { ProjectCommand } from './project-command.ts';

const stateWords: Readonly<Record<TargetStatus['state'], string>> = {
  fresh: 'fresh',
  stale: 'stale',
  unknown: 'not fresh',
  'never-built': 'never built',
  failed: 'failed',
};

function stepsWords({ toRun, hit, exact }: TargetStatus['steps']): string {
  if (toRun === 0 && hit === 0) return '';
  return `${exact ? '' : '~'}${counted(toRun, 'step')} to run${hit > 0 ? `, ${hit} known` : ''}`;
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

/** One line for each target, and below it the sources that it reads and what is wrong in its folder. */
function statusLines({ targets, stale, diskFree }: StatusReport, { paint, cwd }: { paint: Paint; cwd: string }): string[] {
  const width = Math.max(0, ...targets.map(({ target }) => target.length));
  const lines = targets.flatMap((target) => {
    const word = stateWords[target.state].padEnd('never built'.length);
    const words = [
      stepsWords(target.steps),
      target.state === 'fresh' ? '' : whyWords(target.why),
      contentWords(target),
      target.out === undefined ? '' : `-> ${shownPath(target.out, cwd)}`,
    ];
    const line = `${paint.bold(target.target.padEnd(width))}  ${target.state === 'fresh' ? paint.green(word) : paint.yellow(word)}  ${words.filter((part) => part !== '').join(' · ')}`;
    return [
      line.trimEnd(),
      ...target.sources.map((source) => sourceLine(source, paint)),
      ...target.outProblems.map((problem) => `    ${paint.red(problem)}`),
    ];
  });
  const end =
    stale === 0 ? 'all targets are fresh' : `${stale} of ${counted(targets.length, 'target')} ${stale === 1 ? 'is' : 'are'} not fresh`;
  return [...lines, `${end}; ${formatBytes(diskFree)} free on this disk`];
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
  else command.print(statusLines(report, { paint: command.paint, cwd: command.context.cwd }).join('\n'));
  return check && report.stale > 0 ? exitCode.stale : exitCode.ok;
}
