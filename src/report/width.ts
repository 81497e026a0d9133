/**
 * Characters that are one column wide and do nothing else: ASCII, Latin, and the signs, arrows, bars and marks that frames are drawn with.
 * Nearly every text is of these, and classes of Unicode take a regular expression long to compile.
 */
const narrow = /^[ -~\u00a1-\u00ac\u00ae-\u02ff\u2010-\u2027\u2030-\u205e\u2100-\u2bff]*$/;

/** Marks that stand on the character before them. */
const zeroWidth = /^[\p{Mn}\p{Me}]$/u;
const pictograph = /^\p{Extended_Pictographic}$/u;
/** Everything that moves the cursor or turns the direction of writing. */
const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** Wide by East Asian Width (UAX #11), as blocks. */
const wideFrom = [0x1100, 0x2e80, 0x3041, 0xa960, 0xac00, 0xf900, 0xfe30, 0xff01, 0xffe0, 0x16fe0, 0x1f000, 0x20000];
const wideTo = [0x115f, 0x303e, 0xa4cf, 0xa97f, 0xd7a3, 0xfaff, 0xfe6f, 0xff60, 0xffe6, 0x1b2ff, 0x1faff, 0x3fffd];

const isWide = (code: number): boolean => wideFrom.some((from, i) => code >= from && code <= (wideTo[i] as number));

/** Columns of one character. Where terminals differ it is the larger number: a line that is short is no harm, one too long is. */
function widthOfCharacter(character: string): number {
  const code = character.codePointAt(0) as number;
  if (code < 0x300) return 1;
  if (zeroWidth.test(character)) return 0;
  return isWide(code) || (code > 0x2bff && pictograph.test(character)) ? 2 : 1;
}

/** Columns that a text takes in a terminal. It holds no escape sequences. */
export function widthOf(text: string): number {
  if (narrow.test(text)) return text.length;
  let width = 0;
  for (const character of text) width += widthOfCharacter(character);
  return width;
}

/** A text as one line that can do nothing to a terminal: what is not printed becomes a blank. */
export const printable = (text: string): string => (narrow.test(text) ? text : text.replace(unprintable, ' '));

/** At most so many columns; what is cut off is shown by a mark. */
export function cut(text: string, columns: number): string {
  if (text.length <= columns && narrow.test(text)) return text;
  if (widthOf(text) <= columns) return text;
  let width = 0;
  let kept = '';
  for (const character of text) {
    width += widthOfCharacter(character);
    if (width > columns - 1) break;
    kept += character;
  }
  return columns < 1 ? '' : `${kept}…`;
}

/** Exactly so many columns. */
export function fill(text: string, columns: number): string {
  const short = cut(text, columns);
  return short + ' '.repeat(Math.max(0, columns - widthOf(short)));
}
