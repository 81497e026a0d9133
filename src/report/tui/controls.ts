import type { Key } from './keys.ts';

export type Pane = 'targets' | 'target' | 'log' | 'help';

/** What the person in front of the screen has chosen. */
export interface Ui {
  readonly pane: Pane;
  /** Undefined until somebody selects: then what runs is followed. */
  readonly selected: string | undefined;
  /** Part of the names of targets, or of lines of the log, that are shown. */
  readonly filter: string;
  readonly isTyping: boolean;
  /** Lines that are scrolled: from the top, and in the log from the end. */
  readonly scroll: number;
}

export const firstUi: Ui = { pane: 'targets', selected: undefined, filter: '', isTyping: false, scroll: 0 };

/** What a key asks of the build, beside what it does to the screen. */
export type Wish =
  | { readonly kind: 'quit' | 'interrupt' | 'suspend' | 'rebuild' | 'pause' }
  | { readonly kind: 'look'; readonly target: string };

/** What is on the screen when a key is pressed. */
export interface Surroundings {
  /** Targets that can be selected, in the order in which they are shown. */
  readonly names: readonly string[];
  /** The one that is selected now, chosen or followed. */
  readonly current: string | undefined;
  /** Lines that a page key moves. */
  readonly page: number;
}

export interface Pressed {
  readonly ui: Ui;
  readonly wish?: Wish;
}

const charactersMax = 100;

function type(ui: Ui, key: Key): Ui {
  const { filter } = ui;
  if (key === 'enter') return { ...ui, isTyping: false };
  if (key === 'escape') return { ...ui, isTyping: false, filter: '', scroll: 0 };
  if (key === 'backspace') return { ...ui, filter: [...filter].slice(0, -1).join(''), scroll: 0 };
  if (!key.startsWith('character ') || filter.length >= charactersMax) return ui;
  return { ...ui, filter: filter + key.slice('character '.length), scroll: 0 };
}

function select(ui: Ui, { names, current }: Surroundings, steps: number): Ui {
  const at = current === undefined ? -1 : names.indexOf(current);
  const next = at < 0 ? 0 : Math.max(0, Math.min(names.length - 1, at + steps));
  return { ...ui, selected: names[next] ?? ui.selected };
}

/** How far a key moves, in lines; down is more. */
function stepsOf(key: Key, page: number): number | undefined {
  const steps: Partial<Record<Key, number>> = {
    up: -1,
    'character k': -1,
    down: 1,
    'character j': 1,
    'page-up': -page,
    'page-down': page,
    'character  ': page,
    home: Number.NEGATIVE_INFINITY,
    'character g': Number.NEGATIVE_INFINITY,
    end: Number.POSITIVE_INFINITY,
    'character G': Number.POSITIVE_INFINITY,
  };
  return steps[key];
}

function move(ui: Ui, around: Surroundings, steps: number): Ui {
  if (ui.pane === 'targets') return select(ui, around, steps);
  // The log is scrolled from its end, so that it stays where it is while lines are added below.
  return { ...ui, scroll: Math.max(0, ui.scroll + (ui.pane === 'log' ? -steps : steps)) };
}

const paneKeys: Readonly<Partial<Record<Key, Pane>>> = { 'character l': 'log', 'character ?': 'help', 'character h': 'help' };
const wishKeys: Readonly<Partial<Record<Key, 'rebuild' | 'pause' | 'quit'>>> = {
  'character r': 'rebuild',
  'character p': 'pause',
  'character q': 'quit',
};

function back(ui: Ui): Ui {
  if (ui.pane !== 'targets') return { ...ui, pane: 'targets', scroll: 0 };
  return { ...ui, filter: '', selected: ui.filter === '' ? undefined : ui.selected };
}

function open(ui: Ui, target: string | undefined): Pressed {
  if (ui.pane !== 'targets' || target === undefined) return { ui };
  return { ui: { ...ui, pane: 'target', selected: target, scroll: 0 }, wish: { kind: 'look', target } };
}

/** What a key does. Every key is allowed at any time. */
export function press(ui: Ui, key: Key, around: Surroundings): Pressed {
  if (key === 'ctrl-c') return { ui, wish: { kind: 'interrupt' } };
  if (key === 'ctrl-z') return { ui, wish: { kind: 'suspend' } };
  if (ui.isTyping) return { ui: type(ui, key) };
  const steps = stepsOf(key, around.page);
  if (steps !== undefined) return { ui: move(ui, around, steps) };
  const kind = wishKeys[key];
  if (kind !== undefined) return { ui, wish: { kind } };
  if (key === 'enter' || key === 'right') return open(ui, around.current);
  if (key === 'escape' || key === 'left' || key === 'backspace') return { ui: back(ui) };
  if (key === 'character /') return { ui: { ...ui, isTyping: true, pane: ui.pane === 'log' ? 'log' : 'targets' } };
  const pane = paneKeys[key];
  if (pane !== undefined) return { ui: { ...ui, pane: ui.pane === pane ? 'targets' : pane, scroll: 0 } };
  return { ui };
}
