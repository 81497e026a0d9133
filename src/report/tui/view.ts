import { Box, Text } from 'ink';
import { createElement, type ReactElement } from 'react';
import type { FrameLine, Tone } from './frame.ts';

interface Look {
  readonly color?: string;
  readonly bold?: boolean;
  readonly dimColor?: boolean;
}

const looks: Readonly<Record<Tone, Look>> = {
  head: { bold: true },
  running: { color: 'cyan' },
  done: {},
  failed: { color: 'red' },
  waiting: { dimColor: true },
  step: { dimColor: true },
  warning: { color: 'yellow' },
};

/** One line of text for each line of a frame; what is too long is cut, so that the frame keeps its height. */
export function FrameView({ lines }: { lines: readonly FrameLine[] }): ReactElement {
  const texts = lines.map(({ tone, text }, i) => createElement(Text, { key: i, wrap: 'truncate', ...looks[tone] }, text));
  return createElement(Box, { flexDirection: 'column' }, ...texts);
}
