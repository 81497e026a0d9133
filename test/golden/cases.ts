import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Digest of each output, by its name. */
export type Outputs = Readonly<Record<string, string>>;

/** Runs a rule on the input files of a case's folder, with the options of its `case.json`. */
export type RunCase = (ruleName: string, caseFolder: string) => Promise<{ version: number; outputs: Outputs }>;

export interface GoldenCase {
  rule: string;
  name: string;
  folder: string;
}

export const acceptCommand = 'npm run golden -- --accept';

const foldersIn = (folder: string): string[] =>
  existsSync(folder)
    ? readdirSync(folder, { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map(({ name }) => name)
        .sort()
    : [];

/** Every `<fixtures>/<rule>/<case>/` with a `case.json`, in order of name. Other folders are data. */
export function goldenCases(fixtures: string): GoldenCase[] {
  return foldersIn(fixtures).flatMap((rule) =>
    foldersIn(join(fixtures, rule))
      .map((name) => ({ rule, name, folder: join(fixtures, rule, name) }))
      .filter(({ folder }) => existsSync(join(folder, 'case.json'))),
  );
}

const digestsFile = (folder: string): string => join(folder, 'digests.json');

/** What was recorded for each version of the rule; old versions stay as its history. */
function recordedDigests(folder: string): Readonly<Record<string, Outputs>> {
  const file = digestsFile(folder);
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
}

const sorted = <V>(record: Readonly<Record<string, V>>): Record<string, V> =>
  Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));

function recordDigests(folder: string, version: number, outputs: Outputs): void {
  const all = { ...recordedDigests(folder), [version]: sorted(outputs) };
  writeFileSync(digestsFile(folder), `${JSON.stringify(all, null, 2)}\n`);
}

function differences(was: Outputs, is: Outputs): string[] {
  const names = [...new Set([...Object.keys(was), ...Object.keys(is)])].sort();
  return names
    .filter((name) => was[name] !== is[name])
    .map((name) => `  ${name}: ${was[name] ?? 'not there'} -> ${is[name] ?? 'not there'}`);
}

/** What is wrong with a case's outputs, as sentences; nothing when they are as recorded. */
function judgeCase({ rule, name, folder }: GoldenCase, { version, outputs }: Awaited<ReturnType<RunCase>>): string[] {
  const recorded = recordedDigests(folder);
  const accept = `${acceptCommand} ${rule}/${name}`;
  const newest = Math.max(0, ...Object.keys(recorded).map(Number));
  if (Object.keys(outputs).length === 0) return [`${rule}/${name} gives no outputs`];
  if (version < newest) return [`${rule} is version ${version}, but ${name} is recorded for version ${newest}: versions only rise`];
  const expected = recorded[version];
  if (!expected) return [`${rule}/${name} has no digests for version ${version}; look at the outputs, then record them: ${accept}`];
  const changed = differences(expected, outputs);
  if (changed.length === 0) return [];
  return [
    `${rule}/${name}: outputs changed, but the rule is still version ${version}.`,
    ...changed,
    `Raise its version, or accept with: ${accept}`,
  ];
}

/** Runs a case and compares, or with `accept` records what came out. */
export async function checkCase(golden: GoldenCase, { runCase, accept }: { runCase: RunCase; accept: boolean }): Promise<string[]> {
  const result = await runCase(golden.rule, golden.folder);
  if (accept) recordDigests(golden.folder, result.version, result.outputs);
  return judgeCase(golden, result);
}
