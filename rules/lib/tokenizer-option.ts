import { type Option, tokenizer } from '../../src/rule/options.ts';
import type { TokenizerParts } from '../../src/rule/step.ts';
import { bpeEngine, huggingfaceEngine } from './tokenizer-contract.ts';

/** The option of every rule that makes tokens: what it gives names the engine that is to run the tokenizer. */
export const tokenizerOption = (): Option<TokenizerParts, string> =>
  tokenizer({
    own: bpeEngine,
    general: huggingfaceEngine,
    native: { name: 'tokenizers', versions: /^0\.23\./ },
    // A build that has nothing to do starts without the engines.
    whyNotOwn: async (model) => (await import('./tokenizer.ts')).whyNotOwn(model),
    differences: async (model) => (await import('./tokenizer.ts')).generalDifferences(model),
    decoder: async (model) => (await import('./tokenizer.ts')).tokenDecoder(model),
  });
