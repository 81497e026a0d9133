import { messageOf } from '../base/errors.ts';
import type { BuildSummary } from '../base/events.ts';
import type { BuildOptions } from '../engine/api.ts';
import type { Project } from '../engine/project.ts';
import type { Pausing } from '../execute/pausing.ts';
import type { Paint } from '../report/colour.ts';
import { jsonLines, jsonReporter } from '../report/json.ts';
import { plainReporter } from '../report/plain.ts';
import { runRecorder } from '../report/recorder.ts';
import { type Reporter, reportToAll } from '../report/reporter.ts';
import { type CliContext, canRedraw, widthOfScreen } from './context.ts';

export interface ReportFlags {
  readonly json: boolean;
  readonly plain: boolean;
  readonly paint: Paint;
  /** One build after the other; how the next is asked for. */
  readonly watch?: { rebuild(): void };
}

/** Who is told of a build, and what they can do to it. */
export interface Reporting {
  readonly reporter: Reporter;
  /** There is one where somebody has keys to pause with. */
  readonly pausing?: Pausing;
  /** The project is open: the run is written down there, and its targets can be looked at. */
  opened(project: Project): void;
}

/** JSON lines, the view for terminals, or plain lines; and in any case a record of the run. */
export async function reportingFor(context: CliContext, flags: ReportFlags): Promise<Reporting> {
  const recorder = runRecorder();
  const others = [...(await githubReporters(context, flags)), recorder];
  const { json, plain, paint, watch } = flags;
  const opened = ({ stateDir }: Project): void => recorder.writeTo(stateDir);
  const { stdout, cwd, env } = context;
  if (json) return { reporter: reportToAll([watch ? jsonLines(stdout) : jsonReporter(stdout), ...others]), opened };
  if (plain || !canRedraw(context)) {
    const lines = plainReporter(stdout, { paint, cwd, watch: watch !== undefined, columns: () => widthOfScreen(stdout, env) });
    return { reporter: reportToAll([...others, lines]), opened };
  }
  const view = await terminalView(context, flags);
  return {
    reporter: reportToAll([view.reporter, ...others]),
    pausing: view.pausing,
    opened: (project) => {
      opened(project);
      view.opened(project);
    },
  };
}

async function terminalView(context: CliContext, { paint, watch }: ReportFlags) {
  const [{ terminalReporter }, { Pause }] = await Promise.all([import('../report/tui/terminal.ts'), import('../execute/pausing.ts')]);
  const { stopping, engine, cwd } = context;
  const pausing = new Pause();
  let project: Project | undefined;
  const reporter = terminalReporter({
    stdout: context.stdout as NodeJS.WriteStream,
    stderr: context.stderr as NodeJS.WriteStream,
    stdin: context.stdin as NodeJS.ReadStream,
    paint,
    cwd,
    watch: watch !== undefined,
    steering: {
      interrupt: () => stopping.interrupt(),
      // A build that is over ends by itself, and with its own exit code.
      quit: () => watch && stopping.quit(),
      ...(watch && { rebuild: () => watch.rebuild() }),
      pausing,
      look: (target) => engine.look(project as Project, target),
    },
  });
  const opened = (now: Project): void => {
    project = now;
  };
  return { reporter, pausing, opened };
}

export interface ReportedBuild {
  readonly flags: ReportFlags;
  readonly options: BuildOptions;
  /** Opens the project and hands it out while it is open; events go to the reporter from the first. */
  withProject(use: (project: Project) => Promise<BuildSummary>, emit: Reporter['emit']): Promise<BuildSummary>;
}

const isOnGithub = ({ env }: CliContext): boolean => env['GITHUB_ACTIONS'] === 'true' && Boolean(env['GITHUB_STEP_SUMMARY']);

/** On the page of the job, below how it ended. A report is a service: nothing that goes wrong with it fails a build. */
async function tellDifference(context: CliContext, project: Project, summary: BuildSummary): Promise<void> {
  const [{ baseDifference }, { appendTo }] = await Promise.all([import('./base-difference.ts'), import('../report/github.ts')]);
  const text = await baseDifference(context, project, summary).catch((error) => `The difference could not be told: ${messageOf(error)}\n`);
  if (text !== undefined) appendTo(context.env['GITHUB_STEP_SUMMARY'] as string, text);
}

/** On GitHub Actions plain lines come with annotations and a summary on the page of the job. */
async function githubReporters({ env, stdout, cwd }: CliContext, { json }: ReportFlags): Promise<Reporter[]> {
  if (json || env['GITHUB_ACTIONS'] !== 'true') return [];
  const { githubOptions, githubReporter } = await import('../report/github.ts');
  const options = githubOptions(env, cwd);
  return options ? [githubReporter(stdout, options)] : [];
}

/** Builds, shows how, and writes it down in the project's `runs`. */
export async function buildReported(context: CliContext, { flags, options, withProject }: ReportedBuild): Promise<BuildSummary> {
  const { reporter, pausing, opened } = await reportingFor(context, flags);
  try {
    return await withProject(async (project) => {
      opened(project);
      const summary = await context.engine.build(project, { ...options, ...(pausing && { pausing }) });
      if (isOnGithub(context) && options.sample === undefined) await tellDifference(context, project, summary);
      return summary;
    }, reporter.emit);
  } finally {
    reporter.close();
  }
}
