import type { Digest } from '../../base/digest.ts';
import type { RemoteUse } from '../api.ts';

/** Lists of parts of each output, by target, as a run left them. */
export type RunOutputs = Readonly<Record<string, Readonly<Record<string, Digest>>>>;

export interface Amounts {
  readonly documents: number;
  readonly tokens: number;
  readonly parts: number;
}

/** Documents by what became of them; `changed` has its id before and after. */
export interface Changes {
  readonly added: number;
  readonly removed: number;
  readonly changed: number;
}

/** What an answer is made of, in order. `dsbuild diff --json` writes one a line. */
export type DiffItem =
  /** A group of an output that differs. Without `changes` it is not known which documents: only how many there are. */
  | {
      readonly type: 'group';
      readonly target: string;
      readonly group: string;
      readonly before: Amounts;
      readonly after: Amounts;
      readonly changes?: Changes;
      readonly note?: string;
    }
  /** One of the documents of the group before. */
  | {
      readonly type: 'sample';
      readonly target: string;
      readonly group: string;
      readonly is: 'added' | 'removed' | 'changed';
      readonly id: string;
      readonly text: string;
      /** Of a changed one: what it was. */
      readonly textBefore?: string;
    }
  /** A document that was removed or changed, of which only this is left: its source was edited in place. */
  | {
      readonly type: 'lost';
      readonly target: string;
      readonly group: string;
      /** The first 16 bytes of the SHA-256 of its line, without the line end. */
      readonly hash: string;
      /** Source file and line, as it was. */
      readonly place?: string;
    }
  | { readonly type: 'same'; readonly target: string }
  | { readonly type: 'note'; readonly target: string; readonly message: string };

export interface DiffRequest {
  readonly before: RunOutputs;
  readonly after: RunOutputs;
  /** Names of targets or patterns; all that both runs have when empty. */
  readonly targets: readonly string[];
  /** Documents shown of each kind in each group. */
  readonly samples: number;
  /** Whether documents may be fetched; without it they are not. */
  readonly use?: RemoteUse;
}
