import { render } from 'ink';
import { createElement } from 'react';
import type { Paint } from '../colour.ts';
import { plainReporter } from '../plain.ts';
import { type Clock, type Reporter, systemClock } from '../reporter.ts';
import { apply, emptyView } from '../state.ts';
import { type FrameLine, frameLines } from './frame.ts';
import { FrameView } from './view.ts';

export interface TerminalOptions {
  readonly stdout: NodeJS.WriteStream;
  readonly paint: Paint;
  readonly clock?: Clock;
  /** Folder that people see. */
  readonly cwd?: string;
}

const redrawMs = 100;
/** What a terminal has that does not say how large it is. */
const sizeUnknown = { columns: 80, rows: 24 };

interface Screen {
  draw(lines: readonly FrameLine[]): void;
  close(): void;
}

/** Up and over the lines of a frame, below which the cursor stands. */
const eraseLines = (count: number): string => `${'\u001b[2K\u001b[1A'.repeat(count)}\u001b[2K\r`;

/**
 * Ink takes no keys: Ctrl-C stays a signal, and nothing has to be put back but the cursor. When it draws is decided here, so its own
 * limit is out of the way. Its incremental rendering (6.8.0) leaves the first line of the frame before: it is off.
 */
function openScreen(stdout: NodeJS.WriteStream, first: readonly FrameLine[]): Screen {
  const element = (lines: readonly FrameLine[]) => createElement(FrameView, { lines });
  let height = first.length;
  const ink = render(element(first), { stdout, exitOnCtrlC: false, patchConsole: false, maxFps: 1000 });
  return {
    draw: (lines) => {
      height = lines.length;
      ink.rerender(element(lines));
    },
    close: () => {
      // Leaving, Ink draws the last frame once more, also one that it held back: only then is it known what stands there.
      ink.unmount();
      stdout.write(eraseLines(height));
    },
  };
}

/**
 * The view for terminals: drawn over and over while a build runs. At the end it gives way to the lines that a plain report would have
 * written, which stay in the scrollback.
 */
export function terminalReporter({ stdout, paint, clock = systemClock, cwd }: TerminalOptions): Reporter {
  const view = emptyView();
  const said: string[] = [];
  const silent: Clock = { now: clock.now, every: () => () => {} };
  const plain = plainReporter({ write: (text) => said.push(text) }, { paint, clock: silent, ...(cwd !== undefined && { cwd }) });
  let screen: Screen | undefined;
  const draw = (): void => {
    const { columns = sizeUnknown.columns, rows = sizeUnknown.rows } = stdout;
    if (view.run === '') return;
    const lines = frameLines(view, clock.now(), { columns, rows });
    if (screen) screen.draw(lines);
    else screen = openScreen(stdout, lines);
  };
  const stop = clock.every(redrawMs, draw);
  return {
    emit: (event) => {
      apply(view, event, clock.now());
      plain.emit(event);
    },
    close: () => {
      stop();
      screen?.close();
      plain.close();
      stdout.write(said.join(''));
    },
  };
}
