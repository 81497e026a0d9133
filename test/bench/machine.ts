import { execFileSync } from 'node:child_process';
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';

export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly node: string;
  readonly platform: string;
  /** Processes that wanted to run in the last minute: figures of a busy machine are worth little. */
  readonly load: number;
  readonly commit: string;
}

function commit(): string {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const git = (...args: string[]): string => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();
  try {
    return `${git('rev-parse', '--short', 'HEAD')}${git('status', '--porcelain', '--', 'src', 'rules') ? ' with changes' : ''}`;
  } catch {
    return 'unknown';
  }
}

export const machine = (): Machine => ({
  processor: cpus()[0]?.model.trim() ?? 'unknown',
  cores: availableParallelism(),
  memoryBytes: totalmem(),
  node: process.versions.node,
  platform: `${process.platform}-${process.arch}`,
  load: loadavg()[0] as number,
  commit: commit(),
});

/** One line above the table. */
export const describeMachine = ({ processor, cores, memoryBytes, node, load, commit }: Machine): string =>
  `${cores} cores (${processor}), ${(memoryBytes / 2 ** 30).toFixed(0)} GiB, Node ${node}, dsbuild ${commit}, load ${load.toFixed(1)} at the start`;
