import { BuildError } from '../src/base/errors.ts';
import { recordHash } from '../src/base/record-hash.ts';
import { boolean, text, tokenizer } from '../src/rule/options.ts';
import type { Part } from '../src/rule/part.ts';
import { defineRule } from '../src/rule/rule.ts';
import { defineStep, type StepIo } from '../src/rule/step.ts';
import type { SpecialTokens, Tokenizer } from './lib/tokenizer.ts';
import { bpeEngine, huggingfaceEngine } from './lib/tokenizer-contract.ts';
import { decodeTokens, type Tokens, TokensBuilder } from './lib/tokens.ts';

type EncodeInputs = { readonly chunk: Part; readonly model: Part; readonly config?: Part };

interface EncodeParams {
  readonly addBos: boolean;
  readonly specialTokens: boolean;
  /** Name of the field that is tokenized. */
  readonly text: string;
  readonly eos?: string;
  readonly pad?: string;
  readonly bos?: string;
}

const progressEvery = 256;

/**
 * Token ids of a chunk's documents, as one tokens part.
 * Every fact follows from the ids and the tokenizer, so that an edit that changes no token ends here: `u` too is taken from the ids.
 */
const encode = defineStep(
  'encode',
  { version: 1, uses: [bpeEngine, huggingfaceEngine] },
  async (inputs: EncodeInputs, params: EncodeParams, io) => {
    // Only workers that tokenize load the library: a build that has nothing to do starts without it.
    const { loadTokenizer, specialTokensOf, tokenizerFor } = await import('./lib/tokenizer.ts');
    const engine = await tokenizerFor(inputs.model.digest, () => loadTokenizer({ model: io.bytes(inputs.model) }));
    const { eos, pad, bos } = params;
    const specials = specialTokensOf({ tokenizer: engine, config: inputs.config && io.bytes(inputs.config), eos, pad, bos });
    assertBos(specials, params);
    const tokens = new TokensBuilder({ tokens: Math.ceil(inputs.chunk.bytes / 4) });
    for (const row of io.documents(inputs.chunk)) {
      const value = row.raw[params.text];
      if (typeof value !== 'string') {
        io.quarantine(inputs.chunk, row.record, 'no-text', noText(params.text, value));
        continue;
      }
      const ids = encodeOrQuarantine(engine, value, { inputs, params, io, record: row.record });
      if (!ids) continue;
      if (params.addBos && ids[0] !== specials.bos) tokens.push(specials.bos as number);
      tokens.append(ids);
      tokens.endDocument();
      if (tokens.documents % progressEvery === 0) io.progress(tokens.documents, inputs.chunk.facts['records']);
    }
    write(tokens, specials, io);
  },
);

interface Place {
  readonly inputs: EncodeInputs;
  readonly params: EncodeParams;
  readonly io: StepIo;
  readonly record: number;
}

/** One document that no engine could hold must not end a build of many. */
function encodeOrQuarantine(engine: Tokenizer, text: string, { inputs, params, io, record }: Place): Int32Array | undefined {
  try {
    return engine.encode(text, { addSpecialTokens: params.specialTokens });
  } catch (error) {
    if (!(error instanceof BuildError) || error.code !== 'text-too-long') throw error;
    io.quarantine(inputs.chunk, record, 'text-too-long', error.message);
    return undefined;
  }
}

function assertBos(specials: SpecialTokens, { addBos }: EncodeParams): void {
  if (!addBos || specials.bos !== undefined) return;
  throw new BuildError('no-bos', {
    message: '`addBos` is on, but no token that begins a document is known: tokenizer_config.json has no bos_token in the vocabulary',
    hint: 'Set option `bos` to the token that begins a document, or leave `addBos` out.',
  });
}

const noText = (field: string, value: unknown): string =>
  value === undefined ? `has no "${field}"` : `"${field}" is ${value === null ? 'null' : `not a text but of type ${typeof value}`}`;

function write(tokens: TokensBuilder, { eos, pad }: SpecialTokens, io: StepIo): void {
  const part = io.create('tokens');
  part.write(tokens.finish());
  part.close({ records: tokens.documents, tokens: tokens.tokens, u: lastHash(tokens.view()), eos, pad });
  io.count('documents', tokens.documents);
  io.count('tokens', tokens.tokens);
}

/** Hash of the last document that has tokens; it decides whether a pack group, and a shard, may end here. */
function lastHash({ lengths, ids }: Tokens): number {
  const last = lengths.findLastIndex((length) => length > 0);
  const length = lengths[last] ?? 0;
  const start = ids.byteOffset + (ids.length - length) * ids.BYTES_PER_ELEMENT;
  return recordHash(new Uint8Array(ids.buffer, start, length * ids.BYTES_PER_ELEMENT));
}

/** Documents to token ids. */
export const tokenize = defineRule({
  name: 'tokenize',
  version: 1,
  doc: 'Turns documents into token ids, chunk by chunk; the bytes of the tokenizer are in the key.',
  inputs: { documents: 'documents' },
  output: 'tokens',
  options: {
    tokenizer: tokenizer().doc('A tokenizer.json by path, `npm:<package>`, or the name of a model on the Hub.'),
    text: text().default('text').doc('The field that is tokenized.'),
    specialTokens: boolean()
      .default(true)
      .doc("Whether the tokenizer's own post-processor puts its tokens (BOS, [CLS] ...) around each text."),
    addBos: boolean().default(false).doc('Whether a BOS is put before each text that does not begin with it.'),
    eos: text().optional().doc('The token that ends a document, if tokenizer_config.json does not name it or names the wrong one.'),
    pad: text().optional().doc('The token that fills sequences; by default that of tokenizer_config.json, else EOS.'),
    bos: text().optional().doc('The token that `addBos` puts before each text, if tokenizer_config.json does not name it.'),
  },
  steps: [encode],
  preview: async function* ({ bytes }) {
    const { lengths, ids } = decodeTokens(bytes());
    let at = 0;
    for (const length of lengths) {
      yield { tokens: length, ids: Array.from(ids.subarray(at, at + length)) };
      at += length;
    }
  },
  async plan({ documents }, { tokenizer: files, ...params }, build) {
    for await (const chunk of documents) build.emit(build.step(encode, { chunk, ...files }, given(params)));
  },
});

/** Without options that are not given: `undefined` is no value that travels or is hashed. */
function given(params: { readonly [N in keyof EncodeParams]: EncodeParams[N] | undefined }): EncodeParams {
  return Object.fromEntries(Object.entries(params).filter(([, value]) => value !== undefined)) as unknown as EncodeParams;
}
