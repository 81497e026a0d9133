import type { BuildEvent, BuildSummary, TargetEstimate, TargetSummary } from '../../src/base/events.ts';
import { apply, type BuildView, emptyView } from '../../src/report/state.ts';

/** An event and the moment at which it happens. */
export type Timed = readonly [atMs: number, event: BuildEvent];

export const nothing: TargetSummary = {
  documentsIn: 0,
  documentsOut: 0,
  dropped: {},
  quarantined: 0,
  tokens: 0,
  parts: 0,
  bytesOut: 0,
  ran: 0,
  hit: 0,
  restored: 0,
  tookMs: 0,
  savedMs: 0,
  why: [],
};

export const nothingExpected: TargetEstimate = { steps: 0, bytesIn: 0, bytesOut: 0, tokens: 0, workMs: 0, isExact: true, isAtLeast: false };

export const summaryOf = (given: Partial<TargetSummary>): TargetSummary => ({ ...nothing, ...given });

const raw = summaryOf({
  documentsIn: 1210,
  documentsOut: 1204,
  quarantined: 6,
  parts: 2,
  bytesOut: 1_200_000,
  ran: 2,
  why: ['never built'],
});
const clean = summaryOf({
  documentsIn: 1204,
  documentsOut: 1000,
  dropped: { 'too-short': 200, duplicate: 4 },
  parts: 2,
  bytesOut: 2000,
  ran: 1,
  hit: 1,
  why: ['option charsMin: 80 -> 90', 'step version decide: 1 -> 2', 'input documents changed', 'one', 'two'],
});
const tokens = summaryOf({ documentsIn: 1000, documentsOut: 1000, tokens: 34_120, parts: 2, bytesOut: 136_480, savedMs: 3000 });

const summary: BuildSummary = {
  type: 'summary',
  ok: true,
  run: 'r1',
  steps: { ran: 3, hit: 1, restored: 0, failed: 0 },
  tookMs: 13_200,
  targets: { raw, clean, tokens },
  warnings: 1,
};

/** A build of three targets: one made anew, one partly known, one fresh. */
export const goodBuild: readonly Timed[] = [
  [
    0,
    {
      type: 'build-started',
      run: 'r1',
      targets: ['raw', 'clean', 'tokens'],
      jobs: 2,
      needs: { raw: [], clean: ['raw'], tokens: ['clean'] },
    },
  ],
  [10, { type: 'scanned', target: 'raw', files: 2, bytes: 1_250_000, chunks: 2, unchanged: false, tookMs: 8 }],
  [20, { type: 'target-started', target: 'raw', rule: 'download', why: ['never built'] }],
  [30, { type: 'step-started', target: 'raw', step: 'check', id: 1, bytesIn: 650_000 }],
  [30, { type: 'step-started', target: 'raw', step: 'check', id: 2, bytesIn: 600_000 }],
  [40, { type: 'step-progress', target: 'raw', id: 1, done: 1, total: 4 }],
  [400, { type: 'step-finished', target: 'raw', step: 'check', id: 1, how: 'ran', counters: {}, bytesOut: 640_000, tookMs: 370 }],
  [420, { type: 'step-finished', target: 'raw', step: 'check', id: 2, how: 'ran', counters: {}, bytesOut: 560_000, tookMs: 390 }],
  [
    430,
    { type: 'warning', code: 'bad-records', message: '6 bad records were left out: not-json', where: 'data/a.jsonl:12', target: 'raw' },
  ],
  [440, { type: 'target-finished', target: 'raw', how: 'built', summary: raw }],
  [450, { type: 'target-started', target: 'clean', rule: 'filter', why: clean.why }],
  [460, { type: 'step-started', target: 'clean', step: 'decide', id: 3, bytesIn: 650_000 }],
  [13_000, { type: 'step-finished', target: 'clean', step: 'decide', id: 3, how: 'ran', counters: {}, bytesOut: 2000, tookMs: 12_540 }],
  [13_050, { type: 'target-finished', target: 'clean', how: 'built', summary: clean }],
  [13_100, { type: 'target-finished', target: 'tokens', how: 'kept', summary: tokens }],
  [13_150, { type: 'published', target: 'clean', out: '/project/out/clean', files: 2, removed: 1, bytes: 1_300_000 }],
  [13_200, summary],
];

/** A build in which a step fails for good. */
export const failedBuild: readonly Timed[] = [
  [0, { type: 'build-started', run: 'r2', targets: ['raw', 'tokens'], jobs: 2 }],
  [10, { type: 'target-started', target: 'raw', rule: 'download', why: ['never built'] }],
  [20, { type: 'step-started', target: 'raw', step: 'fetch', id: 1, bytesIn: 0 }],
  [
    30,
    {
      type: 'step-failed',
      target: 'raw',
      step: 'fetch',
      id: 1,
      attempt: 1,
      final: false,
      error: { code: 'fetch-failed', message: 'host answered 503' },
    },
  ],
  [40, { type: 'step-started', target: 'raw', step: 'fetch', id: 1, bytesIn: 0 }],
  [
    50,
    {
      type: 'step-failed',
      target: 'raw',
      step: 'fetch',
      id: 1,
      attempt: 2,
      final: true,
      error: { code: 'fetch-failed', message: 'host answered 503' },
    },
  ],
  [
    60,
    {
      type: 'target-failed',
      target: 'raw',
      error: { code: 'fetch-failed', message: 'host answered 503', where: 'raw › https://host/a.jsonl', hint: 'Try again later.' },
    },
  ],
  [70, { type: 'target-blocked', target: 'tokens', by: 'raw' }],
  [
    80,
    {
      type: 'summary',
      ok: false,
      run: 'r2',
      steps: { ran: 0, hit: 0, restored: 0, failed: 1 },
      tookMs: 80,
      targets: { raw: summaryOf({}), tokens: summaryOf({}) },
      warnings: 0,
    },
  ],
];

export function viewAfter(events: readonly Timed[]): BuildView {
  const view = emptyView();
  for (const [atMs, event] of events) apply(view, event, atMs);
  return view;
}

/** A clock that stands still until it is moved; whoever asked to be called is then called as often as time has passed. */
export class HandClock {
  #now = 0;
  readonly #calls = new Set<{ periodMs: number; nextMs: number; call: () => void }>();

  readonly now = (): number => this.#now;

  readonly every = (periodMs: number, call: () => void): (() => void) => {
    const entry = { periodMs, nextMs: this.#now + periodMs, call };
    this.#calls.add(entry);
    return () => void this.#calls.delete(entry);
  };

  /** How many still want to be called. */
  get waiting(): number {
    return this.#calls.size;
  }

  moveTo(atMs: number): void {
    for (;;) {
      const next = [...this.#calls].filter(({ nextMs }) => nextMs <= atMs).sort((a, b) => a.nextMs - b.nextMs)[0];
      if (!next) break;
      this.#now = next.nextMs;
      next.nextMs += next.periodMs;
      next.call();
    }
    this.#now = atMs;
  }
}

/** Hands events to a reporter at their times. */
export function play(events: readonly Timed[], { emit, clock }: { emit: (event: BuildEvent) => void; clock: HandClock }): void {
  for (const [atMs, event] of events) {
    clock.moveTo(atMs);
    emit(event);
  }
}
