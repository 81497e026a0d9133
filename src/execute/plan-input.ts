import { BuildError } from '../base/errors.ts';
import type { Collection, Part } from '../rule/part.ts';
import type { OutputStream } from './output-stream.ts';

/** A target's output as another target's plan reads it: parts come as soon as they are made, and no faster than the plan's steps end. */
export class PlanInput implements Collection {
  readonly #stream: OutputStream;
  readonly #room: () => Promise<void>;

  /** @param room resolves when the reading plan may ask for more steps. */
  constructor(stream: OutputStream, room: () => Promise<void>) {
    this.#stream = stream;
    this.#room = room;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Part> {
    for await (const part of this.#stream.from(0)) {
      await this.#room();
      yield part;
    }
  }

  all(): Promise<readonly Part[]> {
    return this.#stream.whole();
  }

  /** Groups in the order of their first part; a group is complete only when everything is, because its parts may lie apart. */
  async *byGroup(): AsyncGenerator<{ group: string; parts: readonly Part[] }> {
    const groups = new Map<string, Part[]>();
    for (const part of await this.all()) {
      const parts = groups.get(part.group);
      if (parts) parts.push(part);
      else groups.set(part.group, [part]);
    }
    for (const [group, parts] of groups) {
      await this.#room();
      yield { group, parts };
    }
  }

  async *align(other: Collection): AsyncGenerator<readonly [Part, Part]> {
    const [ours, theirs] = [await this.all(), await other.all()];
    if (ours.length !== theirs.length) {
      throw new BuildError('not-aligned', { message: `inputs that belong together have ${ours.length} and ${theirs.length} parts` });
    }
    for (const [i, part] of ours.entries()) {
      await this.#room();
      yield [part, theirs[i] as Part] as const;
    }
  }
}
