import type { TargetLook } from '../../base/look.ts';
import type { BuildView } from '../state.ts';
import type { Ui } from './controls.ts';
import type { Rates } from './rates.ts';
import type { Branch } from './tree.ts';
import { treeOf } from './tree.ts';

/** Everything that a frame is made of. */
export interface Scene {
  readonly view: BuildView;
  readonly ui: Ui;
  /** Lines that were said, the newest last, without colours. */
  readonly log: readonly string[];
  readonly rates: Rates;
  /** The target that was opened, once it is known. */
  readonly look: TargetLook | undefined;
  readonly status: Status;
  readonly nowMs: number;
}

/** What the build is asked to do, and what it can be asked. */
export interface Status {
  readonly isPaused: boolean;
  readonly isStopping: boolean;
  readonly canRebuild: boolean;
  readonly canPause: boolean;
  /** Keys are read. */
  readonly hasKeys: boolean;
}

export interface ScreenSize {
  readonly columns: number;
  readonly rows: number;
}

const holds = (text: string, filter: string): boolean => text.toLowerCase().includes(filter.toLowerCase());

/** Targets that are shown. */
export const branchesOf = ({ view, ui }: Pick<Scene, 'view' | 'ui'>): Branch[] =>
  treeOf(view.targets).filter(({ target }) => holds(target.name, ui.filter));

export const logOf = ({ log, ui }: Pick<Scene, 'log' | 'ui'>): readonly string[] =>
  ui.filter === '' ? log : log.filter((text) => holds(text, ui.filter));

/** The selected target: who has selected none follows the first that runs. */
export function currentOf(branches: readonly Branch[], { selected }: Ui): string | undefined {
  const chosen = branches.find(({ target }) => target.name === selected) ?? branches.find(({ target }) => target.state === 'running');
  return (chosen ?? branches[0])?.target.name;
}
