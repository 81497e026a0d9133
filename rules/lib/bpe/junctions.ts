import type { BpeDefinition } from './definition.ts';

/** Numbers take 16 bits. */
export const charactersMax = 0xffff;
/** Pairs among the first of them, mostly ASCII, are looked up without hashing. */
const nearMax = 256;

/**
 * The characters of a vocabulary, numbered from 1, and between which of them some merge joins two tokens.
 *
 * The first merge across a place joins a token that ends there with one that begins there. Where no merge has those two characters at its
 * seam, none ever crosses the place: its two sides are encoded as if they were alone, which makes short words of any text.
 */
export class Junctions {
  /** Number by code point; 0 for characters that are no token. */
  readonly numbers = new Uint16Array(0x11_0000);
  /** Token by number. */
  readonly ids: Int32Array;
  readonly #near = new Uint8Array(nearMax * nearMax);
  /** Both numbers in one word, open addressing; 0 is a free slot. */
  readonly #far: Int32Array;

  constructor({ ids, idOfWord, pairs }: Pick<BpeDefinition, 'ids' | 'idOfWord' | 'pairs'>, tokens: readonly (string | undefined)[]) {
    // Tokens that were added to the model are none of its characters.
    this.ids = this.#numberCharacters([...ids.keys()].filter(isCharacter), idOfWord);
    const seams = this.#seamsOf(pairs, tokens);
    this.#far = new Int32Array(1 << Math.max(4, Math.ceil(Math.log2(seams.size * 4 + 1))));
    for (const seam of seams) {
      const [left, right] = [seam >>> 16, seam & 0xffff];
      if (left < nearMax && right < nearMax) this.#near[left * nearMax + right] = 1;
      else this.#far[this.#slotOf(seam)] = seam;
    }
  }

  /** Whether a merge may join tokens between two characters, given by their numbers, of which none is 0. */
  join(left: number, right: number): boolean {
    if (left < nearMax && right < nearMax) return this.#near[left * nearMax + right] === 1;
    return this.#far[this.#slotOf((left << 16) | right)] !== 0;
  }

  #numberCharacters(tokens: readonly string[], idOf: BpeDefinition['idOfWord']): Int32Array {
    const characters = tokens.filter((token) => idOf(token) !== undefined).map((token) => token.codePointAt(0) ?? 0);
    const numbered = new Int32Array(characters.length + 1);
    for (const [i, character] of characters.sort((a, b) => a - b).entries()) {
      this.numbers[character] = i + 1;
      numbered[i + 1] = idOf(String.fromCodePoint(character)) as number;
    }
    return numbered;
  }

  #seamsOf(pairs: Int32Array, tokens: readonly (string | undefined)[]): Set<number> {
    const seams = new Set<number>();
    for (let at = 0; at < pairs.length; at += 3) {
      const left = this.numbers[lastOf(tokens[pairs[at] as number] as string)] as number;
      const right = this.numbers[(tokens[pairs[at + 1] as number] as string).codePointAt(0) ?? 0] as number;
      if (left !== 0 && right !== 0) seams.add((left << 16) | right);
    }
    return seams;
  }

  #slotOf(seam: number): number {
    const far = this.#far;
    let hash = Math.imul(seam, 0x9e3779b1);
    hash ^= hash >>> 15;
    for (let slot = hash & (far.length - 1); ; slot = (slot + 1) & (far.length - 1)) {
      const seen = far[slot];
      if (seen === 0 || seen === seam) return slot;
    }
  }
}

/** Whether a token is one character. */
export const isCharacter = (token: string): boolean => token.length === ((token.codePointAt(0) ?? 0) > 0xffff ? 2 : 1);

function lastOf(token: string): number {
  const last = token.charCodeAt(token.length - 1);
  return (last & 0xfc00) === 0xdc00 ? (token.codePointAt(token.length - 2) ?? 0) : last;
}
