/**
 * `npm run schemas` writes a JSON schema for what each command prints with `--json`, from the types that print it (`JsonOutput` in
 * src/cli/json-output.ts): `schemas/<command>.json`, for one line each.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import type { Schema } from './schema-check.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const schemasFolder = join(root, 'schemas');

/** Makes a schema of a type. Interfaces and aliases of object types that have a name become definitions. */
class SchemaMaker {
  readonly #checker: ts.TypeChecker;
  readonly defs: Record<string, Schema> = {};

  constructor(checker: ts.TypeChecker) {
    this.#checker = checker;
  }

  of(type: ts.Type): Schema {
    const { flags } = type;
    if (flags & (ts.TypeFlags.Unknown | ts.TypeFlags.Any)) return {};
    if (flags & ts.TypeFlags.Null) return { type: 'null' };
    if (flags & ts.TypeFlags.BooleanLiteral) return { const: this.#checker.typeToString(type) === 'true' };
    if (type.isStringLiteral() || type.isNumberLiteral()) return { const: type.value };
    if (flags & ts.TypeFlags.Boolean) return { type: 'boolean' };
    if (flags & ts.TypeFlags.String) return { type: 'string' };
    if (flags & ts.TypeFlags.Number) return { type: 'number' };
    if (type.isUnion()) return this.#union(type.types);
    if (this.#checker.isTupleType(type) || this.#checker.isArrayType(type)) return this.#list(type as ts.TypeReference);
    return this.#named(type) ?? this.#object(type);
  }

  #union(types: readonly ts.Type[]): Schema {
    const given = types.filter(({ flags }) => !(flags & ts.TypeFlags.Undefined));
    const isBoolean = given.filter(({ flags }) => flags & ts.TypeFlags.BooleanLiteral).length === 2;
    const isLiteral = (type: ts.Type): type is ts.LiteralType => type.isStringLiteral() || type.isNumberLiteral();
    const literals = given.filter(isLiteral);
    const others = given.filter((type) => !isLiteral(type) && !(isBoolean && type.flags & ts.TypeFlags.BooleanLiteral));
    const all: Schema[] = [
      ...(literals.length > 0 ? [{ enum: literals.map(({ value }) => value) }] : []),
      ...(isBoolean ? [{ type: 'boolean' }] : []),
      ...others.map((type) => this.of(type)),
    ];
    return all.length === 1 ? (all[0] as Schema) : { anyOf: all };
  }

  #list(type: ts.TypeReference): Schema {
    const items = this.#checker.getTypeArguments(type).map((item) => this.of(item));
    if (!this.#checker.isTupleType(type)) return { type: 'array', items: items[0] as Schema };
    return { type: 'array', prefixItems: items, minItems: items.length, maxItems: items.length };
  }

  #named(type: ts.Type): Schema | undefined {
    const symbol = type.isClassOrInterface() ? type.symbol : type.aliasTypeArguments ? undefined : type.aliasSymbol;
    if (!symbol) return undefined;
    const { name } = symbol;
    if (!Object.hasOwn(this.defs, name)) {
      // Named before it is made: a type may hold itself.
      this.defs[name] = {};
      this.defs[name] = { ...describedBy(symbol, this.#checker), ...this.#object(type) };
    }
    return { $ref: `#/$defs/${name}` };
  }

  #object(type: ts.Type): Schema {
    const index = this.#checker.getIndexInfoOfType(type, ts.IndexKind.String);
    const properties = type.getProperties();
    return {
      type: 'object',
      ...(properties.length > 0 && { properties: Object.fromEntries(properties.map((one) => [one.name, this.#property(one)])) }),
      ...(properties.length > 0 && {
        required: properties.filter((one) => !this.#mayBeAbsent(one)).map(({ name }) => name),
      }),
      additionalProperties: index ? this.of(index.type) : false,
    };
  }

  /** What is undefined is not written. */
  #mayBeAbsent(property: ts.Symbol): boolean {
    const type = this.#checker.getTypeOfSymbol(property);
    const isUndefined = type.isUnion() && type.types.some(({ flags }) => flags & ts.TypeFlags.Undefined);
    return isUndefined || (property.flags & ts.SymbolFlags.Optional) !== 0;
  }

  #property(property: ts.Symbol): Schema {
    return { ...this.of(this.#checker.getTypeOfSymbol(property)), ...describedBy(property, this.#checker) };
  }
}

function describedBy(symbol: ts.Symbol, checker: ts.TypeChecker): { description?: string } {
  const text = ts.displayPartsToString(symbol.getDocumentationComment(checker)).trim().replace(/\s+/g, ' ');
  return text === '' ? {} : { description: text };
}

/** `cache ls` -> `schemas/cache-ls.json`. */
export const schemaFile = (command: string): string => join(schemasFolder, `${command.replaceAll(' ', '-')}.json`);

/** Those that are shipped, in code unit order. */
export const schemaFiles = (): string[] =>
  readdirSync(schemasFolder)
    .map((name) => join(schemasFolder, name))
    .sort();

/** As it is shipped. */
export const schemaOf = (command: string): Schema => JSON.parse(readFileSync(schemaFile(command), 'utf8')) as Schema;

/** The schema of each command by its name, as text. */
export function schemaTexts(): Map<string, string> {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent({ ...config, include: [] }, ts.sys, root);
  const file = join(root, 'src/cli/json-output.ts');
  const program = ts.createProgram([file], options);
  const checker = program.getTypeChecker();
  const exported = checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(file) as ts.SourceFile) as ts.Symbol);
  const output = exported.find(({ name }) => name === 'JsonOutput') as ts.Symbol;
  const commands = checker.getDeclaredTypeOfSymbol(output).getProperties();
  return new Map(
    commands.map((command) => {
      const maker = new SchemaMaker(checker);
      const schema = maker.of(checker.getTypeOfSymbol(command));
      const title = `One line of dsbuild ${command.name} --json`;
      const about = { $schema: 'https://json-schema.org/draft/2020-12/schema', title, ...describedBy(command, checker) };
      return [command.name, `${JSON.stringify({ ...about, ...schema, $defs: maker.defs }, null, 2)}\n`];
    }),
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  mkdirSync(schemasFolder, { recursive: true });
  for (const [command, text] of schemaTexts()) writeFileSync(schemaFile(command), text);
}
