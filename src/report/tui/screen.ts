import { EventEmitter } from 'node:events';
import { type Instance, render } from 'ink';
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
  let ink: Instance | undefined;
  const lay = (lines: readonly string[]): string[] => {
    if (ink) ink.rerender(element(lines));
    else ink = render(element(lines), { stdout: stream, stderr: stream, debug: true, exitOnCtrlC: false, patchConsole: false });
    return canvas.frame.split('\n');
  };
  let known = new Map<string, string>();
  return {
    rows: (lines, columns) => {
      if (columns !== canvas.columns) {
        canvas.columns = columns;
        canvas.emit('resize');
        known.clear();
      }
      // Ink takes its time for each row, and most rows are as they were.
      const fresh = [...new Set(lines)].filter((line) => !known.has(line));
      const rows = fresh.length > 0 ? lay(fresh) : [];
      const laid = new Map(fresh.map((line, i) => [line, rows[i] ?? '']));
      known = new Map(lines.map((line) => [line, laid.get(line) ?? (known.get(line) as string)]));
      return lines.map((line) => known.get(line) as string);
    },
    close: () => ink?.unmount(),
  };
}
