/** A session whose watcher, builds and project are in the test's hands. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { BuildEvent } from '../../src/base/events.ts';
import { type WatchParts, WatchSession } from '../../src/cli/watch-session.ts';
import type { Project } from '../../src/engine/project.ts';
import type { WatchedFiles } from '../../src/engine/watched.ts';
import type { WarmRunner } from '../../src/execute/warm-runner.ts';
import type { Watcher, WatcherEvents } from '../../src/watch/watcher.ts';
import { okSummary } from './console.ts';

const test = suite('watch session');

/** All promises that can go on have gone on. */
const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

interface Sitting {
  readonly events: BuildEvent['type'][];
  readonly watcher: { ready: () => void; events: WatcherEvents | undefined };
  readonly stop: () => Promise<void>;
}

function sit(): Sitting {
  const events: BuildEvent['type'][] = [];
  const abort = new AbortController();
  const watcher: Sitting['watcher'] = { ready: () => {}, events: undefined };
  const watched: WatchedFiles = { config: [], roots: ['/in'], includes: () => true, enters: () => true };
  const parts: WatchParts = {
    openProject: async () => ({ close: () => {} }) as unknown as Project,
    build: async () => {
      events.push('summary');
      return okSummary;
    },
    watchedFiles: async () => watched,
    configSurroundings: () => ({ ...watched, roots: [] }),
    startWatcher: async (_, told) => {
      watcher.events = told;
      const ready = new Promise<void>((resolve) => {
        watcher.ready = resolve;
      });
      return { ready, close: async () => {} } as unknown as Watcher;
    },
    warmRunner: async () => ({ end: async () => {} }) as unknown as WarmRunner,
    emit: ({ type }) => void events.push(type),
    failed: assert.unreachable,
    signal: abort.signal,
    options: { targets: [] },
  };
  const ended = new WatchSession(parts).run();
  return {
    events,
    watcher,
    stop: () => {
      abort.abort();
      return ended;
    },
  };
}

test('nobody is told that files are watched before they are: what changed until then is built first', async () => {
  const { events, watcher, stop } = sit();
  await settled();
  assert.equal(events, ['summary']);
  watcher.ready();
  await settled();
  assert.equal(events, ['summary', 'summary', 'watching']);
  await stop();
});

test('it ends, and builds what it is told of, also while not everything is watched', async () => {
  const { events, watcher, stop } = sit();
  await settled();
  watcher.events?.changed('/in/gone.jsonl');
  while (events.length < 3) await settled();
  assert.equal(events, ['summary', 'changed', 'summary']);
  await stop();
});

test.run();
