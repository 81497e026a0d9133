import { relative, resolve, sep } from 'node:path';
import { isRemote } from '../base/address.ts';
import { s3AddressProblem } from '../base/s3-address.ts';
import { shownValue } from '../base/shown-value.ts';
import type { Problem } from '../config/problems.ts';

/** Folders that hold what is not ours to replace. */
const reserved = ['.dsbuild', '.git', 'node_modules'];

const posixBelow = (folder: string, path: string): string => relative(folder, path).split(sep).join('/');

/** A target's `out` as it is meant: an absolute folder, or the address of a prefix of a bucket, without a slash at its end. */
export const outOfCommon = (out: string, base: string): string => (isRemote(out) ? out.replace(/\/+$/, '') : resolve(base, out));

/** How rules and messages name it: relative to the project, or by its address. */
export const shownOut = (project: string, out: string): string => (isRemote(out) ? out : posixBelow(project, out));

function addressProblem(out: string): string | undefined {
  if (!/^s3:\/\//.test(out)) return `must be a folder of the project or s3://bucket/prefix, but is the address ${shownValue(out)}`;
  return s3AddressProblem(out.replace(/\/+$/, '/'));
}

/** What is wrong with an `out`, as the end of a sentence that begins with it. */
export function outProblem(out: string, { base, project, root }: { base: string; project: string; root: string }): string | undefined {
  const shown = shownValue(out);
  const folder = resolve(base, out);
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(out)) return addressProblem(out);
  if (folder === resolve(project)) return `must be a folder inside the project, but ${shown} is the project itself`;
  const segments = posixBelow(root, folder).split('/');
  if (segments[0] === '..' || /^[a-z]:$/i.test(segments[0] as string)) {
    return `must be a folder inside the project, but ${shown} lies outside`;
  }
  const within = segments.find((segment) => reserved.includes(segment));
  return within === undefined ? undefined : `must not lie inside ${within}, but is ${shown}`;
}

/** A target that fills a folder. */
export interface Claim {
  readonly target: string;
  readonly where: string;
  readonly kind: string;
  readonly folder: string;
  readonly shown: string;
}

/** Kinds that name their files after groups or numbers, so that two of them would write the same ones. */
const exclusive = ['documents', 'shards', 'index'];

/** Targets of one kind that would publish into one folder. Whether others overlap is only known when their files are. */
export function sharedFolders(claims: readonly Claim[]): Problem[] {
  const first = new Map<string, Claim>();
  return claims.flatMap((claim) => {
    const key = `${claim.kind} ${claim.folder}`;
    const other = first.get(key);
    if (!other) first.set(key, claim);
    if (!other || !exclusive.includes(claim.kind)) return [];
    const message = `"${claim.shown}" is already published by ${other.target} (${other.where}); two targets of the same kind can not share a folder`;
    return [{ where: claim.where, target: claim.target, option: 'out', message }];
  });
}
