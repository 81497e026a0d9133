import { pathToFileURL } from 'node:url';
import { BuildError } from '../base/errors.ts';
import { definedRules } from '../rule/rule.ts';
import type { ExternalIo, StepDefinition, StepIo } from '../rule/step.ts';
import { importBundle } from '../rule/user-function.ts';
import { type IoHooks, JobIo } from './io.ts';
import type { Job, Made } from './job.ts';

type Rules = ReturnType<typeof definedRules>;

/** What was defined when a module had just been imported. Workers outlive an edit of it, and an undone edit imports nothing again. */
const imported = new Map<string, Rules>();

async function rulesFor({ module, rule }: Job): Promise<Rules> {
  const known = imported.get(module);
  if (known) return known;
  const isOfAnother = [...imported.values()].some((rules) => rules.has(rule));
  // Where the config itself was loaded its rules are there already.
  if (definedRules().has(rule) && !isOfAnother) return definedRules();
  await import(module);
  const rules = new Map(definedRules());
  imported.set(module, rules);
  return rules;
}

/** The step's function, after importing the module that defines its rule. */
async function definitionOf(job: Job): Promise<StepDefinition> {
  const rule = (await rulesFor(job)).get(job.rule)?.rule;
  const step = [...(rule?.steps ?? []), ...(rule?.check ? [rule.check.step] : [])].find((candidate) => candidate.name === job.step);
  if (!step) throw new BuildError('no-definition', { message: `the module of rule "${job.rule}" defines no step "${job.step}"` });
  return step as unknown as StepDefinition;
}

/** Runs one step where this process stands. The rest of the program reaches it through a runner. */
export async function runJob(job: Job, hooks: IoHooks, extend: (io: JobIo) => StepIo = (io) => io): Promise<Made> {
  const step = await definitionOf(job);
  for (const [digest, path] of Object.entries(job.bundles)) await importBundle(digest, () => import(pathToFileURL(path).href));
  const io = new JobIo(job, hooks);
  try {
    await step.run(job.inputs, job.params, extend(io) as ExternalIo);
    return io.made();
  } catch (error) {
    io.discard();
    throw error;
  } finally {
    io.end();
  }
}
