import { type Facts, type Form, forms } from '../../rule/part.ts';
import type { CollectionResult, OutputPart, Quarantined, StepResult, TargetResult } from '../results.ts';
import { isDigest } from './layout.ts';

/** Thrown and caught in this folder only: what is not shaped like a result is no result. */
export class BadShape extends Error {}

type Fields = Readonly<Record<string, unknown>>;

function fieldsOf(value: unknown): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
  throw new BadShape('no object');
}

/** Names become names of properties: one that objects have from birth would be taken for that. */
function named(value: unknown): [string, unknown][] {
  const entries = Object.entries(fieldsOf(value));
  if (entries.some(([name]) => name in Object.prototype)) throw new BadShape('a name that objects have from birth');
  return entries;
}

const listOf = <T>(value: unknown, item: (value: unknown) => T): T[] => {
  if (!Array.isArray(value)) throw new BadShape('no list');
  return value.map(item);
};

function text(value: unknown): string {
  if (typeof value === 'string') return value;
  throw new BadShape('no text');
}

function number(value: unknown): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw new BadShape('no number');
}

function count(value: unknown): number {
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number;
  throw new BadShape('no count');
}

function digest(value: unknown): string {
  if (isDigest(value)) return value;
  throw new BadShape('no digest');
}

function form(value: unknown): Form {
  if (forms.includes(value as Form)) return value as Form;
  throw new BadShape('no form');
}

const facts = (value: unknown): Facts => Object.fromEntries(named(value).map(([name, fact]) => [name, number(fact)]));

function outputName(value: unknown): string {
  const name = text(value);
  if (name in Object.prototype) throw new BadShape('no output');
  return name;
}

function outputPart(value: unknown): OutputPart {
  const part = fieldsOf(value);
  const checked = {
    output: outputName(part['output']),
    form: form(part['form']),
    digest: digest(part['digest']),
    bytes: count(part['bytes']),
    facts: facts(part['facts']),
    group: text(part['group']),
  };
  return part['name'] === undefined ? checked : { ...checked, name: text(part['name']) };
}

function quarantined(value: unknown): Quarantined {
  const bad = fieldsOf(value);
  const checked = { part: digest(bad['part']), record: count(bad['record']), reason: text(bad['reason']), detail: text(bad['detail']) };
  return bad['group'] === undefined ? checked : { ...checked, group: text(bad['group']) };
}

function collection(value: unknown): CollectionResult {
  const { digest: name, parts, bytes, records, tokens, selects } = fieldsOf(value);
  const sums = { digest: digest(name), parts: count(parts), bytes: count(bytes), records: count(records), tokens: count(tokens) };
  return selects === true ? { ...sums, selects } : sums;
}

/** A step's result of what JSON gave, field by field: nothing else comes along. @throws BadShape */
export function checkedStepResult(value: unknown): StepResult {
  const result = fieldsOf(value);
  return {
    parts: listOf(result['parts'], outputPart),
    counters: facts(result['counters']),
    quarantined: listOf(result['quarantined'], quarantined),
    tookMs: number(result['tookMs']),
    ...(result['external'] === true && { external: true }),
  };
}

/** The same for a target's. @throws BadShape */
export function checkedTargetResult(value: unknown): TargetResult {
  const result = fieldsOf(value);
  const checked = {
    outputs: Object.fromEntries(named(result['outputs']).map(([name, output]) => [name, collection(output)])),
    counters: facts(result['counters']),
    quarantined: listOf(result['quarantined'], quarantined),
    badGroups: listOf(result['badGroups'], text),
    documentsIn: count(result['documentsIn']),
    steps: count(result['steps']),
    tookMs: number(result['tookMs']),
  };
  return result['lineage'] === undefined ? checked : { ...checked, lineage: digest(result['lineage']) };
}
