import type { BuildEvent } from '../base/events.ts';
import { type Clock, type Output, type Reporter, systemClock } from './reporter.ts';
import { apply, emptyView } from './state.ts';
import { timingOf } from './timing.ts';

/** Gives an event back as it is said: to a summary belongs where the time went. */
function withTiming(clock: Clock): (event: BuildEvent) => object {
  const view = emptyView();
  return (event) => {
    apply(view, event, clock.now());
    return event.type === 'summary' ? { ...event, timing: timingOf(view) } : event;
  };
}

/** Every event as a line of JSON, as it comes: one build follows the other, and each ends with its summary. */
export function jsonLines(output: Output, clock: Clock = systemClock): Reporter {
  const shown = withTiming(clock);
  return {
    emit: (event) => void output.write(`${JSON.stringify(shown(event))}\n`),
    close: () => {},
  };
}

/** Every event as a line of JSON; the last line is the summary. */
export function jsonReporter(output: Output, clock: Clock = systemClock): Reporter {
  const shown = withTiming(clock);
  let last = '';
  return {
    emit: (event) => {
      const line = `${JSON.stringify(shown(event))}\n`;
      if (event.type === 'summary') last = line;
      else output.write(line);
    },
    close: () => {
      if (last !== '') output.write(last);
    },
  };
}
