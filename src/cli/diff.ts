import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { Command, Option } from 'clipanion';
import { BuildError } from '../base/errors.ts';
import type { DiffItem, RunOutputs } from '../engine/api.ts';
import type { Project } from '../engine/project.ts';
import { forPeople } from '../report/printed.ts';
import { findRun, type RunRecord, runRecord, runsIn } from '../report/recorded.ts';
import { exitCode } from './exit-codes.ts';
import { wholeNumber } from './numbers.ts';
import { ReadingCommand } from './reading-command.ts';
import { isAlike, isComplete, isWhole, outputsOf } from './run-outputs.ts';
import { diffLine } from './show-diff.ts';

/** Whether a target of both was another one then. */
function differs(a: RunOutputs, b: RunOutputs): boolean {
  return Object.entries(a).some(([target, outputs]) => b[target] !== undefined && JSON.stringify(outputs) !== JSON.stringify(b[target]));
}

export class DiffCommand extends ReadingCommand {
  static override paths = [['diff']];
  static operands = '[run|git-rev] [targets...]';
  static override usage = Command.Usage({
    description: 'Say which documents and how many tokens were added, removed and changed since an earlier run, by target and group.',
    details:
      'Without a run it compares the last run with the newest before it that left something else. A git revision means the newest run at that ' +
      'commit; runs are on record in .dsbuild/runs, and nothing is built for the answer. Samples are shown where the documents of both runs are ' +
      'still on this machine.',
    examples: [
      ['against the last run that differs', '$0 diff'],
      ['one target only', '$0 diff clean'],
      ['against an earlier run (see logs --runs), or a commit', '$0 diff 2026-11-21T16 clean; $0 diff HEAD~1'],
      ['ten samples of each kind', '$0 diff clean --samples 10'],
    ],
  });

  operands = Option.Rest();
  samples = Option.String('--samples', '3', { description: '<n> Documents shown of each kind in each group.' });

  async execute(): Promise<number> {
    const samples = wholeNumber('--samples', this.samples, 0) as number;
    return this.reading(async (project) => {
      const { before, after, targets } = await this.#asked(project);
      const heading = this.paint.dim(`${before.run} -> ${after.run}`);
      const request = { before: outputsOf(before), after: outputsOf(after), targets, samples, use: this.use };
      let differing = 0;
      for await (const item of this.context.engine.diff(project, request)) {
        if (this.context.signal.aborted) break;
        if (item.type === 'group' && ++differing === 1 && !this.json) this.print(heading);
        this.#show(item);
      }
      if (differing === 0 && !this.json) this.print(`${heading}  nothing differs`);
      return exitCode.ok;
    });
  }

  #show(item: DiffItem): void {
    if (this.json) return this.printJson(item);
    const line = diffLine(forPeople(item), this.paint);
    if (line !== undefined) this.print(line);
  }

  async #asked(project: Project): Promise<{ before: RunRecord; after: RunRecord; targets: readonly string[] }> {
    const records = runsIn(project.stateDir)
      .map((run) => runRecord(project.stateDir, run))
      .filter(isComplete);
    // A run of some groups or of a sample left nothing that the whole could be compared with.
    const after = records.find(isWhole) ?? records[0];
    if (!after) {
      throw new BuildError('no-runs', { message: 'no run is on record that says what it left', hint: 'Build first: dsbuild build' });
    }
    const [first, ...others] = this.operands;
    const isTarget =
      first === undefined || project.graph.outputs.has(first) || Object.hasOwn(outputsOf(after), first) || first.includes('*');
    if (!isTarget) {
      const before = await this.#runNamed(first, project, records);
      return { before, after: records.find((record) => record.run > before.run && isAlike(record, before)) ?? after, targets: others };
    }
    const earlier = records.filter((record) => record.run < after.run && isAlike(record, after));
    const before = earlier.find((record) => differs(outputsOf(after), outputsOf(record))) ?? earlier[0];
    if (before) return { before, after, targets: this.operands };
    throw new BuildError('no-runs', {
      message: `only one run ${records.length > 1 ? 'of its kind ' : ''}is on record: ${after.run}`,
      hint: 'Change something and build: then there is something to compare.',
    });
  }

  /** A run by the beginning of its name, or the newest at a commit. */
  async #runNamed(name: string, { stateDir, root }: Project, records: readonly RunRecord[]): Promise<RunRecord> {
    if (runsIn(stateDir).some((run) => run.startsWith(name))) {
      const record = runRecord(stateDir, findRun(stateDir, name));
      if (isComplete(record)) return record;
      throw new BuildError('unknown-run', {
        message: `the record of ${record.run} does not say what it left: it was cut off, or is of an earlier version`,
      });
    }
    const commit = await commitOf(name, root);
    if (commit === undefined) {
      throw new BuildError('unknown-run', {
        message: `"${name}" is no target, no run and no git revision`,
        hint: `Runs: ${records
          .slice(0, 3)
          .map(({ run }) => run)
          .join(', ')}; dsbuild logs --runs lists all.`,
      });
    }
    const ofCommit = records.filter(({ summary }) => summary?.commit === commit);
    const found = ofCommit.find(isWhole) ?? ofCommit[0];
    if (found) return found;
    throw new BuildError('unknown-run', {
      message: `no run on record was made at ${name} (${commit.slice(0, 12)})`,
      hint: 'Only what was built on this machine can be compared. Check the revision out and build it, then come back and build.',
    });
  }
}

/** What git says a revision is; undefined where there is no git, no repository, or no such revision. */
async function commitOf(revision: string, cwd: string): Promise<string | undefined> {
  try {
    const args = ['rev-parse', '--verify', '--quiet', '--end-of-options', `${revision}^{commit}`];
    const { stdout } = await promisify(execFile)('git', args, { cwd });
    return stdout.trim() || undefined;
  } catch {
    return undefined;
  }
}
