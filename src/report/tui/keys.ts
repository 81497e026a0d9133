/** A key as it is named here: a printable character as itself, others by these names. */
export type Key =
  | 'up'
  | 'down'
  | 'left'
  | 'right'
  | 'home'
  | 'end'
  | 'page-up'
  | 'page-down'
  | 'enter'
  | 'escape'
  | 'backspace'
  | 'tab'
  | 'ctrl-c'
  | 'ctrl-z'
  | `character ${string}`;

const esc = '\u001b';

/** What terminals send after ESC [ or ESC O (ECMA-48 and xterm). */
const sequences: Readonly<Record<string, Key>> = {
  A: 'up',
  B: 'down',
  C: 'right',
  D: 'left',
  H: 'home',
  F: 'end',
  '1~': 'home',
  '4~': 'end',
  '7~': 'home',
  '8~': 'end',
  '5~': 'page-up',
  '6~': 'page-down',
};

const controls: Readonly<Record<string, Key>> = {
  '\r': 'enter',
  '\n': 'enter',
  '\t': 'tab',
  '\b': 'backspace',
  '\u007f': 'backspace',
  '\u0003': 'ctrl-c',
  '\u001a': 'ctrl-z',
  '\u000e': 'down',
  '\u0010': 'up',
};

// A sequence whose meaning is not known here is taken as a whole, so that its letters are not taken for keys.
const pieces = new RegExp(`${esc}(?:\\[[0-9;?<>=]*[ -/]*[@-~]|O[A-Za-z])|${esc}|[\\s\\S]`, 'gu');

function keyOf(piece: string): Key | undefined {
  if (piece === esc) return 'escape';
  if (piece.startsWith(esc)) {
    // Modifiers (ESC [ 1 ; 5 A) are left out.
    const [, number = '', final = ''] = /^..?(\d*)[\d;]*([A-Za-z~])$/.exec(piece) ?? [];
    return sequences[final === '~' ? number + final : final];
  }
  if (piece in controls) return controls[piece];
  return piece < ' ' ? undefined : `character ${piece}`;
}

/** All keys of one write: who types fast, pastes, or sits behind a slow line sends several at once. */
export function readKeys(text: string): Key[] {
  return (text.match(pieces) ?? []).flatMap((piece) => keyOf(piece) ?? []);
}
