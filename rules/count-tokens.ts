import { BuildError } from '../src/base/errors.ts';
import { LineageBuilder, lineageOutput } from '../src/rule/lineage.ts';
import { text } from '../src/rule/options.ts';
import type { Part } from '../src/rule/part.ts';
import { defineRule } from '../src/rule/rule.ts';
import { defineStep } from '../src/rule/step.ts';
import { withoutReturn } from './lib/json-lines.ts';
import { withMetadata } from './lib/metadata-field.ts';
import { decodeTokens, documentLengths } from './lib/tokens.ts';

type CountInputs = { readonly chunk: Part; readonly tokens: Part };

/** The documents of a chunk with the number of their tokens; those that could not be tokenized as they are. */
const count = defineStep(
  'count',
  { version: 1, outputs: ['main', lineageOutput] },
  ({ chunk, tokens }: CountInputs, { field }: { readonly field: string }, io) => {
    const lengths = documentLengths(decodeTokens(io.bytes(tokens)));
    const documents = io.records();
    const lineage = new LineageBuilder();
    let read = 0;
    for (const row of io.documents(chunk)) {
      const length = lengths[read++];
      const line = length === undefined || length < 0 ? withoutReturn(row.line) : withMetadata(row, field, length);
      if (!line) {
        io.quarantine(chunk, row.record, 'metadata-not-an-object', '"metadata" is no object: there is no place for the count');
        continue;
      }
      documents.write(line);
      lineage.whole(row.record);
    }
    if (read !== lengths.length) throw notTheirs(read, lengths.length);
    documents.close();
    const side = io.create('side', lineageOutput);
    side.write(lineage.finish());
    side.close();
  },
);

const notTheirs = (read: number, tokenized: number): BuildError =>
  new BuildError('not-aligned', {
    message: `a chunk has ${read} documents, but its tokens were made of ${tokenized}`,
    hint: 'Give `countTokens` the very documents that were tokenized: `countTokens({ documents, tokens: tokenize(documents, ...) })`.',
  });

/** Documents with the number of their tokens. */
export const countTokens = defineRule({
  name: 'count-tokens',
  version: 1,
  doc: 'Writes the number of its tokens into the metadata of each document, without tokenizing again.',
  inputs: { documents: 'documents', tokens: 'tokens' },
  output: 'documents',
  options: { field: text().default('token_count').doc('The field of `metadata` that takes the number.') },
  steps: [count],
  async plan({ documents, tokens }, { field }, build) {
    for await (const [chunk, counted] of documents.align(tokens)) build.emit(build.step(count, { chunk, tokens: counted }, { field }));
  },
});
