import { lineageOutput } from '../src/rule/lineage.ts';
import { boolean, fields, integer, text, words } from '../src/rule/options.ts';
import type { Part } from '../src/rule/part.ts';
import { memoOutput } from '../src/rule/row-memo.ts';
import { defineRule } from '../src/rule/rule.ts';
import { defineStep } from '../src/rule/step.ts';
import type { RowOptions } from './lib/encode-row.ts';
import { tokenizerOption } from './lib/tokenizer-option.ts';
import { decodeTokens } from './lib/tokens.ts';

type EncodeInputs = { readonly chunk: Part; readonly model: Part; readonly config?: Part };

interface EncodeParams extends RowOptions {
  readonly eos?: string;
  readonly pad?: string;
  readonly bos?: string;
  /** The program that runs the tokenizer, `name@version`. */
  readonly engine?: string;
}

/** Token ids of a chunk's documents, as one tokens part. */
const encode = defineStep(
  'encode',
  { version: 2, outputs: ['main', lineageOutput, memoOutput], rowPure: 'chunk' },
  async ({ chunk, model, config }: EncodeInputs, params: EncodeParams, io) => {
    // Only workers that tokenize load the library: a build that has nothing to do starts without it.
    const [{ loadTokenizer, specialTokensOf, tokenizerFor }, { encodeChunk }] = await Promise.all([
      import('./lib/tokenizer.ts'),
      import('./lib/encode-chunk.ts'),
    ]);
    const { eos, pad, bos, engine } = params;
    const packageFolder = engine && io.packageFolder(engine);
    const tokenizer = await tokenizerFor(`${engine} ${model.digest}`, () =>
      loadTokenizer({ model: io.bytes(model), engine, packageFolder }),
    );
    const specials = specialTokensOf({ tokenizer, config: config && io.bytes(config), eos, pad, bos });
    const encoded = await encodeChunk(io, chunk, { tokenizer, specials, options: params });
    encoded.write(specials, { chunk, model, io });
  },
);

const window = fields(
  {
    length: integer({ min: 1, max: 1 << 28 }).doc('Tokens of a window, special ones included; longer documents become several.'),
    stride: integer({ min: 0 }).default(0).doc('Tokens of the text with which a window repeats the end of the one before.'),
  },
  ({ length, stride }) => (stride < length ? undefined : { field: 'stride', message: `must be less than length, but is ${stride}` }),
);

const dropTokens = fields({
  charactersMin: integer({ min: 0 })
    .optional()
    .doc('Drops tokens whose text, white space at its ends not counted, has fewer characters; special tokens have no text.'),
  special: boolean().optional().doc('Drops special tokens: those in the texts, and those of the post-processor.'),
  stopWords: words()
    .optional()
    .doc('Drops tokens that are a stop word in upper or lower case: true for the English list, or a list of your own.'),
});

/** Documents to token ids. */
export const tokenize = defineRule({
  name: 'tokenize',
  version: 2,
  doc: 'Turns documents into token ids, chunk by chunk; the bytes of the tokenizer are in the key.',
  inputs: { documents: 'documents' },
  output: 'tokens',
  options: {
    tokenizer: tokenizerOption().doc('A tokenizer.json by path, `npm:<package>`, or the name of a model on the Hub.'),
    text: text().default('text').doc('The field that is tokenized.'),
    specialTokens: boolean()
      .default(true)
      .doc("Whether the tokenizer's own post-processor puts its tokens (BOS, [CLS] ...) around each text, or each window of it."),
    addBos: boolean().default(false).doc('Whether a BOS is put before each text, or each window of it, that does not begin with it.'),
    window: window.optional().doc('Cuts long documents into overlapping samples; what `dropTokens` drops is dropped before.'),
    dropTokens: dropTokens.optional().doc('Leaves tokens of the texts out, counted by reason.'),
    eos: text().optional().doc('The token that ends a document, if tokenizer_config.json does not name it or names the wrong one.'),
    pad: text().optional().doc('The token that fills sequences; by default that of tokenizer_config.json, else EOS.'),
    bos: text().optional().doc('The token that `addBos` puts before each text, if tokenizer_config.json does not name it.'),
  },
  steps: [encode],
  preview: async function* ({ bytes }) {
    const { lengths, ids, spans } = decodeTokens(bytes());
    let at = 0;
    for (const [sample, length] of lengths.entries()) {
      const start = spans?.starts[sample];
      yield { tokens: length, ...(start !== undefined && { start }), ids: Array.from(ids.subarray(at, at + length)) };
      at += length;
    }
  },
  async plan({ documents }, { tokenizer: { engine, ...files }, ...params }, build) {
    for await (const chunk of documents) build.emit(build.step(encode, { chunk, ...files }, given({ ...params, engine })));
  },
});

/** Without options that are not given: `undefined` is no value that travels or is hashed. */
function given(params: { readonly [N in keyof EncodeParams]: unknown }): EncodeParams {
  return Object.fromEntries(Object.entries(params).filter(([, value]) => value !== undefined)) as unknown as EncodeParams;
}
