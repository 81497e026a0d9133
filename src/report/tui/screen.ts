import { EventEmitter } from 'node:events';
import { type Instance, render } from 'ink';
import { createElement } from 'react';
import { FrameView } from './view.ts';

/** Ink's layout of a frame. */
export interface Layout {
  /** @param lines coloured, and no wider than the screen. @returns the rows as they are to stand on it. */
  rows(lines: readonly string[]): readonly string[];
  close(): void;
}

/** What Ink takes for a terminal: a width, which rows that are cut already do not need, and somebody who takes its frames. */
class Canvas extends EventEmitter {
  readonly columns = 1;
  frame = '';

  write(frame: string): boolean {
    this.frame = frame;
    return true;
  }
}

/**
 * Ink draws on a canvas, whole frames at a time (`debug`), and `Painter` brings them to the terminal: Ink's own way there (6.8.0) erases
 * and writes everything anew with each frame, its incremental one leaves a line of the frame before, narrower terminals keep ghosts, and
 * nothing is drawn at all where a variable speaks of CI.
 */
export function openLayout(): Layout {
  const canvas = new Canvas();
  const stream = canvas as unknown as NodeJS.WriteStream;
  const options = { stdout: stream, stderr: stream, debug: true, exitOnCtrlC: false, patchConsole: false };
  let ink: Instance | undefined;
  return {
    rows: (rows) => {
      const view = createElement(FrameView, { rows });
      if (ink) ink.rerender(view);
      else ink = render(view, options);
      return canvas.frame.split('\n');
    },
    close: () => ink?.unmount(),
  };
}
