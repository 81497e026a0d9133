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
}

const redrawMs = 100;
/** What a terminal has that does not say how large it is. */
const sizeUnknown = { columns: 80, rows: 24 };

interface Screen {
  draw(lines: readonly FrameLine[]): void;
  close(): void;
}

/** Ink takes no keys: Ctrl-C stays a signal, and nothing has to be put back but the cursor. */
function openScreen(stdout: NodeJS.WriteStream): Screen {
  const element = (lines: readonly FrameLine[]) => createElement(FrameView, { lines });
  const ink = render(element([]), { stdout, exitOnCtrlC: false, patchConsole: false, maxFps: 1000 / redrawMs, incrementalRendering: true });
  // A narrower terminal breaks drawn lines in two: what was drawn is no longer where it was.
  const onResize = (): void => ink.clear();
  stdout.on('resize', onResize);
  return {
    draw: (lines) => ink.rerender(element(lines)),
    close: () => {
      stdout.off('resize', onResize);
      ink.rerender(element([]));
      ink.clear();
      ink.unmount();
    },
  };
}

/**
 * The view for terminals: drawn over and over while a build runs. At the end it gives way to the lines that a plain report would have
 * written, which stay in the scrollback.
 */
export function terminalReporter({ stdout, paint, clock = systemClock }: TerminalOptions): Reporter {
  const view = emptyView();
  const said: string[] = [];
  const silent: Clock = { now: clock.now, every: () => () => {} };
  const plain = plainReporter({ write: (text) => said.push(text) }, { paint, clock: silent });
  let screen: Screen | undefined;
  const draw = (): void => {
    const { columns = sizeUnknown.columns, rows = sizeUnknown.rows } = stdout;
    if (view.run !== '') (screen ??= openScreen(stdout)).draw(frameLines(view, clock.now(), { columns, rows }));
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
