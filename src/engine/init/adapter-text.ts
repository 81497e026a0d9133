import type { RecordShape } from './shape.ts';

/** A module that makes documents of records, and what it is called in the config. */
export interface AdapterFile {
  /** Relative to the config. */
  readonly path: string;
  readonly name: string;
  readonly text: string;
}

const camel = (words: readonly string[]): string =>
  words.map((word, i) => (i === 0 ? word : `${word[0]?.toUpperCase()}${word.slice(1)}`)).join('');

function moduleText(name: string, { doc, fields, body }: { doc: string; fields: readonly string[]; body: readonly string[] }): string {
  return [
    "import { defineAdapter } from 'dsbuild';",
    '',
    `/** ${doc} */`,
    `export const ${name} = defineAdapter({`,
    `  name: '${name}',`,
    '  // What is left out (null) is counted as `adapted-away`.',
    `  adapt({ id, ${fields.join(', ')}, ...metadata }) {`,
    ...body.map((line) => `    ${line}`),
    '    const document = { text, metadata };',
    '    return id === undefined || id === null ? document : { id: String(id), ...document };',
    '  },',
    '});',
    '',
  ].join('\n');
}

function chatModule({ field, role, content }: Extract<RecordShape, { is: 'chat' }>, name: string): string {
  return moduleText(name, {
    doc: "A chat as one text, a turn after the other. Write it here as your trainer's chat template does.",
    fields: [field],
    body: [
      `if (!Array.isArray(${field}) || ${field}.length === 0) return null;`,
      `const text = ${field}.map(({ ${role}, ${content} }) => \`\${${role}}: \${${content}}\`).join('\\n');`,
    ],
  });
}

function fieldsModule(fields: readonly string[], name: string): string {
  return moduleText(name, {
    doc: `The text of a record: ${fields.join(', then ')}.`,
    fields,
    body: [
      `const parts = [${fields.join(', ')}].filter((part) => typeof part === 'string' && part !== '');`,
      'if (parts.length === 0) return null;',
      "const text = parts.join('\\n\\n');",
    ],
  });
}

/** The adapter that records of a shape need; undefined where they are documents, or nobody can tell. */
export function adapterFor(shape: RecordShape): AdapterFile | undefined {
  if (shape.is === 'chat') {
    const name = shape.role === 'from' ? 'turns' : shape.field === 'messages' ? 'chat' : 'conversation';
    return { path: `adapters/${name}.ts`, name, text: chatModule(shape, name) };
  }
  if (shape.is !== 'fields') return undefined;
  const name = camel([...shape.fields.flatMap((field) => field.split('_')), 'text']);
  return { path: `adapters/${shape.fields.join('-').replaceAll('_', '-')}.ts`, name, text: fieldsModule(shape.fields, name) };
}
