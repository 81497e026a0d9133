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
  readonly #starts: readonly string[];

  constructor(tokens: readonly AddedToken[]) {
    this.#starts = [...new Set(tokens.map(({ content }) => content.slice(0, 2)))];
    for (const token of tokens) {
      let branch = this.#tree;
      for (const unit of token.content.split('')) branch = branchOf(branch, unit);
      branch.token = token;
    }
  }

  /** Matches from left to right, none inside another. */
  find(text: string): AddedTokenMatch[] {
    const found: AddedTokenMatch[] = [];
    // Where each start stands next; what a match covers is not looked at, for runs of one character may be tokens too.
    const next = this.#starts.map((start) => indexOf(text, start, 0));
    for (let at = least(next); at < text.length; at = least(next)) {
      const token = this.#longestAt(text, at);
      if (token) found.push({ ...token, at });
      const from = at + (token?.content.length ?? 1);
      for (let i = 0; i < next.length; i++) if ((next[i] as number) < from) next[i] = indexOf(text, this.#starts[i] as string, from);
    }
    return found;
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

function least(places: readonly number[]): number {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < places.length; i++) if ((places[i] as number) < least) least = places[i] as number;
  return least;
}

function indexOf(text: string, start: string, from: number): number {
  const at = text.indexOf(start, from);
  return at < 0 ? text.length : at;
}

function branchOf(branch: Branch, unit: string): Branch {
  const known = branch.next.get(unit);
  if (known) return known;
  const made: Branch = { next: new Map() };
  branch.next.set(unit, made);
  return made;
}
