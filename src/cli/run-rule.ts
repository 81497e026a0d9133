import { existsSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { Command, type CommandClass, Option } from 'clipanion';
import { BuildError } from '../base/errors.ts';
import type { Emit } from '../base/events.ts';
import type { BuildOptions } from '../engine/api.ts';
import type { Project } from '../engine/project.ts';
import type { Rule } from '../rule/rule.ts';
import type { CliContext } from './context.ts';
import { exitCode } from './exit-codes.ts';
import { FolderCommand } from './folder-command.ts';
import { wholeNumber } from './numbers.ts';
import { buildReported } from './reporters.ts';
import { tokenizeExample } from './run.ts';
import { type Chain, targetsOfChain } from './run-chain.ts';
import { flagsOf, optionFor, optionsFrom, type RuleFlag, runnableChains } from './run-flags.ts';
import { inputSource } from './run-input.ts';
import type { DescribedClass } from './syntax.ts';

abstract class RunRuleCommand extends FolderCommand {
  input = Option.String('--input', { description: '<path> A JSONL file, or a folder of them: each file becomes a group. Needed.' });
  output = Option.String('--output', { description: '<dir> Folder for the results. Needed.' });
  recursive = Option.Boolean('--recursive', false, { description: 'Also files in folders below --input.' });
  skipExisting = Option.Boolean('--skip-existing', false, {
    description: 'Accepted from old scripts: what is done is never done again anyway.',
  });
  force = Option.Boolean('--force', false, { description: 'Run though fresh.' });
  overwrite = Option.Boolean('--overwrite', false, { description: 'Replace results that were edited by hand.' });
  jobs = Option.String('-j,--jobs', { description: '<n> Steps that run at once; by default one per processor.' });
  keepGoing = Option.Boolean('-k,--keep-going', false, { description: 'After a failure, finish what does not depend on it.' });
  offline = Option.Boolean('--offline', false, { description: 'Use no network.' });
  plain = Option.Boolean('--plain', false, { description: 'Lines instead of the view for terminals.' });

  abstract readonly chain: Chain;
  abstract readonly flags: readonly RuleFlag[];

  async execute(): Promise<number> {
    const { options, open } = this.#plan();
    const flags = { json: this.json, plain: this.plain, paint: this.paint };
    const summary = await buildReported(this.context, {
      flags,
      options,
      withProject: async (use, emit) => {
        if (this.skipExisting)
          emit({ type: 'note', message: '--skip-existing: what is done is never done again anyway; the flag changes nothing' });
        const project = await open(emit);
        try {
          return await use(project);
        } finally {
          project.close();
        }
      },
    });
    return summary.ok ? exitCode.ok : exitCode.failed;
  }

  /** All mistakes of the command line are found here, before anything is opened. */
  #plan(): { options: BuildOptions; open: (emit: Emit) => Promise<Project> } {
    const input = needed('--input', this.input);
    const output = resolve(this.cwd, needed('--output', this.output));
    const root = isBelow(this.cwd, output) ? this.cwd : dirname(output);
    const options = optionsFrom(this.flags, {
      given: ({ flag }) => (this as unknown as Record<string, unknown>)[flag],
      path: (typed) => (root === this.cwd || !existsSync(resolve(this.cwd, typed)) ? typed : resolve(this.cwd, typed)),
    });
    const { group, patterns } = inputSource({ input, cwd: this.cwd, root, recursive: this.recursive });
    const jobs = wholeNumber('--jobs', this.jobs, 1);
    const { force, overwrite, keepGoing, offline, context, chain } = this;
    const open = (emit: Emit): Promise<Project> =>
      context.engine.openInline({
        ...this.openOptions(emit),
        cwd: root,
        stateDir: join(output, '.dsbuild'),
        config: (face) => ({
          targets: targetsOfChain(chain, {
            sources: { [group]: (face['files'] as (patterns: readonly string[]) => unknown)(patterns) },
            options,
            out: output,
          }),
        }),
      });
    // What is run once is of no use to others.
    return { open, options: { targets: [], force, overwrite, keepGoing, offline, remote: false, ...(jobs !== undefined && { jobs }) } };
  }
}

function needed(flag: string, value: string | undefined): string {
  if (value !== undefined && value !== '') return value;
  throw new BuildError('usage', { message: `${flag} is missing`, hint: 'For example: --input distillation --output out' });
}

const isBelow = (folder: string, path: string): boolean => {
  const below = relative(folder, path);
  return below !== '' && below.split(sep)[0] !== '..' && !/^[a-z]:/i.test(below);
};

const ownFlags: ReadonlySet<string> = new Set(
  [
    'input',
    'output',
    'recursive',
    'skip-existing',
    'force',
    'overwrite',
    'jobs',
    'keep-going',
    'offline',
    'plain',
    'json',
    'color',
    'help',
  ].map((name) => `--${name}`),
);

function commandFor(rule: Rule, chain: Chain): DescribedClass {
  const flags = flagsOf(chain, ownFlags);
  const steps = chain.calls.map((call) => call.rule.name).join(', ');
  const names =
    rule.name === 'tokenize'
      ? [tokenizeExample]
      : [[`${rule.name} on a folder`, `$0 run ${rule.name} --input data --output out`] as [string, string]];
  class Run extends RunRuleCommand {
    static override paths = [['run', rule.name]];
    static operands = '';
    static override usage = Command.Usage({
      description: rule.doc,
      details: `Runs ${steps} on the files of --input; what lies in --output from the last time and is still right is kept.`,
      examples: names,
    });

    readonly chain = chain;
    readonly flags = flags;

    constructor() {
      super();
      for (const flag of flags) (this as unknown as Record<string, unknown>)[flag.flag] = optionFor(flag);
    }
  }
  return Run as CommandClass<CliContext>;
}

/** A command for each rule that can run on its own. */
export const runCommands = (face: Readonly<Record<string, unknown>>): readonly DescribedClass[] =>
  [...runnableChains(face)].map(([rule, chain]) => commandFor(rule, chain));
