import { Text } from 'ink';
import { createElement, type ReactElement } from 'react';

/** The rows of a frame, already coloured. */
export const FrameView = ({ lines }: { lines: readonly string[] }): ReactElement =>
  createElement(Text, { wrap: 'truncate' }, lines.map((text) => (text === '' ? ' ' : text)).join('\n'));
