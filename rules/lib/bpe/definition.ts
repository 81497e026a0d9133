import type { TokenizerDefinition } from '../tokenizer-repairs.ts';
import type { AddedToken } from './added-tokens.ts';
import { type ByteWords, byteLevelOf } from './byte-level.ts';
import { type CharacterWords, charactersOf } from './characters.ts';
import { NotRepresented, represented } from './not-represented.ts';
import { type Surroundings, surroundingsOf } from './template.ts';
import { type AddedTokens, addedTokensOf, pairsOf, vocabularyOf } from './vocabulary.ts';

/** A tokenizer.json that this engine represents exactly. */
export interface BpeDefinition {
  /** Ids by token, added ones included. */
  ids: ReadonlyMap<string, number>;
  /** Left, right and merged id of each merge, the best first. */
  pairs: Int32Array;
  /** Whether a word that is a token as a whole is that token, whatever the merges. */
  ignoreMerges: boolean;
  /** Id of a token of the model itself, not of one that was added to it. */
  idOfWord: (token: string) => number | undefined;
  added: AddedTokens;
  /** In the file's order. */
  specialTokens: AddedToken[];
  around: Surroundings;
  /** What is done with each stretch between added tokens before it is cut into words. */
  normalize: (text: string) => string;
  words: ByteWords | CharacterWords;
}

/** All but the merges, which decide nothing: those that this engine could not use, the reference refuses to load. */
export type BpeFrame = Omit<BpeDefinition, 'pairs'>;

/** What of a definition this engine needs, or why it leaves it to another: a part of it might mean something that is not represented here. */
export function bpeFrameOf(definition: TokenizerDefinition): BpeFrame | { whyNot: string } {
  try {
    return representedIn(definition);
  } catch (error) {
    if (error instanceof NotRepresented) return { whyNot: error.message };
    throw error;
  }
}

/** The same with the merges. @throws for merges that the reference would refuse too. */
export function bpeDefinitionOf(definition: TokenizerDefinition): BpeDefinition | { whyNot: string } {
  const frame = bpeFrameOf(definition);
  return 'whyNot' in frame ? frame : { ...frame, pairs: pairsOf(definition.model['merges'], frame.idOfWord) };
}

function representedIn(definition: TokenizerDefinition): BpeFrame {
  const { model } = definition;
  represented(model['type'] === 'BPE', `a ${String(model['type'])} model`);
  for (const name of ['dropout', 'continuing_subword_prefix', 'end_of_word_suffix'])
    represented(!model[name], `the model's option ${name}`);
  const around = surroundingsOf(definition.post_processor);
  represented(around !== undefined, `a post-processor of type ${typeOf(definition.post_processor)}`);
  const vocabulary = vocabularyOf(model['vocab']);
  const { normalize, words } = model['byte_fallback'] ? charactersOf(definition, vocabulary) : byteLevelOf(definition, vocabulary);
  const added = addedTokensOf(definition, vocabulary, normalize);
  const isNew = new Set(added.all.filter(({ content }) => !vocabulary.has(content)).map(({ content }) => content));
  for (const { content, id } of added.all) vocabulary.set(content, id);
  return {
    ids: vocabulary,
    ignoreMerges: model['ignore_merges'] === true,
    idOfWord: (token) => (isNew.has(token) ? undefined : vocabulary.get(token)),
    added,
    specialTokens: added.special,
    around,
    normalize,
    words,
  };
}

const typeOf = (part: object | null): string => String((part as { type?: unknown } | null)?.type);
