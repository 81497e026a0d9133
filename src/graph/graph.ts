import type { Rule } from '../rule/rule.ts';
import type { Common, TargetNode } from '../rule/target.ts';

/** One use of a rule, named, checked and placed. */
export interface GraphTarget {
  /** `shards`, `gpt2/parquet` where targets nest, `clean/filter` for one that has no name of its own. */
  readonly name: string;
  readonly node: TargetNode;
  readonly rule: Rule;
  /** Checked, with defaults and inherited options; file-like options are still as the config gave them. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly common: Common;
  readonly inputs: readonly GraphInput[];
  /** `datasets.config.ts:12`, for errors and `why`. */
  readonly where: string;
  /** Folder of the declaring module: relative paths in its options belong to it. */
  readonly base: string;
  /** Absolute folder that it is published in. */
  readonly out: string | undefined;
  /** The config gave it a name; targets that only feed others have none of their own. */
  readonly named: boolean;
}

export interface GraphInput {
  /** Name of the rule's input. */
  readonly input: string;
  /** Key within `many(...)`; '' for a single one. */
  readonly key: string;
  readonly from: GraphTarget;
  /** Which of the other target's outputs. */
  readonly output: string;
}

/** All targets, each after those that it needs. */
export interface Graph {
  readonly targets: readonly GraphTarget[];
  get(name: string): GraphTarget | undefined;
}
