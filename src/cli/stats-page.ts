import { formatBytes } from '../base/bytes.ts';
import type { Distributions, Lengths, VocabularyUse } from '../engine/statistics/shape.ts';
import type { GroupStats, TargetStats } from '../engine/stats.ts';
import {
  amountWords,
  balanceSides,
  groupTable,
  lengthWords,
  measureTitles,
  rangeWords,
  sourceTable,
  tokenTable,
  tokenText,
  vocabularyWords,
} from './show-stats.ts';
import type { StatsRecord } from './stats.ts';
import { escaped, type PlotBar, plot } from './stats-plot.ts';

/** What every page begins with: by it a page of ours is known again. */
export const pageHead = '<!DOCTYPE html>\n<!-- dsbuild stats -->\n';

const style = `
:root { color-scheme: light dark; --ink: #1c2430; --soft: #5b6675; --line: #d8dee6; --bar: #2f6fb0; --page: #fff }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e9f0; --soft: #9aa6b5; --line: #333d4a; --bar: #6ea8e0; --page: #12171e } }
body { margin: 0 auto; max-width: 56rem; padding: 1rem; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, sans-serif }
h1 { font-size: 1.4rem; margin: 2rem 0 0 } h2 { font-size: 1.05rem; margin: 1.8rem 0 .2rem } p { margin: .2rem 0 .6rem } .soft { color: var(--soft) }
.wide { overflow-x: auto } table { border-collapse: collapse } td, th { padding: .15rem .9rem .15rem 0; text-align: right; white-space: pre; border-bottom: 1px solid var(--line) }
td:first-child, th:first-child { text-align: left } th { color: var(--soft); font-weight: normal }
svg { display: block; font-size: 12px; overflow: visible } svg text { fill: var(--ink) } svg text.amount { fill: var(--soft) } svg rect { fill: var(--bar) }
`;

const section = (title: string, ...content: readonly string[]): string =>
  `<section><h2>${escaped(title)}</h2>${content.join('\n')}</section>`;
const paragraph = (text: string, kind = ''): string => `<p${kind === '' ? '' : ` class="${kind}"`}>${escaped(text)}</p>`;

/** Columns in which nothing stands are left out. */
function tableOf({ head, rows }: { head: readonly string[]; rows: readonly (readonly string[])[] }): string {
  const used = head.map((_, i) => i === 0 || rows.some((row) => row[i] !== ''));
  const line = (cells: readonly string[], tag: string): string =>
    `<tr>${cells.map((cell, i) => (used[i] ? `<${tag}>${escaped(cell)}</${tag}>` : '')).join('')}</tr>`;
  return `<div class="wide"><table><thead>${line(head, 'th')}</thead><tbody>${rows.map((row) => line(row, 'td')).join('')}</tbody></table></div>`;
}

const topMax = 12;

/** The groups that hold most, of whatever the target has. */
function topGroups(groups: readonly GroupStats[]): string[] {
  const measures = ['documents', 'sequences', 'tokens', 'bytes'] as const;
  return measures.flatMap((measure) => {
    if (groups.every((group) => group[measure] === 0) || groups.some((group) => group[measure] === undefined)) return [];
    const bars = groups
      .map((group): PlotBar => {
        const { [measure]: amount = 0 } = group;
        return { label: group.group, amount, ...(measure === 'bytes' && { shown: formatBytes(amount) }) };
      })
      .sort((a, b) => b.amount - a.amount)
      .slice(0, topMax);
    return [
      paragraph(`${measure} by group${groups.length > topMax ? `, the first ${topMax} of ${groups.length}` : ''}`, 'soft'),
      plot(`${measure} by group`, bars),
    ];
  });
}

function outputSections({ outputs }: TargetStats): string[] {
  return outputs.map((output) =>
    section(
      output.output === 'main' ? 'What it holds' : `What .${output.output} holds`,
      tableOf(groupTable(output)),
      ...(output.groups.length > 1 ? topGroups(output.groups) : []),
    ),
  );
}

function lengthSection(lengths: Lengths): string {
  const title = measureTitles[lengths.measure];
  const bars = lengths.bars.map((bar) => ({ label: rangeWords(bar), amount: bar.count }));
  return section(
    title.replace(/^./, (first) => first.toUpperCase()),
    paragraph(lengthWords(lengths)),
    plot(title, bars),
  );
}

function vocabularySection(use: VocabularyUse): string {
  const bars = use.top.map(({ id, count, text }) => ({ label: text === undefined ? `id ${id}` : tokenText(text), amount: count }));
  return section('Vocabulary', paragraph(vocabularyWords(use)), plot('the most frequent tokens', bars), tableOf(tokenTable(use)));
}

function distributionSections({ lengths, amounts, vocabulary }: Distributions): string[] {
  const masked = amountWords(amounts);
  return [
    ...lengths.map(lengthSection),
    ...(masked === undefined ? [] : [section('Labels', paragraph(masked))]),
    ...(vocabulary ? [vocabularySection(vocabulary)] : []),
  ];
}

function targetPart(record: StatsRecord): string {
  const { target, rule, notes, ledger, sources, distributions } = record;
  const files = sources && sourceTable(sources);
  return [
    `<article><h1>${escaped(target)} <span class="soft">${escaped(rule)}</span></h1>`,
    ...notes.map((note) => paragraph(note, 'soft')),
    ...outputSections(record),
    ...(distributions ? distributionSections(distributions) : []),
    ...(files && files.rows.length > 0 ? [section('Source files', tableOf(files))] : []),
    ...ledger.map((balance) => section(`Ledger: ${balance.law}`, ...balanceSides(balance).map((side) => paragraph(side)))),
    '</article>',
  ].join('\n');
}

/** One page that needs no network and no script. It is well-formed XML besides, so that any parser reads it. */
export function pageOf(records: readonly StatsRecord[]): string {
  const title = escaped(`${records.map(({ target }) => target).join(', ')}: statistics`);
  const head = `<meta charset="utf-8"/><meta name="viewport" content="width=device-width, initial-scale=1"/><title>${title}</title><style>${style}</style>`;
  return `${pageHead}<html lang="en"><head>${head}</head><body>\n${records.map(targetPart).join('\n')}\n</body></html>\n`;
}
