export interface AddedToken {
  readonly id: number;
  readonly content: string;
}

/** Where added tokens stand in a text. */
export interface AddedTokenMatch extends AddedToken {
  readonly at: number;
}

/** Finds added tokens in texts: the leftmost first, the longest of those that begin at one place, as the reference's automaton does. */
export class AddedTokenFinder {
  /** Tokens by their first two UTF-16 units, which are rare in most texts; the longest first. */
  readonly #byStart = new Map<string, AddedToken[]>();

  constructor(tokens: readonly AddedToken[]) {
    for (const token of [...tokens].sort((a, b) => b.content.length - a.content.length)) {
      const start = token.content.slice(0, 2);
      const same = this.#byStart.get(start);
      if (same) same.push(token);
      else this.#byStart.set(start, [token]);
    }
  }

  /** Matches from left to right, none inside another. */
  find(text: string): AddedTokenMatch[] {
    const found: AddedTokenMatch[] = [];
    for (const [start, tokens] of this.#byStart) collect(text, { start, tokens }, found);
    found.sort((a, b) => a.at - b.at || b.content.length - a.content.length);
    let end = 0;
    return found.filter(({ at, content }) => {
      if (at < end) return false;
      end = at + content.length;
      return true;
    });
  }
}

/** The longest token at each place where a token with this start begins, overlapping ones included. */
function collect(text: string, { start, tokens }: { start: string; tokens: readonly AddedToken[] }, found: AddedTokenMatch[]): void {
  for (let at = text.indexOf(start); at >= 0; at = text.indexOf(start, at + 1)) {
    for (const token of tokens) {
      if (!text.startsWith(token.content, at)) continue;
      found.push({ ...token, at });
      break;
    }
  }
}
