import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { digestHex } from '../../src/base/digest.ts';
import { encodeCollection } from '../../src/rule/collection.ts';
import type { Part } from '../../src/rule/part.ts';
import type { Rule } from '../../src/rule/rule.ts';
import { planRule } from '../rules/harness.ts';
import type { RunCase } from './cases.ts';
import { type Case, inputsOf, optionsOf, remotesOf } from './inputs.ts';

interface RuleCall {
  rule: Rule;
}

const isRuleCall = (value: unknown): value is RuleCall => typeof (value as Partial<RuleCall> | undefined)?.rule?.version === 'number';

async function ruleIn(file: string): Promise<RuleCall> {
  const exported: unknown[] = Object.values(await import(pathToFileURL(file).href));
  const call = exported.find(isRuleCall);
  if (!call) throw new Error(`${file} exports no rule`);
  return call;
}

/** The version that a rule's file declares. */
export async function versionOf(file: string): Promise<number> {
  return (await ruleIn(file)).rule.version;
}

/** Each named file by its name, and the whole output: order, groups, names and facts included. */
function digestsOf(output: string, parts: readonly Part[]): [string, string][] {
  const named = parts.flatMap(({ name, digest }): [string, string][] => (name === undefined ? [] : [[`${output}: ${name}`, digest]]));
  return [[output, digestHex(encodeCollection(parts))], ...named];
}

/** Runs a rule on one case with the engine's own scheduler. What it counted and left out is part of the outputs. */
export const runCase: RunCase = async (ruleName, folder) => {
  const call = await ruleIn(fileURLToPath(new URL(`../../rules/${ruleName}.ts`, import.meta.url)));
  const given = JSON.parse(readFileSync(join(folder, 'case.json'), 'utf8')) as Case;
  const settings = { remotes: remotesOf(folder, given), ...(given.chunkBytes !== undefined && { chunkBytes: given.chunkBytes }) };
  const planned = await planRule(call, inputsOf(call.rule, folder, given), { ...(await optionsOf(call.rule, folder, given)), settings });
  const counters = Object.entries(planned.counters).sort(([a], [b]) => (a < b ? -1 : 1));
  const quarantined = planned.quarantined.map(({ record, reason }) => [record, reason]);
  const outputs = Object.entries(planned.outputs).flatMap(([output, parts]) => digestsOf(output, parts));
  return {
    version: call.rule.version,
    outputs: { ...Object.fromEntries(outputs), counters: digestHex(JSON.stringify([counters, quarantined])) },
  };
};
