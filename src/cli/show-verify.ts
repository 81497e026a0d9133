import { formatBytes, formatCount } from '../base/bytes.ts';
import type { VerifyItem } from '../engine/api.ts';
import type { Paint } from '../report/colour.ts';
import { counted, formatDuration } from '../report/words.ts';

type Item<T extends VerifyItem['type']> = Extract<VerifyItem, { type: T }>;

/** `wrong  shards › out/docs/shard_0000.parquet row 17  all labels ...  [masked-row]`, then where it comes from and what to do. */
export function findingLines({ code, message, target, where, row, count = 1, source, hint }: Item<'finding'>, paint: Paint): string[] {
  const place = [where, row === undefined ? undefined : `row ${formatCount(row)}`].filter((part) => part !== undefined).join(' ');
  const more = count > 1 ? ` (and ${formatCount(count - 1)} more like it)` : '';
  const head = [paint.bold(target), place].filter((part) => part !== '').join(' › ');
  return [
    `${paint.red('wrong')}  ${head}  ${message}${more}  ${paint.dim(`[${code}]`)}`,
    ...(source ? [`  it begins with ${source.file}:${source.line}`] : []),
    ...(hint === undefined ? [] : [`  ${hint}`]),
  ];
}

export function progressWords({ doing, done, total, unit }: Item<'progress'>): string {
  const figures = unit === 'bytes' ? `${formatBytes(done)} of ${formatBytes(total)}` : `${formatCount(done)} of ${counted(total, 'step')}`;
  return `${doing}: ${figures}`;
}

export function summaryLine(summary: Item<'summary'>, paint: Paint): string {
  const { ok, findings, targets, blobs, files, bytes, rows, absent, rebuilt, tookMs } = summary;
  const words = [
    ok ? paint.green('nothing is wrong') : paint.red(`${counted(findings, 'thing')} wrong`),
    counted(targets, 'target'),
    `${formatBytes(bytes)} read in ${counted(blobs, 'blob')} and ${counted(files, 'published file')}`,
    rows === 0 ? '' : `${counted(rows, 'row')} looked at`,
    absent === 0 ? '' : `${counted(absent, 'blob')} not kept here`,
    rebuilt ? `${formatCount(rebuilt.steps)} of ${counted(rebuilt.of, 'step')} run again` : '',
    formatDuration(tookMs),
  ];
  return words.filter((word) => word !== '').join(' · ');
}
