import type { BuildSummary } from '../base/events.ts';
import type { BuildOptions } from '../engine/api.ts';
import type { Project } from '../engine/project.ts';
import type { Paint } from '../report/colour.ts';
import { jsonReporter } from '../report/json.ts';
import { plainReporter } from '../report/plain.ts';
import { runRecorder } from '../report/recorder.ts';
import { type Reporter, reportToAll } from '../report/reporter.ts';
import { type CliContext, canRedraw } from './context.ts';

export interface ReportFlags {
  readonly json: boolean;
  readonly plain: boolean;
  readonly paint: Paint;
}

/** JSON lines, the view for terminals, or plain lines. The view is loaded only when it is shown: Ink takes half a second. */
async function reporterFor(context: CliContext, { json, plain, paint }: ReportFlags): Promise<Reporter> {
  if (json) return jsonReporter(context.stdout);
  if (plain || !canRedraw(context)) return plainReporter(context.stdout, { paint, cwd: context.cwd });
  const { terminalReporter } = await import('../report/tui/terminal.ts');
  return terminalReporter({ stdout: context.stdout as NodeJS.WriteStream, paint, cwd: context.cwd });
}

export interface ReportedBuild {
  readonly flags: ReportFlags;
  readonly options: BuildOptions;
  /** Opens the project and hands it out while it is open; events go to the reporter from the first. */
  withProject(use: (project: Project) => Promise<BuildSummary>, emit: Reporter['emit']): Promise<BuildSummary>;
}

/** On GitHub Actions plain lines come with annotations and a summary on the page of the job. */
async function githubReporters({ env, stdout, cwd }: CliContext, { json }: ReportFlags): Promise<Reporter[]> {
  if (json || env['GITHUB_ACTIONS'] !== 'true') return [];
  const { githubReporter } = await import('../report/github.ts');
  const options = { cwd, workspace: env['GITHUB_WORKSPACE'] ?? cwd, summaryFile: env['GITHUB_STEP_SUMMARY'] };
  return [githubReporter(stdout, options)];
}

/** Builds, shows how, and writes it down in the project's `runs`. */
export async function buildReported(context: CliContext, { flags, options, withProject }: ReportedBuild): Promise<BuildSummary> {
  const recorder = runRecorder();
  const reporter = reportToAll([...(await githubReporters(context, flags)), await reporterFor(context, flags), recorder]);
  try {
    return await withProject((project) => {
      recorder.writeTo(project.stateDir);
      return context.engine.build(project, options);
    }, reporter.emit);
  } finally {
    reporter.close();
  }
}
