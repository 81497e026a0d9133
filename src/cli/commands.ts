import { BuildCommand } from './build.ts';
import type { DescribedClass } from './syntax.ts';

interface CommandEntry {
  /** First words of its paths: a line that begins with one of them names this command. */
  readonly words: readonly string[];
  load(): Promise<readonly DescribedClass[]>;
}

/** In the order in which help lists them. A module is loaded when a line names its command; only the build, which needs no name, is always there. */
const entries: readonly CommandEntry[] = [
  { words: ['build'], load: async () => [BuildCommand] },
  { words: ['watch'], load: async () => [(await import('./watch.ts')).WatchCommand] },
  { words: ['run'], load: async () => [(await import('./run.ts')).RunCommand] },
  { words: ['status', 'ls', 'list'], load: async () => [(await import('./status.ts')).StatusCommand] },
  { words: ['why'], load: async () => [(await import('./why.ts')).WhyCommand] },
  { words: ['graph'], load: async () => [(await import('./graph.ts')).GraphCommand] },
  { words: ['head'], load: async () => [(await import('./head.ts')).HeadCommand] },
  { words: ['trace'], load: async () => [(await import('./trace.ts')).TraceCommand] },
  { words: ['stats'], load: async () => [(await import('./stats.ts')).StatsCommand] },
  { words: ['verify'], load: async () => [(await import('./verify.ts')).VerifyCommand] },
  { words: ['diff'], load: async () => [(await import('./diff.ts')).DiffCommand] },
  { words: ['logs'], load: async () => [(await import('./logs.ts')).LogsCommand] },
  { words: ['profile'], load: async () => [(await import('./profile.ts')).ProfileCommand] },
  { words: ['update'], load: async () => [(await import('./update.ts')).UpdateCommand] },
  { words: ['clean'], load: async () => [(await import('./clean.ts')).CleanCommand] },
  {
    words: ['cache'],
    load: async () => [
      (await import('./cache.ts')).CacheCommand,
      (await import('./cache-stats.ts')).CacheStatsCommand,
      (await import('./cache-gc.ts')).CacheGcCommand,
      (await import('./cache-ls.ts')).CacheLsCommand,
      (await import('./cache-push.ts')).CachePushCommand,
      (await import('./cache-pull.ts')).CachePullCommand,
      (await import('./cache-keygen.ts')).CacheKeygenCommand,
    ],
  },
  { words: ['init'], load: async () => [(await import('./init.ts')).InitCommand] },
  { words: ['doctor'], load: async () => [(await import('./doctor.ts')).DoctorCommand] },
  { words: ['completion'], load: async () => Object.values(await import('./completion.ts')) },
];

export const commandWords: readonly string[] = entries.flatMap(({ words }) => words);

/** Those whose lines can only be read, or only be answered, when all commands are known. */
const needingAll: ReadonlySet<string> = new Set(['run', 'cache', 'completion']);

/** The one command that a line can mean; undefined where it takes all of them to tell. */
export async function loadCommandOf(argv: readonly string[]): Promise<readonly DescribedClass[] | undefined> {
  const named = argv.filter((word) => commandWords.includes(word));
  const [first = 'build'] = named;
  // A flag may stand before a command's name, and its value may be a word like one: then the parser has to choose.
  if (needingAll.has(first) || (named.length > 0 && argv[0] !== first)) return undefined;
  return entries.find(({ words }) => words.includes(first))?.load();
}

export const loadCommands = async (): Promise<readonly DescribedClass[]> => (await Promise.all(entries.map(({ load }) => load()))).flat();
