const MiB = 1024 * 1024;

/** Upper bounds of the whole program in one place. */
export const limits = {
  /** Chunk size aimed at, in bytes; chunks lie between half and twice of it. */
  chunkBytes: 8 * MiB,
  /** A longer record is quarantined. */
  recordBytesMax: 64 * MiB,
  /** Outputs below this size go into a pack file instead of a file of their own. */
  packedBytesMax: 64 * 1024,
  /** A plan's view of its input pauses while it has this many unfinished steps. */
  unfinishedStepsMax: 4096,
  /** Small steps travel together in one message to a worker. */
  stepsPerMessageMax: 16,
  /** Times that a build starts again because a source changed under it. */
  replansMax: 3,
  /** A step that is longer at one record of up to 1 MiB is taken for one that never ends. */
  recordSecondsMax: 60,
  /** Share of bad records above which a target fails. */
  badRecordShareMax: 0.01,
  /** Quarantined records listed by name per step; all are counted. */
  quarantineListedMax: 1000,
} as const;
