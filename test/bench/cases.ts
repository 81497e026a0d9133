import type { Case } from './case.ts';
import { cold } from './cold.ts';
import { edits } from './edits.ts';
import { estimates } from './estimates.ts';
import { gcCase } from './gc.ts';
import { memoryCase } from './memory.ts';
import { nothing } from './nothing.ts';
import { parquet } from './parquet.ts';
import { remoteCase } from './remote.ts';
import { s3Case } from './s3.ts';
import { startUp } from './start-up.ts';
import { steps } from './steps.ts';
import { tokenizerCase } from './tokenizer.ts';
import { ui } from './ui.ts';
import { watchCase } from './watch.ts';

/** In README's order. */
export const cases: readonly Case[] = [
  cold,
  tokenizerCase,
  parquet,
  memoryCase,
  edits,
  watchCase,
  remoteCase,
  s3Case,
  nothing,
  steps,
  gcCase,
  estimates,
  ui,
  startUp,
];
