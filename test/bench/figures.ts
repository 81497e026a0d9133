/** Figures as the table shows them. */
import type { Measured } from './measure.ts';

export const count = (value: number): string => Math.round(value).toLocaleString('en-US');

export function seconds(value: number): string {
  if (value < 1) return `${(value * 1000).toFixed(value < 0.01 ? 1 : 0)} ms`;
  return `${value.toFixed(value < 10 ? 2 : 1)} s`;
}

export const megabytes = (bytes: number): string => (bytes >= 1e9 ? `${+(bytes / 1e9).toFixed(2)} GB` : `${+(bytes / 1e6).toFixed(1)} MB`);
export const memory = (rssMb: number): string => `${rssMb.toFixed(0)} MB of memory`;
export const times = (ratio: number): string => `${ratio.toFixed(ratio < 10 ? 1 : 0)} times`;

/** `2.8 s, 5.1 CPU s, 447 MB of memory`. */
export const whole = ({ wallSeconds, cpuSeconds, rssMb }: Measured): string =>
  `${seconds(wallSeconds)}, ${cpuSeconds.toFixed(1)} CPU s, ${memory(rssMb)}`;
