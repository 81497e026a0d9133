import { copyFileSync, existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Digest, digestHex } from '../base/digest.ts';
import { namesIfThere } from '../base/files.ts';
import { readNote, writeNote } from '../base/notes.ts';
import type { Names } from '../plan/contents.ts';
import type { Manifest } from '../plan/manifest.ts';

/** What a target looked like when it was last built: so that the next build can say what changed. Never used to decide anything. */
export interface LastPlan {
  readonly target: string;
  readonly key: Digest;
  readonly manifest: Manifest;
  /** What the digests of its manifest are of; older versions did not note it. */
  readonly names?: Names;
  /** The pattern of `--only`, where it was never built as a whole. */
  readonly only?: string;
  /** Digests of its outputs' collections. */
  readonly outputs: Readonly<Record<string, Digest>>;
}

const planFile = (stateDir: string, target: string): string => join(stateDir, 'plans', `${digestHex(target).slice(0, 32)}.json`);
const lastTableFile = (stateDir: string, target: string): string => planFile(stateDir, target).replace(/\.json$/, '.table');

export const readLastPlan = (stateDir: string, target: string): LastPlan | undefined => readNote<LastPlan>(planFile(stateDir, target));

/** The last plans of all targets that were ever built here, and when each was written. */
export function lastPlans(stateDir: string): { plan: LastPlan; writtenMs: number }[] {
  const dir = join(stateDir, 'plans');
  const names = namesIfThere(dir).filter((name) => name.endsWith('.json'));
  return names.flatMap((name) => {
    const plan = readNote<LastPlan>(join(dir, name));
    return plan ? [{ plan, writtenMs: statSync(join(dir, name)).mtimeMs }] : [];
  });
}

/** @param tableFile the table of its sources, if it reads any: kept to tell later which lines changed. */
export function writeLastPlan(stateDir: string, plan: LastPlan, tableFile: string): void {
  writeNote(planFile(stateDir, plan.target), plan);
  if (existsSync(tableFile)) copyFileSync(tableFile, lastTableFile(stateDir, plan.target));
}

/** The table of the sources that the last plan was made from. */
export const lastTableOf = lastTableFile;
