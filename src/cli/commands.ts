import { BuildCommand } from './build.ts';
import { CleanCommand } from './clean.ts';
import { CompletionCommand, CompletionWordsCommand } from './completion.ts';
import { DoctorCommand } from './doctor.ts';
import { GraphCommand } from './graph.ts';
import { HeadCommand } from './head.ts';
import { InitCommand } from './init.ts';
import { RunCommand } from './run.ts';
import { StatusCommand } from './status.ts';
import type { DescribedClass } from './syntax.ts';
import { UpdateCommand } from './update.ts';
import { WhyCommand } from './why.ts';

/** In the order in which help lists them. */
export const commandClasses: readonly DescribedClass[] = [
  BuildCommand,
  RunCommand,
  StatusCommand,
  WhyCommand,
  GraphCommand,
  HeadCommand,
  UpdateCommand,
  CleanCommand,
  InitCommand,
  DoctorCommand,
  CompletionCommand,
  CompletionWordsCommand,
];
