import * as uvu from 'uvu';

/**
 * Stands in for uvu in test files that the runner loads (redirect.ts sends them here), because uvu itself swallows errors of
 * hooks and never learns of tests whose suite is not run. It counts what is registered and notes every hook that throws.
 */
type Handler = (context: never) => unknown;
type Register = (name: string, handler: Handler) => void;
type Hook = (handler: Handler) => void;

export interface Seen {
  registered: number;
  only: number;
  uvuSkips: number;
  /** Passed tests that called `skip`. */
  passedWithSkip: number;
}

interface Listeners {
  onTest(name: string): void;
  onFault(text: string): void;
  skipsSoFar(): number;
}

export const seen: Seen = { registered: 0, only: 0, uvuSkips: 0, passedWithSkip: 0 };
let listeners: Listeners = { onTest: () => {}, onFault: () => {}, skipsSoFar: () => 0 };

export function listen(to: Listeners): void {
  listeners = to;
}

function watchedTest(suiteName: string, inner: Register): Register {
  return (name, handler) => {
    seen.registered++;
    inner(name, async (context) => {
      listeners.onTest(suiteName ? `${suiteName}: ${name}` : name);
      const before = listeners.skipsSoFar();
      await handler(context);
      if (listeners.skipsSoFar() > before) seen.passedWithSkip++;
    });
  };
}

/** An `after` or `after.each` that throws is reported and the suite goes on; without its `before` a suite must not run. */
function watchedHook(name: string, inner: Hook): Hook {
  return (handler) =>
    inner(async (context) => {
      try {
        await handler(context);
      } catch (error) {
        listeners.onFault(`the hook \`${name}\` failed: ${error instanceof Error ? error.stack : String(error)}`);
        if (name === 'before') throw error;
      }
    });
}

function watched(suiteName: string, inner: uvu.Test): uvu.Test {
  const only = watchedTest(suiteName, inner.only as unknown as Register);
  return Object.assign(watchedTest(suiteName, inner as unknown as Register), {
    only(name: string, handler: Handler) {
      seen.only++;
      only(name, handler);
    },
    skip() {
      seen.uvuSkips++;
    },
    run: () => inner.run(),
    // uvu counts a `before.each` that throws as a failure of its test.
    before: Object.assign(watchedHook('before', inner.before as unknown as Hook), { each: inner.before.each }),
    after: Object.assign(watchedHook('after', inner.after as unknown as Hook), {
      each: watchedHook('after.each', inner.after.each as unknown as Hook),
    }),
  }) as unknown as uvu.Test;
}

export const suite = ((name = '', context?: object) => watched(name, uvu.suite(name, context))) as typeof uvu.suite;
export const test = watched('', uvu.test);
export const exec = uvu.exec;
