import { formatBytes } from '../base/bytes.ts';
import { BuildError } from '../base/errors.ts';
import type { BuildEvent, BuildSummary } from '../base/events.ts';
import { didYouMean } from '../base/names.ts';
import type { Paint } from '../report/colour.ts';
import type { RecordedEvent, RunRecord } from '../report/recorded.ts';
import { counted, formatDuration } from '../report/words.ts';

type Event<T extends BuildEvent['type']> = Extract<RecordedEvent, { type: T }>;

/** `clean`, and the targets that it has within: `clean/filter`. */
const isMeant = (target: string, named: string): boolean => target === named || target.startsWith(`${named}/`);

/** Names of the targets of a run that a name means. @throws {BuildError} `unknown-target` when the run has none. */
export async function targetsNamed(named: string, events: AsyncIterable<RecordedEvent>): Promise<ReadonlySet<string>> {
  const known = new Set<string>();
  for await (const event of events) {
    if (event.type === 'build-started') for (const name of event.targets) known.add(name);
    if ('target' in event && event.target) known.add(event.target);
  }
  const meant = new Set([...known].filter((target) => isMeant(target, named)));
  if (meant.size > 0) return meant;
  throw new BuildError('unknown-target', {
    message: `the run has no target "${named}".${didYouMean(named, known)}`,
    hint: `Its targets: ${[...known].join(', ') || 'none'}.`,
  });
}

export const isOfTarget = (event: BuildEvent, targets: ReadonlySet<string>): boolean =>
  'target' in event && event.target !== undefined && targets.has(event.target);

function outcomeWord({ ok, superseded, interrupted }: BuildSummary, paint: Paint): string {
  if (superseded) return paint.dim('gave way');
  if (interrupted) return paint.yellow('interrupted');
  return ok ? paint.green('done') : paint.red('failed');
}

/** One line for a run on record. */
export function runLine({ run, started, summary }: RunRecord, paint: Paint): string {
  if (!summary) return `${paint.bold(run)}  ${paint.yellow('cut off before its end')}`;
  const { steps, tookMs, targets, warnings, only, sample } = summary;
  const words = [
    outcomeWord(summary, paint),
    only === undefined ? '' : `--only '${only}'`,
    sample === undefined ? '' : `--sample ${sample}`,
    counted(Object.keys(targets).length, 'target'),
    `${counted(steps.ran, 'step')} ran`,
    steps.failed === 0 ? '' : `${steps.failed} failed`,
    warnings === 0 ? '' : counted(warnings, 'warning'),
    formatDuration(tookMs),
  ];
  return `${paint.bold(run)}  ${started.slice(0, 16).replace('T', ' ')}  ${words.filter((word) => word !== '').join(' · ')}`;
}

/** A step that ran, with the time at which it ended. */
export function stepLine({ ms, target, step, how, tookMs, bytesOut }: Event<'step-finished'>, paint: Paint): string {
  const at = ms === undefined ? '' : `${formatDuration(ms)}  `;
  return `${paint.dim(at)}${paint.bold(target)}  ${step} ${how} · ${formatBytes(bytesOut)} · ${formatDuration(tookMs)}`;
}

/** One attempt of a step, with what to do. */
export function failureLines({ target, step, attempt, error }: Event<'step-failed'>, paint: Paint): string {
  const head = `${paint.bold(target)}  ${paint.red(`step "${step}" failed`)}, attempt ${attempt}${error.where === undefined ? '' : `, ${error.where}`}`;
  const hint = error.hint === undefined ? [] : error.hint.split('\n');
  return [head, ...[...error.message.split('\n'), ...hint].map((line) => `  ${line}`)].join('\n');
}
