/** Runs one test file in this process and reports on file descriptor 3. Usage: node --import tsx child.ts FILE */
import { writeSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import type { Message } from './protocol.ts';
import { redirectImports } from './redirect.ts';

type Run = () => Promise<[errors: string | true, passed: number, skipped: number, total: number]>;
/** uvu puts the file's name first; it has none here. */
type Queue = (Run | null)[];
const world = globalThis as { UVU_DEFER?: number; UVU_QUEUE?: Queue[]; UVU_INDEX?: number; dsbuildSkips?: (reason: string) => void };

// uvu reads these when it is loaded: suites are queued for us instead of run by its own timer.
world.UVU_DEFER = 1;
world.UVU_INDEX = 0;
const queue: Queue = [null];
world.UVU_QUEUE = [queue];

// Synchronous, so that nothing is lost when a test ends the process.
const send = (message: Message): void => void writeSync(3, `${JSON.stringify(message)}\n`);
const describe = (error: unknown): string => (error instanceof Error ? (error.stack ?? error.message) : String(error));

let current = 'loading';
let skips = 0;
process.on('unhandledRejection', (error) =>
  send({ type: 'fault', text: `a promise was rejected and nobody awaited it (${current}): ${describe(error)}` }),
);
process.on('uncaughtException', (error) => {
  send({ type: 'fault', text: `an error was thrown outside of any test (${current}): ${describe(error)}` });
  process.exit(1);
});
world.dsbuildSkips = (reason) => {
  skips++;
  send({ type: 'skip', reason, test: current });
};

redirectImports();
const { listen, seen } = await import('./uvu.ts');
listen({
  onTest(name) {
    current = name;
    send({ type: 'test', name });
  },
  onFault: (text) => send({ type: 'fault', text }),
  skipsSoFar: () => skips,
});

await import(pathToFileURL(process.argv[2] as string).href);
let [passed, total, failures] = [0, 0, ''];
// Taken off one by one, because a test may queue another suite.
for (let run = queue.splice(1, 1)[0]; run; run = queue.splice(1, 1)[0]) {
  const [errors, ran, , registered] = await run();
  passed += ran;
  total += registered;
  if (errors !== true) failures += errors;
}
current = 'after the last test';
send({ type: 'drained', counts: { ...seen, passed, total }, failures });
