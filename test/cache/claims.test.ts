import { type ChildProcess, spawn } from 'node:child_process';
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { digestHex } from '../../src/base/digest.ts';
import { Claims } from '../../src/cache/claims.ts';
import { withFault } from '../engine/faults.ts';
import { interleaved } from './interleaved.ts';

const test = suite('claims');

const root = mkdtempSync(join(tmpdir(), 'dsbuild-claims-'));
const children = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(root, { recursive: true, force: true });
});

let folders = 0;
const newFolder = (): string => join(root, String(folders++));
const never = new AbortController().signal;
const pathOf = (dir: string, name = 'x'): string => join(dir, 'claims', digestHex(name).slice(0, 32));

interface Holder {
  readonly said: string[];
  next(): Promise<string>;
  release(): void;
  kill(): Promise<void>;
}

/** Another process that takes the claim. */
function holder(dir: string): Holder {
  const child = spawn(process.execPath, ['--import', 'tsx', fileURLToPath(new URL('claim-child.ts', import.meta.url)), dir], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  children.add(child);
  const said: string[] = [];
  const waiting: ((line: string) => void)[] = [];
  child.stdout.on('data', (bytes: Buffer) => {
    for (const line of bytes.toString('utf8').trim().split('\n')) {
      said.push(line);
      waiting.shift()?.(line);
    }
  });
  const ended = new Promise<void>((resolve) => void child.once('exit', () => resolve()));
  return {
    said,
    next: () => new Promise((resolve) => void waiting.push(resolve)),
    release: () => void child.stdin.write('go\n'),
    kill: () => {
      child.kill('SIGKILL');
      return ended;
    },
  };
}

/** A claim as another holder would have left it. */
function leave(dir: string, change: Record<string, unknown> | string): void {
  const path = pathOf(dir);
  mkdirSync(join(dir, 'claims'), { recursive: true });
  writeFileSync(path, typeof change === 'string' ? change : JSON.stringify({ ...ownHolder(), ...change }));
}

/** What this process writes into its claims. */
let own: Record<string, unknown> = {};
const ownHolder = (): Record<string, unknown> => own;

test.before(async () => {
  const dir = newFolder();
  const { release } = await new Claims(dir).take('x', never);
  own = JSON.parse(readFileSync(pathOf(dir), 'utf8')) as Record<string, unknown>;
  delete own['id'];
  release();
});

const takes = async (dir: string, claims = new Claims(dir)): Promise<boolean> => {
  const { release } = await claims.take('x', never);
  release();
  return readdirSync(join(dir, 'claims')).length === 0;
};

test('a claim is taken, and leaves nothing behind when it is released', async () => {
  const dir = newFolder();
  const { waited, release } = await new Claims(dir).take('x', never);
  assert.equal([waited, readdirSync(join(dir, 'claims')).length], [false, 1]);
  release();
  assert.equal(readdirSync(join(dir, 'claims')), []);
  release();
});

test('claims of different names do not wait for each other', async () => {
  const claims = new Claims(newFolder());
  const taken = [await claims.take('x', never), await claims.take('y', never)];
  assert.equal(
    taken.map(({ waited }) => waited),
    [false, false],
  );
  for (const { release } of taken) release();
});

test('another process waits until the claim is released, and knows that it waited', async () => {
  const dir = newFolder();
  const { release } = await new Claims(dir).take('x', never);
  const other = holder(dir);
  const said = other.next();
  release();
  // It may have begun after the release: then it did not wait.
  assert.ok(['took', 'waited'].includes(await said));
  let taken = false;
  const mine = new Claims(dir).take('x', never).then((claim) => {
    taken = true;
    return claim;
  });
  await new Promise((resolve) => setImmediate(resolve));
  assert.is(taken, false);
  other.release();
  const claim = await mine;
  assert.is(claim.waited, true);
  claim.release();
  await other.kill();
});

test('the claim of a process that was killed is taken over', async () => {
  const dir = newFolder();
  const other = holder(dir);
  assert.is(await other.next(), 'took');
  await other.kill();
  assert.is(readdirSync(join(dir, 'claims')).length, 1);
  assert.ok(await takes(dir));
});

test('of several that wait for a dead one, each gets its turn and no two at once', async () => {
  const dir = newFolder();
  leave(dir, { pid: 0x3fffff, started: 'x' });
  let inside = 0;
  let most = 0;
  let turns = 0;
  const one = async (): Promise<void> => {
    const { release } = await new Claims(dir).take('x', never);
    most = Math.max(most, ++inside);
    await new Promise((resolve) => setImmediate(resolve));
    inside--;
    turns++;
    release();
  };
  await Promise.all(Array.from({ length: 6 }, one));
  assert.equal([most, turns], [1, 6]);
  assert.equal(readdirSync(join(dir, 'claims')), []);
});

test('whoever comes between any two calls of one that takes a dead claim over, one alone has it', async () => {
  let rounds = 0;
  /** @returns how many calls the one makes that others come between. */
  const takeOver = async (at: readonly number[]): Promise<number> => {
    const dir = newFolder();
    leave(dir, { pid: 0x3fffff, started: 'x' });
    const held: (() => void)[] = [];
    const take = (): void => {
      const release = new Claims(dir).takeNow('x');
      if (release) held.push(release);
    };
    const { calls } = interleaved(at, take, take);
    assert.ok(held.length <= 1, `${held.length} have it, with others before calls ${at.join(' and ')}`);
    for (const release of held) release();
    assert.ok(await takes(dir), 'nothing is left');
    rounds++;
    return calls;
  };
  for (let first = 0, calls = 1; first < calls; first++) {
    for (let second = first + 1; second === first + 1 || second < calls; second++) calls = await takeOver([first, second]);
  }
  assert.ok(rounds > 50, String(rounds));
});

test("one who was killed while it took a dead claim over is in nobody's way", async () => {
  const dir = newFolder();
  leave(dir, { pid: 0x3fffff, started: 'x' });
  writeFileSync(`${pathOf(dir)}.healing`, JSON.stringify({ ...ownHolder(), pid: 0x3fffff, started: 'y' }));
  assert.ok(await takes(dir));
});

test('a process id that was given to another process does not keep a dead claim alive', async () => {
  const dir = newFolder();
  leave(dir, { started: '1' });
  assert.ok(await takes(dir));
});

test('a claim from before the machine was started again is dead', async () => {
  const dir = newFolder();
  leave(dir, { boot: 'another' });
  assert.ok(await takes(dir));
});

for (const damage of ['', '{"host":', '\0\0\0\0']) {
  test(`a claim that a crash of the system left as ${JSON.stringify(damage)} is nobody's`, async () => {
    const dir = newFolder();
    leave(dir, damage);
    assert.ok(await takes(dir));
  });
}

/** Gives up on the first look: whether the claim was believed. */
async function isBelieved(dir: string): Promise<boolean> {
  const controller = new AbortController();
  const taking = new Claims(dir, { beatMs: 60_000, silentMsMax: 60_000 }).take('x', controller.signal).then(
    ({ release }) => {
      release();
      return false;
    },
    () => true,
  );
  controller.abort();
  return taking;
}

test('a claim of another machine is believed while it gives signs of life', async () => {
  const dir = newFolder();
  leave(dir, { host: 'elsewhere', pid: 1 });
  assert.ok(await isBelieved(dir));
  assert.is(readdirSync(join(dir, 'claims')).length, 1);
});

test('a claim of another machine, or of a container that is gone, is taken over when it has been silent for long', async () => {
  const dir = newFolder();
  leave(dir, { host: 'elsewhere', pid: 1 });
  const before = new Date(Date.now() - 300_000);
  utimesSync(pathOf(dir), before, before);
  assert.ok(await takes(dir));
});

test('who holds a claim gives signs of life, and stops when it is released', async () => {
  const dir = newFolder();
  const claims = new Claims(dir, { beatMs: 1, silentMsMax: 60_000 });
  const { release } = await claims.take('x', never);
  const before = new Date(Date.now() - 300_000);
  utimesSync(pathOf(dir), before, before);
  while (lstatSync(pathOf(dir)).mtimeMs <= before.getTime() + 1000) await new Promise((resolve) => setImmediate(resolve));
  const { id: _, ...holder } = JSON.parse(readFileSync(pathOf(dir), 'utf8')) as Record<string, unknown>;
  assert.equal(holder, ownHolder());
  release();
  assert.equal(readdirSync(join(dir, 'claims')), []);
});

test('waiting ends when the build is stopped', async () => {
  const dir = newFolder();
  const { release } = await new Claims(dir).take('x', never);
  assert.ok(await isBelieved(dir));
  release();
});

test('a claim that could not be taken away when it was released is held by nobody, also for the process that held it', async () => {
  const dir = newFolder();
  const first = await new Claims(dir).take('x', never);
  await withFault({ code: 'EIO', at: 0, lasting: true, below: dir }, async () => first.release());
  assert.equal(readdirSync(join(dir, 'claims')).length, 1);
  const second = await new Claims(dir).take('x', never);
  second.release();
  assert.equal(readdirSync(join(dir, 'claims')), []);
});

for (const lasting of [false, true]) {
  test(`whatever call fails${lasting ? ', with all later ones,' : ''} while a claim is taken or released, nobody waits for it afterwards`, async () => {
    let struckOnce = true;
    for (let at = 0; struckOnce; at++) {
      const dir = newFolder();
      const claims = new Claims(dir);
      const holding = claims.takeNow('x');
      assert.ok(holding);
      // A claim that could not be removed, as if its holder had died: it is taken away first.
      writeFileSync(`${pathOf(dir)}.old`, readFileSync(pathOf(dir)));
      holding();
      writeFileSync(pathOf(dir), readFileSync(`${pathOf(dir)}.old`));
      const { struck } = await withFault({ code: 'EIO', at, lasting, below: dir }, async () => {
        await Promise.resolve()
          .then(() => claims.takeNow('x')?.())
          .catch((error: unknown) => assert.match(String(error), 'EIO'));
      });
      // One who cannot remove what is left of another takes it in the next turn.
      const release = claims.takeNow('x') ?? claims.takeNow('x');
      assert.ok(release, struck[0]);
      release();
      struckOnce = struck.length > 0;
    }
  });
}

test.run();
