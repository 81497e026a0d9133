import { EventEmitter } from 'node:events';
import { render } from 'ink';
import { createElement } from 'react';
import { FrameView } from './view.ts';

/** Lays rows out as Ink does, and gives them back as they are to stand on the screen. */
export interface Layout {
  rows(lines: readonly string[], columns: number): readonly string[];
  close(): void;
}

/** What Ink takes for a terminal: a width, and somebody who takes its frames. */
class Canvas extends EventEmitter {
  columns = 80;
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
  const element = (lines: readonly string[]) => createElement(FrameView, { lines });
  const ink = render(element([]), { stdout: stream, stderr: stream, debug: true, exitOnCtrlC: false, patchConsole: false });
  return {
    rows: (lines, columns) => {
      if (columns !== canvas.columns) {
        canvas.columns = columns;
        canvas.emit('resize');
      }
      ink.rerender(element(lines));
      return canvas.frame.split('\n').slice(0, lines.length);
    },
    close: () => ink.unmount(),
  };
}
