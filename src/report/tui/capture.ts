/** A stream of a terminal that a frame stands on. */
export interface Capturable {
  write(text: string | Uint8Array, ...more: unknown[]): boolean;
}

/**
 * Takes what others write to a stream, such as `console.log` in a filter: it would stand in the middle of the frame.
 * @returns a function that gives the stream back.
 */
export function capture(stream: Capturable, say: (text: string) => void): () => void {
  const { write } = stream;
  const own = Object.hasOwn(stream, 'write');
  stream.write = (text, ...more) => {
    say(typeof text === 'string' ? text : Buffer.from(text).toString('utf8'));
    for (const done of more) if (typeof done === 'function') setImmediate(done as () => void);
    return true;
  };
  return () => {
    if (own) stream.write = write;
    else delete (stream as { write?: unknown }).write;
  };
}
