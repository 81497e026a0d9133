import { pathToFileURL } from 'node:url';
import type { RunCase } from './cases.ts';

interface RuleCall {
  rule: { name: string; version: number };
}

const isRuleCall = (value: unknown): value is RuleCall => typeof (value as Partial<RuleCall> | undefined)?.rule?.version === 'number';

/** The version that a rule's file declares. */
export async function versionOf(file: string): Promise<number> {
  const exported: unknown[] = Object.values(await import(pathToFileURL(file).href));
  const call = exported.find(isRuleCall);
  if (!call) throw new Error(`${file} exports no rule`);
  return call.rule.version;
}

/** Runs a rule through the engine on one case. */
export const runCase: RunCase = (ruleName) => Promise.reject(new Error(`no engine is connected to run ${ruleName}`));
