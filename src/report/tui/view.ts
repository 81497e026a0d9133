import { Box, Text } from 'ink';
import { createElement, memo, type ReactElement } from 'react';

const Row = memo(({ text }: { text: string }): ReactElement => createElement(Text, { wrap: 'truncate' }, text === '' ? ' ' : text));

const rowOf = (text: string, i: number): ReactElement => createElement(Row, { key: i, text });

/** The rows of a frame, already coloured. */
export const FrameView = ({ lines }: { lines: readonly string[] }): ReactElement =>
  createElement(Box, { flexDirection: 'column' }, ...lines.map(rowOf));
