import type { Bench, Case, Row } from './case.ts';
import { seconds } from './figures.ts';
import { measure, repeat } from './measure.ts';
import { program } from './project.ts';

const repeats = 15;

async function* run({ scratch }: Bench): AsyncGenerator<Row> {
  const node = (...args: string[]) => repeat(repeats, () => measure({ command: [process.execPath, ...args], cwd: scratch }));
  const bare = await node('-e', '0');
  const version = await node(program, '--version');
  yield {
    what: '`dsbuild --version`',
    dsbuild: seconds(version.wallSeconds),
    beside: [`bare \`node\` ${seconds(bare.wallSeconds)}`],
    raw: { bare, version },
  };
}

export const startUp: Case = { name: 'start', about: 'start-up of the program above that of bare Node', takes: '10 seconds', run };
