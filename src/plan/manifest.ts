import { CUT_VERSION } from '../base/cut.ts';
import { type Digest, digestHex } from '../base/digest.ts';
import { byCodeUnit } from '../base/names.ts';
import type { Facts, Part } from '../rule/part.ts';
import type { Rule } from '../rule/rule.ts';
import type { StepDefinition, StepInputs } from '../rule/step.ts';

/** Raise when keys must change although no rule did. */
const formatVersion = 1;

/** Everything that goes into a step or a target, as plain data. */
export type Manifest = { readonly [name: string]: ManifestValue };
export type ManifestValue = string | number | boolean | null | undefined | readonly ManifestValue[] | Manifest;

export interface ManifestEntry {
  readonly path: string;
  readonly value: string;
}

/** The one walk: what is hashed and what is shown both go by it, so that `why` can not disagree with the key. Order is by code unit. */
function walk(value: unknown, path: string, visit: (path: string, value: string) => void): void {
  if (Array.isArray(value)) {
    visit(path, `list of ${value.length}`);
    for (const [i, item] of value.entries()) walk(item, `${path}[${i}]`, visit);
  } else if (typeof value === 'object' && value !== null) {
    const names = Object.keys(value).filter((name) => (value as Record<string, unknown>)[name] !== undefined);
    if (names.length === 0) visit(path, 'nothing in it');
    for (const name of names.sort(byCodeUnit)) {
      walk((value as Record<string, unknown>)[name], path === '' ? escaped(name) : `${path}.${escaped(name)}`, visit);
    }
  } else {
    visit(path, JSON.stringify(value) ?? 'undefined');
  }
}

export function entriesOf(manifest: Manifest): ManifestEntry[] {
  const entries: ManifestEntry[] = [];
  walk(manifest, '', (path, value) => void entries.push({ path, value }));
  return entries;
}

/** Keeps a name with dots or brackets apart from a path. */
const escaped = (name: string): string => (/^[\w-]+$/.test(name) ? name : JSON.stringify(name));

/** The key of a manifest. There may be as many as steps: one text, hashed in one call. */
export function keyOf(manifest: Manifest): Digest {
  let text = '';
  walk(manifest, '', (path, value) => {
    text += `${path}\0${value}\n`;
  });
  return digestHex(text);
}

/** What shapes bytes besides rules and inputs. */
export interface Settings {
  readonly chunkBytes: number;
}

const versionsOf = (rule: Rule): Manifest =>
  Object.fromEntries(rule.steps.map((step) => [step.name, { version: step.version, ...(step.uses.length > 0 && { uses: step.uses }) }]));

/** What steps and targets of a rule have in common. `code` is the digest of the module of a rule that is the user's own. */
const ruleManifest = (rule: Rule, code: Digest | undefined): Manifest => ({
  format: formatVersion,
  cut: CUT_VERSION,
  rule: rule.name,
  version: rule.version,
  code,
});

/** A target's manifest: rule (with the digest of its code, where it is the user's own), versions of all its steps, options with digests for files, and digests of its inputs' collections. */
export function targetManifest(target: {
  rule: Rule;
  code?: Digest | undefined;
  options: Manifest;
  inputs: Manifest;
  settings: Settings;
}): Manifest {
  const { rule, code, options, inputs, settings } = target;
  return {
    ...ruleManifest(rule, code),
    steps: versionsOf(rule),
    options,
    inputs,
    settings: { ...settings },
  };
}

/** A step's manifest but for its inputs: the same for all chunks of a target, so it is hashed once. */
export function stepHead(step: {
  rule: Rule;
  code?: Digest | undefined;
  definition: StepDefinition;
  params: unknown;
  settings: Settings;
}): Manifest {
  const { rule, code, definition, params, settings } = step;
  return {
    ...ruleManifest(rule, code),
    step: definition.name,
    stepVersion: definition.version,
    uses: definition.uses,
    params: params as ManifestValue,
    chunkBytes: settings.chunkBytes,
  };
}

/**
 * A step's key: BLAKE3 over the head's digest and, input by input in order of name, each part's form, digest and facts.
 * Facts are in it because steps pass them on: two chunks of equal bytes may have different ones, as `u` of a chunk that small files share.
 */
export function stepKey(head: Digest, inputs: StepInputs): Digest {
  let text = head;
  for (const name of Object.keys(inputs).sort(byCodeUnit)) {
    const given = inputs[name] as Part | readonly Part[];
    const parts: readonly Part[] = Array.isArray(given) ? given : [given as Part];
    text += `\n${name} ${parts.length}`;
    for (const part of parts) text += ` ${part.form}:${part.digest}${factsText(part.facts)}`;
  }
  return digestHex(text);
}

function factsText(facts: Facts): string {
  let text = '';
  for (const name of Object.keys(facts).sort(byCodeUnit)) text += `,${escaped(name)}=${facts[name]}`;
  return text;
}
