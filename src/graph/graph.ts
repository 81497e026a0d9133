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
  /** As declared, with the config's `onBadRecord` where the target says nothing. */
  readonly common: Common;
  readonly inputs: readonly GraphInput[];
  /** `datasets.config.ts:12`, for errors and `why`. */
  readonly where: string;
  /** Folder of the declaring module: relative paths in its options belong to it. */
  readonly base: string;
  /** Absolute folder that it is published in, or `s3://bucket/prefix`. */
  readonly out: string | undefined;
  /** The config gave it a name; targets that only feed others have none of their own. */
  readonly named: boolean;
  /** Name of the target whose documents this one writes as files into its `out`; such a target is not in the config. */
  readonly filesOf: string | undefined;
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

/** An output of a target: what a name on the command line means. */
export interface GraphOutput {
  readonly target: GraphTarget;
  readonly output: string;
}

/** All targets, each after those that it needs. */
export interface Graph {
  readonly targets: readonly GraphTarget[];
  /** Folders of this machine that anything is published in, each once. */
  readonly folders: readonly string[];
  /** By every name that works: `clean`, another name of the same target, `clean.rejected`, `clean/filter`. */
  readonly outputs: ReadonlyMap<string, GraphOutput>;
  get(name: string): GraphTarget | undefined;
}
