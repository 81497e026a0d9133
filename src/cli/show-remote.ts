import { formatBytes, formatCount } from '../base/bytes.ts';
import type { Moved, MovedTarget, RemoteHoldings } from '../engine/remote-commands.ts';
import type { Paint } from '../report/colour.ts';
import { table } from '../report/table.ts';
import { remoteWords } from '../report/words.ts';

const outcomeWords: Readonly<Record<MovedTarget['outcome'], string>> = {
  sent: 'sent',
  fetched: 'fetched',
  there: 'there already',
  here: 'here already',
  other: 'not sent: other results for the same inputs were there first',
  'not-built': 'not built as the config stands',
  failed: 'some of its bytes could not be had',
};

/** Whether all that was asked for is where it should be. */
export const isMoved = ({ targets }: Moved): boolean =>
  targets.every(({ outcome }) => ['sent', 'fetched', 'there', 'here'].includes(outcome));

export function movedLines({ targets, remote, trouble }: Moved, paint: Paint): string[] {
  const words = trouble ? { ...outcomeWords, failed: 'failed, as is said below' } : outcomeWords;
  const width = Math.max(0, ...targets.map(({ target }) => target.length));
  const lines = targets.map(({ target, outcome }) => `${paint.bold(target.padEnd(width))}  ${words[outcome]}`);
  const why = trouble ? [`the remote cache: ${trouble.message}`, trouble.hint ?? ''] : [];
  return [...lines, ...why, remoteWords(remote)].filter((line) => line !== '');
}

type Scopes = NonNullable<RemoteHoldings['scopes']>;

const kinds = ['target', 'pack', 'blob'] as const;

/** What a remote holds, scope by scope. */
export function scopeLines(scopes: Scopes): string[] {
  if (scopes.length === 0) return ['the remote holds nothing'];
  const rows = scopes.map((usage) => [
    usage.scope,
    ...kinds.map((kind) => formatCount(usage[kind].objects)),
    formatBytes(kinds.reduce((sum, kind) => sum + usage[kind].bytes, 0)),
  ]);
  return table(['scope', 'targets', 'packs', 'blobs', 'bytes'], rows);
}

export function holdingLines({ targets, scopes }: RemoteHoldings): string[] {
  const rows = targets.map(({ target, scope, parts, bytes }) => [
    target,
    scope ?? 'not there',
    scope === undefined ? '' : formatCount(parts),
    scope === undefined ? '' : formatBytes(bytes),
  ]);
  return [...table(['target', 'lies in', 'parts', 'bytes'], rows), '', ...(scopes ? scopeLines(scopes) : ['the remote does not answer'])];
}
