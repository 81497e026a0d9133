import { formatCount } from '../base/bytes.ts';
import { BuildError } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import type { TargetResult } from '../cache/results.ts';
import { sumByPrefix } from '../execute/ledger.ts';
import type { Common } from '../rule/target.ts';

export const quarantinedOf = (result: Pick<TargetResult, 'counters'>): number => sumByPrefix(result.counters, 'quarantined:');

const reasonsOf = ({ counters }: TargetResult): string =>
  Object.entries(counters)
    .filter(([name]) => name.startsWith('quarantined:'))
    .map(([name, count]) => `${name.slice('quarantined:'.length)} ${formatCount(count)}`)
    .join(', ');

/**
 * Judges a target's figures by its policies: on every build, whether it was built or kept, because neither policies nor figures are in each other's keys.
 * @param placeOf shows where the first bad record lies.
 */
export function judge(common: Common, result: TargetResult, placeOf: (index: number) => string | undefined): BuildError | undefined {
  const bad = quarantinedOf(result);
  if (bad === 0) return undefined;
  const [group] = result.badGroups;
  // A target may hold worse than what is wrong with this file: what is shown is to be of the file that is named.
  const index = common.onBadRecord === 'fail' || group === undefined ? 0 : result.quarantined.findIndex((one) => one.group === group);
  const where = placeOf(index);
  const first = result.quarantined[index];
  const sample = first ? `; the first: ${first.detail}` : '';
  const chat = Object.hasOwn(result.counters, 'quarantined:chat-record') ? ' Chats need an `adapt` on their source.' : '';
  const place = where === undefined ? {} : { where };
  if (common.onBadRecord === 'fail') {
    return new BuildError('bad-record', {
      message: `${formatCount(bad)} bad records (${reasonsOf(result)})${sample}`,
      ...place,
      hint: `Repair the lines, or set onBadRecord: 'quarantine'.${chat}`,
    });
  }
  if (group !== undefined) {
    return new BuildError('no-good-record', {
      message: `${group} holds not one good record${sample}`,
      ...place,
      hint: `Is it JSONL with a "text" in each line?${chat}`,
    });
  }
  const share = bad / Math.max(1, result.documentsIn);
  const shareMax = common.badRecordShareMax ?? limits.badRecordShareMax;
  if (share <= shareMax) return undefined;
  const percent = (value: number): string => `${(value * 100).toFixed(value < 0.001 ? 3 : 1)} %`;
  return new BuildError('too-many-bad-records', {
    message: `${formatCount(bad)} of ${formatCount(result.documentsIn)} records are bad (${percent(share)}, at most ${percent(shareMax)} are let pass): ${reasonsOf(result)}${sample}`,
    ...place,
    hint: `Repair the lines, or raise badRecordShareMax on this target.${chat}`,
  });
}
