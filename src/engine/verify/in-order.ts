export interface Work<T, R> {
  /** How many are worked on at once. */
  readonly lanes: number;
  readonly signal: AbortSignal;
  work(one: T): Promise<R>;
  /** Called in the order of the list, as soon as all before it are told. */
  told(result: R, one: T): void;
}

/** Works on several of a list at once and tells the results in its order. @throws when the signal is aborted, and what `work` throws. */
export async function inOrder<T, R>(all: readonly T[], { lanes, signal, work, told }: Work<T, R>): Promise<void> {
  const ended = new Map<number, R>();
  const waiting = all.entries();
  let next = 0;
  const lane = async (): Promise<void> => {
    for (const [i, one] of waiting) {
      signal.throwIfAborted();
      ended.set(i, await work(one));
      for (; ended.has(next); next++) {
        told(ended.get(next) as R, all[next] as T);
        ended.delete(next);
      }
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}
