/**
 * What a new user sees, for README: commands really run in a folder with data of their own. `npm run record` writes README's part anew.
 * Times are those of the machine that recorded; `stable` leaves out what another machine says differently.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';
import { TestProject } from './build/project.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/** A line that somebody types, with what came of it. */
interface Entry {
  readonly typed: string;
  readonly said: string;
}

/** Text between, or a console. */
type Piece = string | readonly Entry[];

const words =
  'the water of a river runs slow over stone and sand where old trees lean in from both banks while birds call above it and a boat drifts past with nobody in it but one dog that sleeps all day long'.split(
    ' ',
  );

/** The same sentences on every machine. */
class Speaker {
  #seed = 42;

  below(n: number): number {
    this.#seed = (Math.imul(this.#seed, 1_103_515_245) + 12_345) >>> 0;
    return (this.#seed >>> 8) % n;
  }

  sentence(): string {
    const text = Array.from({ length: 6 + this.below(14) }, () => words[this.below(words.length)]).join(' ');
    return `${text[0]?.toUpperCase()}${text.slice(1)}.`;
  }

  text(sentences: number): string {
    return Array.from({ length: sentences }, () => this.sentence()).join(' ');
  }
}

const lines = (count: number, make: (i: number) => object): string =>
  Array.from({ length: count }, (_, i) => `${JSON.stringify(make(i))}\n`).join('');

function writeData(project: TestProject): void {
  const speaker = new Speaker();
  project.write(
    'data/howto.jsonl',
    lines(9000, (i) => ({ id: `howto-${i}`, text: speaker.text(20 + speaker.below(20)) })),
  );
  project.write(
    'data/faq.jsonl',
    lines(2000, (i) => ({ id: `faq-${i}`, text: speaker.text(1 + speaker.below(4)) })),
  );
  const turns = () => [
    { role: 'user', content: speaker.sentence() },
    { role: 'assistant', content: speaker.text(2) },
  ];
  project.write(
    'data/chats/support.jsonl',
    lines(500, (i) => ({ id: i, messages: turns() })),
  );
}

/** Runs lines as they would be typed; `npx dsbuild` is the program of this checkout. */
class Shell {
  readonly project: TestProject;

  constructor(project: TestProject) {
    this.project = project;
  }

  run(typed: string): Entry {
    const { PATH = '' } = process.env;
    const script = `npx() { shift; '${process.execPath}' '${join(root, 'bin/dsbuild.js')}' "$@"; }\n${typed}`;
    const env = { PATH, HOME: this.project.home, LANG: 'C.UTF-8' };
    return { typed, said: execFileSync('/bin/bash', ['-c', script], { cwd: this.project.dir, env, encoding: 'utf8' }) };
  }

  /** A watch in which lines are typed elsewhere: what it says from one to the next. */
  async watch(edits: readonly string[]): Promise<Entry[]> {
    const running = this.project.startText('watch');
    await running.says(/^watching .*\n/m);
    const entries: Entry[] = [{ typed: 'npx dsbuild watch', said: running.text }];
    for (const typed of edits) {
      const before = running.text.length;
      this.run(typed);
      await running.says(new RegExp(`^[\\s\\S]{${before}}[\\s\\S]*^done in [\\s\\S]*^watching .*\\n`, 'm'));
      entries.push({ typed: `${typed}   # in another terminal`, said: running.text.slice(before) });
    }
    running.interrupt();
    await running.done;
    return entries;
  }
}

function firstMinutes(shell: Shell): Piece[] {
  return [
    '### The first five minutes\n\nThree files of JSONL lie in a folder, one of them chats. dsbuild is installed (`npm install --save-dev dsbuild`).',
    [
      shell.run('find data -type f | sort'),
      shell.run('npx dsbuild init --yes'),
      shell.run("sed -n '/^const raw/,/^});/p' datasets.config.ts"),
    ],
    '`init` saw which files hold chats, and wrote an adapter for them. What it wrote builds:',
    [shell.run('npx dsbuild'), shell.run('npx dsbuild')],
    'What is in it, and where a training row comes from:',
    [shell.run('find out | sort'), shell.run('npx dsbuild trace shards:7867 | cut -c1-120')],
  ];
}

async function oneLine(shell: Shell): Promise<Piece[]> {
  return [
    '### The edit of one line',
    [shell.run(`sed -i '4000s/"text":"/&Checked. /' data/howto.jsonl`), shell.run('npx dsbuild why raw tokens'), shell.run('npx dsbuild')],
    'One of four chunks was checked again, and of its 5,088 documents those that changed and a few to compare with were tokenized; one of three shards was written. Which rows hold the line now:',
    [shell.run('npx dsbuild trace data/howto.jsonl:4000 | cut -c1-120'), shell.run('npx dsbuild diff tokens')],
    'With a watch, files that are dropped or edited are built as they are saved:',
    await shell.watch([`echo '{"id":"new-1","text":"The boat is back."}' >> data/faq.jsonl`]),
  ];
}

const shown = (piece: Piece): string =>
  typeof piece === 'string' ? piece : `\`\`\`console\n${piece.map(({ typed, said }) => `$ ${typed}\n${said}`).join('')}\`\`\``;

/** README's part, as it was said on this machine. */
export async function record(): Promise<string> {
  const project = new TestProject();
  try {
    writeData(project);
    const shell = new Shell(project);
    const pieces = [...firstMinutes(shell), ...(await oneLine(shell))];
    return pieces.map(shown).join('\n\n');
  } finally {
    project.end();
  }
}

/** Lines that tell of times only, and those that a slow build says now and then, so as not to be silent. */
const ofTimes = /^(waited for|slowest steps|saved by the cache|estimated) .*\n|^\S+ {2}(planning|[\d,]+ of [\d,]+ steps?)( · .*)?\n/gm;

/** A recording without what depends on the machine and the moment. */
export function stable(text: string): string {
  return text
    .replace(ofTimes, '')
    .replace(/\d{4}-\d\d-\d\dT[\d-]+Z/g, '<run>')
    .replace(/\b(\d+ min )?\d+(\.\d+)? (s|ms|min)\b/g, '<time>');
}

const begins = '<!-- recorded by npm run record -->\n\n';
const ends = '\n\n<!-- end of what was recorded -->';

/** What README has of it. @throws when it has not exactly one place for it. */
export function recorded(page: string): { before: string; text: string; after: string } {
  const [before = '', rest = '', ...more] = page.split(begins);
  const [text = '', after, ...others] = rest.split(ends);
  if (after === undefined || more.length + others.length > 0)
    throw new Error(`README.md needs one place "${begins.trim()}" ... "${ends.trim()}"`);
  return { before, text, after };
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  const file = join(root, 'README.md');
  const { before, after } = recorded(readFileSync(file, 'utf8'));
  writeFileSync(file, `${before}${begins}${await record()}${ends}${after}`);
}
