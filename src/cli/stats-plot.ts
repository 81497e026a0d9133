import { formatCount } from '../base/bytes.ts';

/** A text as it may stand between tags and in quotes; what no page may hold becomes a mark. */
export const escaped = (text: string): string =>
  text
    .replace(/[^\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd')
    .replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

export interface PlotBar {
  readonly label: string;
  readonly amount: number;
  /** What stands beside the bar; the amount by default. */
  readonly shown?: string;
}

const rowPixels = 22;
/** Labels, bars and amounts, side by side: in per cent of the width, so that letters keep their size on a phone. */
const barFrom = 36;
const barTo = 78;

function plotRow({ label, amount, shown = formatCount(amount) }: PlotBar, i: number, most: number): string {
  const y = i * rowPixels;
  const width = ((barTo - barFrom) * amount) / most;
  const textAt = y + rowPixels - 7;
  return [
    `<text x="${barFrom - 2}%" y="${textAt}" text-anchor="end">${escaped(label)}</text>`,
    amount > 0 ? `<rect x="${barFrom}%" y="${y + 4}" width="${Math.max(width, 0.3).toFixed(2)}%" height="${rowPixels - 8}" rx="2"/>` : '',
    `<text x="${(barFrom + width + 1).toFixed(2)}%" y="${textAt}" class="amount">${escaped(shown)}</text>`,
  ].join('');
}

const labelMax = 22;
const shortened = (label: string): string => {
  const characters = [...label];
  return characters.length <= labelMax ? label : `…${characters.slice(1 - labelMax).join('')}`;
};

/** Bars below one another as an SVG that needs nothing else: no script, no style but the page's. */
export function plot(title: string, bars: readonly PlotBar[]): string {
  const most = Math.max(1, ...bars.map(({ amount }) => amount));
  const rows = bars.map((bar, i) => plotRow({ ...bar, label: shortened(bar.label) }, i, most));
  const name = escaped(title);
  return `<svg role="img" aria-label="${name}" width="100%" height="${bars.length * rowPixels}"><title>${name}</title>${rows.join('')}</svg>`;
}
