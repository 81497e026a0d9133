import type { FileReport } from './protocol.ts';

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
const indent = (text: string): string => text.trimEnd().replace(/^/gm, '    ');

/** One line for a file, with all that is wrong with it below. */
export function fileText(report: FileReport): string {
  const { name, passed, failed, skipped, faults, failures, output } = report;
  const counts = [`${passed} passed`, ...(failed > 0 ? [`${failed} failed`] : []), ...(skipped > 0 ? [`${skipped} skipped`] : [])].join(
    ', ',
  );
  const lines = [`${failed > 0 ? 'FAIL' : 'ok  '} ${name}  ${counts}  ${seconds(report.tookMs)}`];
  if (failed > 0) {
    lines.push(...faults.map((fault) => indent(fault)));
    if (failures) lines.push(indent(failures));
    if (output.trim()) lines.push(indent(`what it printed:\n${output}`));
  }
  lines.push(...report.skipReasons.map((reason) => `     skipped: ${reason}`));
  return lines.join('\n');
}

export interface Totals {
  passed: number;
  failed: number;
  skipped: number;
}

export function totalsOf(reports: readonly FileReport[]): Totals {
  const sum = (key: keyof Totals): number => reports.reduce((total, report) => total + report[key], 0);
  return { passed: sum('passed'), failed: sum('failed'), skipped: sum('skipped') };
}

/** The last line of every run; scripts read it. */
export const totalsText = ({ passed, failed, skipped }: Totals): string => `${passed} passed, ${failed} failed, ${skipped} skipped`;
