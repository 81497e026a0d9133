import { EventEmitter } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import type { BuildSummary, Emit } from '../../src/base/events.ts';
import type { Engine } from '../../src/cli/engine.ts';
import { main } from '../../src/cli/main.ts';
import type { BuildOptions, OpenOptions, StatusReport } from '../../src/engine/api.ts';
import type { Project } from '../../src/engine/project.ts';

/** What a command wrote, and how it ended. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Sitting {
  readonly engine?: Partial<Engine>;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly signals?: Signals;
  readonly stdout?: Writable;
}

/** Ctrl-C by hand, and an exit that is written down. */
export class Signals extends EventEmitter {
  readonly exits: number[] = [];
  exit(code: number): void {
    this.exits.push(code);
  }
}

class Collector extends Writable {
  text = '';
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString('utf8');
    done();
  }
}

const unexpected = (): never => {
  throw new Error('this command asks nothing of the engine');
};

/** An engine that refuses everything but what a test gives it. */
const noEngine: Engine = {
  openProject: unexpected,
  openInline: unexpected,
  loadFace: unexpected,
  build: unexpected,
  warmRunner: unexpected,
  watchedFiles: unexpected,
  status: unexpected,
  why: unexpected,
  head: unexpected,
  trace: unexpected,
  diff: unexpected,
  stats: unexpected,
  distributions: unexpected,
  verify: unexpected,
  look: unexpected,
  update: unexpected,
  clean: unexpected,
  pushCache: unexpected,
  pullCache: unexpected,
  listRemote: unexpected,
  remoteUsage: unexpected,
  newSigningKey: unexpected,
  collectGarbage: unexpected,
  collectRemote: unexpected,
  cacheStats: unexpected,
  doctor: unexpected,
  init: unexpected,
};

/** Runs a command line with its own streams and, unless the test gives one, without an engine. */
export async function run(
  argv: readonly string[],
  { engine = {}, env = {}, cwd = '.', signals = new Signals(), stdout }: Sitting = {},
): Promise<Ended> {
  const [out, err] = [new Collector(), new Collector()];
  const code = await main(argv, {
    engine: { ...noEngine, ...engine },
    env,
    cwd,
    stdin: Readable.from([]),
    stdout: stdout ?? out,
    stderr: err,
    signals,
  });
  return { code, stdout: out.text, stderr: err.text };
}

/** The words of a command line, split at blanks. */
export const words = (line: string): string[] => line.split(' ').filter((word) => word !== '');

export const okSummary: BuildSummary = {
  type: 'summary',
  ok: true,
  run: 'r1',
  steps: { ran: 0, hit: 0, restored: 0, failed: 0 },
  tookMs: 20,
  targets: {},
  warnings: 0,
};

/** What a command asked of an engine whose targets are only names. */
export interface Asked {
  readonly engine: Partial<Engine>;
  readonly opened: OpenOptions[];
  readonly built: BuildOptions[];
  readonly surveyed: BuildOptions[];
  closed: number;
}

export interface Stage {
  readonly names?: readonly string[];
  readonly summary?: BuildSummary;
  readonly report?: StatusReport;
  readonly during?: (emit: Emit, signal: AbortSignal) => Promise<void> | void;
}

export const emptyReport: StatusReport = { targets: [], stale: 0, diskFree: 5e9 };

/** An engine on paper: opens anything, builds by emitting, and writes down what it was asked. */
export function stage({ names = [], summary = okSummary, report = emptyReport, during }: Stage = {}): Asked {
  const folder = mkdtempSync(join(tmpdir(), 'dsbuild-cli-'));
  folders.push(folder);
  const asked: Asked = { engine: {}, opened: [], built: [], surveyed: [], closed: 0 };
  const targets = names.map((name) => ({ name, named: true, inputs: [], rule: { name: 'download' }, where: 'datasets.config.ts:1' }));
  const graph = {
    targets,
    outputs: new Map(targets.map((target) => [target.name, { target, output: 'main' }])),
    get: (name: string) => targets.find((target) => target.name === name),
  };
  const open = async (options: OpenOptions): Promise<Project> => {
    asked.opened.push(options);
    return {
      root: folder,
      stateDir: join(folder, '.dsbuild'),
      graph,
      emit: options.emit,
      signal: options.signal,
      close: () => void asked.closed++,
    } as unknown as Project;
  };
  Object.assign(asked.engine, {
    openProject: open,
    openInline: open,
    build: async (project: Project, options: BuildOptions) => {
      asked.built.push(options);
      await during?.(project.emit, project.signal);
      project.emit(summary);
      return summary;
    },
    status: async (_project: Project, options: BuildOptions) => {
      asked.surveyed.push(options);
      return report;
    },
  } satisfies Partial<Engine>);
  return asked;
}

const folders: string[] = [];
export function emptyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'dsbuild-cli-'));
  folders.push(folder);
  return folder;
}

export function removeFolders(): void {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
}
