/**
 * Golden cases and source pins: a rule whose bytes or code change must say so with a new version.
 * As a command it checks all of them, or records them: npm run golden -- [--accept] [rule[/case]]...
 */
import { join } from 'node:path';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { checkCase, type GoldenCase, goldenCases, type RunCase } from './golden/cases.ts';
import { runCase, versionOf } from './golden/connect.ts';
import { judgePin, recordPin, ruleFiles, sourcePin } from './golden/sources.ts';

export interface GoldenSetup {
  /** The checkout's root; `rules/` and `fixtures/` lie in it. */
  root: string;
  runCase: RunCase;
  versionOf: (ruleFile: string) => Promise<number>;
  /** Record what is there instead of comparing with it. */
  accept: boolean;
}

export interface GoldenCheck {
  /** `rule` for a source pin, `rule/case` for a case. */
  name: string;
  /** Sentences on what is wrong; none when all is as recorded. */
  check: () => Promise<string[]>;
}

async function checkPin({ rule, file }: { rule: string; file: string }, setup: GoldenSetup): Promise<string[]> {
  const fixtures = join(setup.root, 'fixtures');
  const now = await sourcePin(file, { root: setup.root, version: await setup.versionOf(file) });
  if (setup.accept) recordPin(fixtures, rule, now);
  return judgePin(fixtures, rule, now);
}

/** One check per rule for its source, and one per case. */
export function goldenChecks(setup: GoldenSetup): GoldenCheck[] {
  const pins = ruleFiles(join(setup.root, 'rules')).map((rule) => ({ name: rule.rule, check: () => checkPin(rule, setup) }));
  const cases = goldenCases(join(setup.root, 'fixtures')).map((golden: GoldenCase) => ({
    name: `${golden.rule}/${golden.name}`,
    check: () => checkCase(golden, setup),
  }));
  return [...pins, ...cases];
}

/** Checks of this checkout, with its own rules and engine. */
export const ownChecks = (accept: boolean): GoldenCheck[] =>
  goldenChecks({ root: fileURLToPath(new URL('..', import.meta.url)), runCase, versionOf, accept });

/** `tokenize` selects the rule's pin and all its cases, `tokenize/empty` one case. */
const isSelected = (name: string, wanted: readonly string[]): boolean =>
  wanted.length === 0 || wanted.some((want) => name === want || name.startsWith(`${want}/`));

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { accept: { type: 'boolean', default: false } } });
  const checks = ownChecks(values.accept).filter(({ name }) => isSelected(name, positionals));
  let faults = 0;
  for (const { name, check } of checks) {
    const said = await check();
    faults += said.length;
    console.log(said.length > 0 ? said.join('\n') : `${values.accept ? 'recorded' : 'as recorded'}: ${name}`);
  }
  if (checks.length === 0) console.log('nothing to check');
  return faults > 0 || checks.length === 0 ? 1 : 0;
}

if (argv[1] === fileURLToPath(import.meta.url)) process.exitCode = await main();
