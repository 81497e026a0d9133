import { formatBytes, formatCount } from '../base/bytes.ts';
import type { CacheStats } from '../engine/gc/cache-stats.ts';
import type { RemoteGcTold } from '../engine/gc/remote-gc.ts';
import type { GcReport, TargetBytes, VersionBytes } from '../engine/gc/report.ts';
import type { Paint } from '../report/colour.ts';
import { table } from '../report/table.ts';
import { counted, formatDuration } from '../report/words.ts';

/** `2026-11-21 18:07`: to the minute, in UTC as all times here. */
const minuteOf = (iso: string): string => iso.slice(0, 16).replace('T', ' ');

const orBlank = (bytes: number): string => (bytes === 0 ? '' : formatBytes(bytes));
const versionsShownMax = 5;
const noTarget = 'no target';

const versionLine = ({ built, used, bytes }: VersionBytes): string =>
  `  built ${minuteOf(built)}, last used ${minuteOf(used)}: ${formatBytes(bytes)}`;

function targetLines({ target, bytes, blobs, versions }: TargetBytes, paint: Paint): string[] {
  const head = `${paint.bold(target ?? noTarget)}  ${formatBytes(bytes)} in ${counted(blobs, 'blob')}`;
  if (target === undefined) return [`${head}: of builds that did not end, or that nobody remembers`];
  const more = versions.length - versionsShownMax;
  return [head, ...versions.slice(0, versionsShownMax).map(versionLine), ...(more > 0 ? [`  and ${counted(more, 'older version')}`] : [])];
}

const sparedWords = ({ external, lists, young }: GcReport['spared']): string[] => [
  ...(external > 0 ? [`${formatBytes(external)} came from outside`] : []),
  ...(lists > 0 ? [`${formatBytes(lists)} are lists by which a build sees that it has nothing to do`] : []),
  ...(young > 0 ? [`${formatBytes(young)} are in use by a running build`] : []),
];

/** What was collected, target by target, and what stays in any case. */
export function gcLines(report: GcReport, paint: Paint): string[] {
  const { dryRun, bytesBefore, bytes, goal, targets, spared, leftovers, diskFull } = report;
  const left = Object.entries(leftovers).map(([what, count]) => counted(count, what));
  const isOver = bytes > goal;
  const freed = formatBytes(Math.max(0, bytesBefore - bytes));
  const would = dryRun ? 'would be ' : '';
  return [
    ...targets.flatMap((target) => targetLines(target, paint)),
    ...(left.length > 0 ? [`${left.join(', ')} ${would}removed`] : []),
    ...(diskFull ? [paint.yellow('there was no room to rewrite packs of small blobs: free some space and do it again')] : []),
    ...(isOver && sparedWords(spared).length > 0 ? [`never collected: ${sparedWords(spared).join('; ')}`] : []),
    `${freed} ${would}freed: the cache ${dryRun ? 'would have' : 'has'} ${formatBytes(bytes)}, and may have ${formatBytes(report.max)}`,
  ];
}

/** What was collected on the remote. */
export function remoteGcLines({ scope, dryRun, bytesBefore, bytes, targets, packs, blobs }: RemoteGcTold, paint: Paint): string[] {
  const would = dryRun ? 'would be ' : '';
  const joined = packs.written > 0 ? `, ${counted(packs.written, 'new one')} written` : '';
  return [
    ...targets.map(({ target, records }) => `${paint.bold(target ?? noTarget)}  ${counted(records, 'record')} ${would}removed`),
    `${counted(packs.objects, 'pack')} (${formatBytes(packs.bytes)}) and ${counted(blobs.objects, 'blob')} (${formatBytes(blobs.bytes)}) ${would}removed${joined}`,
    `scope ${scope}: ${formatBytes(bytes)} of ${formatBytes(bytesBefore)} ${dryRun ? 'would stay' : 'stay'}`,
  ];
}

const kinds = ['published', 'output', 'intermediate', 'list', 'external', 'unreferenced'] as const;
const kindHeads = ['published', 'outputs', 'intermediate', 'lists', 'external', 'unreferenced'];

/** What lies where, as a table, with the sums last. */
export function statsLines({ cap, store, bytes, targets, results, lastGc }: CacheStats, paint: Paint): string[] {
  const rows = targets.map(({ target, bytes: of, versions, used }) => [
    target,
    ...kinds.map((kind) => orBlank(of[kind])),
    String(versions),
    minuteOf(used),
  ]);
  const [head, ...lines] = table(
    ['target', ...kindHeads, 'versions', 'last used'],
    [...rows, ['all', ...kinds.map((kind) => orBlank(bytes[kind])), '', '']],
  );
  const dead = store.deadBytes > 0 ? `, ${formatBytes(store.deadBytes)} of them empty` : '';
  return [
    paint.dim(head as string),
    ...lines,
    '',
    `${formatBytes(store.bytes)} in ${counted(store.blobs, 'blob')} and ${counted(store.packs, 'pack')} of small ones${dead}; the cache may grow to ${formatBytes(cap.bytes)} (${cap.says})`,
    `${formatCount(results.targets)} results of targets, ${formatCount(results.steps)} of steps`,
    lastGc
      ? `last collection ${minuteOf(lastGc.at)}: ${formatBytes(lastGc.freed)} freed in ${formatDuration(lastGc.tookMs)}`
      : 'never collected',
  ];
}
