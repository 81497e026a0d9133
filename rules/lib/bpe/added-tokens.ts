export interface AddedToken {
  readonly id: number;
  readonly content: string;
}

/** Where added tokens stand in a text. */
export interface AddedTokenMatch extends AddedToken {
  readonly at: number;
}

/** What may follow a beginning that some tokens share, and the token that ends here. */
interface Branch {
  token?: AddedToken;
  readonly next: Map<string, Branch>;
}

/** Finds added tokens in texts: the leftmost first, the longest of those that begin at one place, as the reference's automaton does. */
export class AddedTokenFinder {
  readonly #tree: Branch = { next: new Map() };
  /** The first two UTF-16 units of the tokens: they are rare in most texts, and `indexOf` looks for them fast. */
  readonly #starts: ReadonlySet<string>;

  constructor(tokens: readonly AddedToken[]) {
    this.#starts = new Set(tokens.map(({ content }) => content.slice(0, 2)));
    for (const token of tokens) {
      let branch = this.#tree;
      for (const unit of token.content.split('')) branch = branchOf(branch, unit);
      branch.token = token;
    }
  }

  /** Matches from left to right, none inside another. */
  find(text: string): AddedTokenMatch[] {
    const found: AddedTokenMatch[] = [];
    for (const start of this.#starts) {
      for (let at = text.indexOf(start); at >= 0; at = text.indexOf(start, at + 1)) {
        const token = this.#longestAt(text, at);
        if (token) found.push({ ...token, at });
      }
    }
    if (this.#starts.size > 1) found.sort((a, b) => a.at - b.at);
    let end = 0;
    return found.filter(({ at, content }) => {
      if (at < end) return false;
      end = at + content.length;
      return true;
    });
  }

  #longestAt(text: string, at: number): AddedToken | undefined {
    let longest: AddedToken | undefined;
    let branch: Branch | undefined = this.#tree;
    for (let end = at; branch; end++) {
      longest = branch.token ?? longest;
      branch = branch.next.get(text.charAt(end));
    }
    return longest;
  }
}

function branchOf(branch: Branch, unit: string): Branch {
  const known = branch.next.get(unit);
  if (known) return known;
  const made: Branch = { next: new Map() };
  branch.next.set(unit, made);
  return made;
}
