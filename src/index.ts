/** The public face: what `import ... from 'dsbuild'` gives to configs, to rules of the user's, and to programs. */

import { reserveRuleNames } from './rule/rule.ts';

export { command } from '../rules/command.ts';
export { countTokens } from '../rules/count-tokens.ts';
export { download } from '../rules/download.ts';
export { exportDataset } from '../rules/export.ts';
export { filter } from '../rules/filter.ts';
export { index } from '../rules/index.ts';
export { shard } from '../rules/shard.ts';
export { tokenize } from '../rules/tokenize.ts';
export { write } from '../rules/write.ts';
export { BuildError } from './base/errors.ts';
export type { BuildEvent, BuildSummary, TargetSummary } from './base/events.ts';
export { type Config, defineConfig, local } from './config/define.ts';
export { param } from './config/param.ts';
export { type Secret, secret } from './config/secret.ts';
export { type CheckRequest, defineCheck, type Finding, type Findings, type RuleCheck } from './rule/check.ts';
export type { BadRecordReason, DocumentRecord, DocumentRow, RawRecord } from './rule/documents.ts';
export { LineageBuilder, lineageOutput } from './rule/lineage.ts';
export {
  boolean,
  choice,
  fields,
  file,
  files as fileList,
  integer,
  list,
  number,
  type Option,
  type Options,
  record,
  type Size,
  secrets,
  size,
  text,
  tokenizer,
  words,
} from './rule/options.ts';
export { type Collection, type Facts, type Form, factOf, type Kind, type Part, sumOf } from './rule/part.ts';
export { type Build, defineRule, many, type Placed, type Rule, type Running, type StepOutcome } from './rule/rule.ts';
export { files, type SourceOptions, type SourceValue, s3, url } from './rule/source.ts';
export {
  defineExternalStep,
  defineStep,
  type ExternalIo,
  type PartWriter,
  type RecordWriter,
  type Selection,
  type StepDefinition,
  type StepInputs,
  type StepIo,
} from './rule/step.ts';
export type { AnyTarget, Common, Documents, Target, Tokens, WithRejected } from './rule/target.ts';
export { defineAdapter, defineFilter, drop, keep, type UserFunction, type Verdict } from './rule/user-function.ts';

// All of dsbuild's own are defined now, and nothing of a config is.
reserveRuleNames();
