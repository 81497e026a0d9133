import { isDeepStrictEqual } from 'node:util';

/** JSON Schema, as far as `npm run schemas` uses it. */
export interface Schema {
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly $ref?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema | false;
  readonly items?: Schema;
  readonly prefixItems?: readonly Schema[];
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly description?: string;
  readonly $defs?: Readonly<Record<string, Schema>>;
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

/** What of a value is not as the schema says, as paths with a word each; nothing if it fits. */
export function faults(value: unknown, schema: Schema, { root = schema, at = '' }: { root?: Schema; at?: string } = {}): string[] {
  const within = (inner: unknown, one: Schema, name: string): string[] => faults(inner, one, { root, at: `${at}/${name}` });
  if (schema.$ref !== undefined) return faults(value, root.$defs?.[schema.$ref.replace('#/$defs/', '')] as Schema, { root, at });
  if (schema.anyOf) {
    const all = schema.anyOf.map((one) => faults(value, one, { root, at }));
    // The alternative that comes nearest tells most.
    return all.reduce((best, one) => (one.length < best.length ? one : best));
  }
  if ('const' in schema && !isDeepStrictEqual(value, schema.const)) return [`${at} is not ${JSON.stringify(schema.const)}`];
  if (schema.enum && !schema.enum.includes(value)) return [`${at} is ${JSON.stringify(value)}, not one of ${JSON.stringify(schema.enum)}`];
  if (schema.type !== undefined && schema.type !== typeOf(value)) return [`${at} is ${typeOf(value)}, not ${schema.type}`];
  if (Array.isArray(value)) return listFaults(value, schema, { at, within });
  if (schema.type !== 'object') return [];
  const { properties = {}, required = [], additionalProperties } = schema;
  const entries = Object.entries(value as object);
  return [
    ...required.filter((name) => !Object.hasOwn(value as object, name)).map((name) => `${at}/${name} is missing`),
    ...entries.flatMap(([name, inner]) => {
      const one = Object.hasOwn(properties, name) ? properties[name] : additionalProperties;
      return one === false ? [`${at}/${name} is not in the schema`] : one === undefined ? [] : within(inner, one, name);
    }),
  ];
}

interface Inner {
  readonly at: string;
  readonly within: (inner: unknown, schema: Schema, name: string) => string[];
}

function listFaults(list: readonly unknown[], { items, prefixItems, minItems = 0, maxItems }: Schema, { at, within }: Inner): string[] {
  if (list.length < minItems || list.length > (maxItems ?? list.length)) return [`${at} has ${list.length} items`];
  return list.flatMap((item, i) => {
    const schema = prefixItems?.[i] ?? items;
    return schema ? within(item, schema, String(i)) : [];
  });
}
