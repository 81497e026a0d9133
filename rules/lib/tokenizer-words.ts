export interface WordMerger {
  /** Byte-pair encoding of a word: the tokens, whose concatenation is the word. */
  merge(word: string): readonly string[];
  /** UTF-16 units per window; several times the longest token. */
  windowUnits: number;
}

/** How many places of a window's end are tried before the window is doubled. */
const seamTriesMax = 16;

/**
 * The tokens of one very long word in time and memory O(length), equal to `merge(word)`.
 *
 * Byte-pair encoding is greedy by rank, so as long as no merge crosses a place, its two sides evolve as if they were alone; and the
 * first merge to cross it would join a right end of the last token before with a left end of the first token after. Hence two
 * encoded sides may be put together exactly if those two tokens, encoded as one word, stay these two tokens. Windows are encoded one
 * by one, each starting at such a place near its predecessor's end. (The property is van Antwerpen and Neubeck's, "So many tokens, so little time", 2024.)
 */
export function mergeLongWord(word: string, merger: WordMerger): string[] {
  // Long words are mostly periodic: the same few windows again and again.
  const merge = remembered(merger.merge);
  const tokens: string[] = [];
  let window = windowAt(word, 0, merger.windowUnits);
  while (window.end < word.length) {
    const current = merge(word.slice(window.start, window.end));
    const seam = findSeam({ word, start: window.start, tokens: current, windowUnits: merger.windowUnits, merge });
    if (seam === undefined) {
      window = windowAt(word, window.start, 2 * (window.end - window.start));
      continue;
    }
    for (const token of current.slice(0, seam.kept)) tokens.push(token);
    window = windowAt(word, seam.at, merger.windowUnits);
  }
  for (const token of merge(word.slice(window.start))) tokens.push(token);
  return tokens;
}

interface SeamSearch {
  word: string;
  start: number;
  tokens: readonly string[];
  windowUnits: number;
  merge(word: string): readonly string[];
}

/** The last place, seen from the window's end, where the tokens before it and the encoding of what follows go together. */
function findSeam(search: SeamSearch): { kept: number; at: number } | undefined {
  const { word, tokens, merge } = search;
  let at = search.start + lengthOf(tokens);
  for (let kept = tokens.length - 1; kept >= 1 && kept >= tokens.length - seamTriesMax; kept--) {
    at -= tokens[kept]?.length ?? 0;
    const following = windowAt(word, at, search.windowUnits);
    const left = tokens[kept - 1] ?? '';
    const right = merge(word.slice(following.start, following.end))[0] ?? '';
    const together = merge(left + right);
    if (together.length === 2 && together[0] === left) return { kept, at };
  }
  return undefined;
}

function windowAt(word: string, start: number, units: number): { start: number; end: number } {
  const end = Math.min(word.length, start + units);
  const splitsPair = end < word.length && (word.charCodeAt(end) & 0xfc00) === 0xdc00;
  return { start, end: splitsPair ? end + 1 : end };
}

const lengthOf = (tokens: readonly string[]): number => tokens.reduce((sum, token) => sum + token.length, 0);

const rememberedMax = 1024;

function remembered(merge: WordMerger['merge']): WordMerger['merge'] {
  const known = new Map<string, readonly string[]>();
  return (word) => {
    const tokens = known.get(word) ?? merge(word);
    if (known.size >= rememberedMax) known.clear();
    known.set(word, tokens);
    return tokens;
  };
}
