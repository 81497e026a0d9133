import { Transform } from 'ink';
import { createElement, type ReactElement } from 'react';

/**
 * The rows of a frame, already coloured and no wider than the screen. Ink gets them as it writes: of all text that it measures it keeps a copy
 * until the program ends (6.8.0), and rows differ for as long as a build runs. What it measures here is a blank for each row.
 */
export const FrameView = ({ rows }: { rows: readonly string[] }): ReactElement =>
  createElement(Transform, { transform: (_blank: string, at: number) => rows[at] ?? '' }, rows.map(() => ' ').join('\n'));
