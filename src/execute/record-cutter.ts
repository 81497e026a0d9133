import { type Cut, Cutter } from '../base/cut.ts';
import { recordHash } from '../base/record-hash.ts';
import type { PartWriter, RecordWriter } from '../rule/step.ts';

const newline = Buffer.from('\n');

/** Cuts written records into chunks by the rule that cuts source files, so that an edit moves the same few chunks. */
export class RecordCutter implements RecordWriter {
  readonly #create: () => PartWriter;
  readonly #cutter: Cutter;
  #waiting: Buffer[] = [];

  constructor(chunkBytes: number, create: () => PartWriter) {
    this.#cutter = new Cutter(chunkBytes);
    this.#create = create;
  }

  write(line: Uint8Array): void {
    const record = Buffer.concat([line, newline]);
    this.#waiting.push(record);
    this.#cutter.push(record.length, recordHash(record));
    while (this.#cutter.ready) this.#writeChunk(this.#cutter.take());
  }

  close(): void {
    this.#writeChunk(this.#cutter.end());
  }

  #writeChunk(cut: Cut | undefined): void {
    if (!cut) return;
    const writer = this.#create();
    for (const record of this.#waiting.slice(0, cut.items)) writer.write(record);
    this.#waiting = this.#waiting.slice(cut.items);
    writer.close({ records: cut.items, u: cut.u });
  }
}
