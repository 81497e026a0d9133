/** What a view shows of one target when it is opened. */
export interface TargetLook {
  readonly target: string;
  readonly rule: string;
  /** `datasets.config.ts:12` */
  readonly where: string;
  readonly out?: string;
  /** As the config gives them, defaults included, one line each; secrets by their names. */
  readonly options: readonly { readonly name: string; readonly value: string }[];
  /** Of the last time that it was built: the first ones, and how many there are. */
  readonly parts: readonly PartLook[];
  readonly partCount: number;
  /** The first rows, as JSON; why there are none, else. */
  readonly rows: readonly string[];
  readonly noRows?: string;
}

export interface PartLook {
  /** Group, and file name where it has one. */
  readonly name: string;
  /** Absent where it selects documents of another part. */
  readonly bytes?: number;
  readonly records: number;
  readonly tokens: number;
}
