import type { BuildEvent, Emit } from '../base/events.ts';

const everyMs = 500;

type Progress = Omit<Extract<BuildEvent, { type: 'remote-progress' }>, 'type'>;

/** Tells now and then how far transfers are. @returns a function that ends it. */
export function reportEvery(emit: Emit, progress: () => Progress): () => void {
  let isTold = false;
  const tell = (): void => {
    isTold = true;
    emit({ type: 'remote-progress', ...progress() });
  };
  const timer = setInterval(tell, everyMs);
  timer.unref();
  return () => {
    clearInterval(timer);
    // Whoever shows it shows that it is over.
    if (isTold) tell();
  };
}
