import type { BuildSummary } from '../base/events.ts';
import type { Output, Reporter } from './reporter.ts';

/** Every event as a line of JSON, as it comes: one build follows the other, and each ends with its summary. */
export const jsonLines = (output: Output): Reporter => ({
  emit: (event) => void output.write(`${JSON.stringify(event)}\n`),
  close: () => {},
});

/** Every event as a line of JSON; the last line is the summary. */
export function jsonReporter(output: Output): Reporter {
  let summary: BuildSummary | undefined;
  return {
    emit: (event) => {
      if (event.type === 'summary') summary = event;
      else output.write(`${JSON.stringify(event)}\n`);
    },
    close: () => {
      if (summary) output.write(`${JSON.stringify(summary)}\n`);
    },
  };
}
