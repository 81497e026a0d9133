import { recordHash } from '../../src/base/record-hash.ts';
import { LineageBuilder, lineageOutput } from '../../src/rule/lineage.ts';
import type { Part } from '../../src/rule/part.ts';
import type { StepIo } from '../../src/rule/step.ts';
import type { RowCounts, UnusableRow } from './encode-row.ts';
import type { SpecialTokens } from './tokenizer-specials.ts';
import type { Tokens } from './tokens.ts';
import { TokensBuilder } from './tokens-builder.ts';

const isUnusable = (outcome: RowCounts | UnusableRow): outcome is UnusableRow => 'reason' in outcome;

/** What an encode step gives, in the making: the tokens of its documents, where their samples come from, and what was counted. */
export class EncodedChunk {
  readonly #tokens: TokensBuilder;
  readonly #chunk: Part;
  readonly #io: StepIo;
  readonly #lineage = new LineageBuilder();
  readonly #counts = new Map<string, number>();
  #read = 0;
  /** Documents that became samples. */
  #records = 0;

  constructor(chunk: Part, io: StepIo) {
    this.#chunk = chunk;
    this.#io = io;
    this.#tokens = new TokensBuilder({ tokens: Math.ceil(chunk.bytes / 4) });
  }

  /** Documents read so far. */
  get read(): number {
    return this.#read;
  }

  /** Takes the next document: `make` appends its samples. `record` is its line in the chunk. */
  add(record: number, make: (to: TokensBuilder, document: number) => RowCounts | UnusableRow): void {
    const samplesBefore = this.#tokens.samples;
    const outcome = make(this.#tokens, this.#read++);
    if (isUnusable(outcome)) {
      this.#io.quarantine(this.#chunk, record, outcome.reason, outcome.detail);
      return;
    }
    this.#records++;
    this.#trace(record, samplesBefore);
    for (const [name, amount] of Object.entries(outcome)) this.#counts.set(name, (this.#counts.get(name) ?? 0) + amount);
  }

  #trace(record: number, samplesBefore: number): void {
    const { samples } = this.#tokens;
    if (samples === samplesBefore + 1) {
      this.#lineage.whole(record);
      return;
    }
    for (let sample = samplesBefore; sample < samples; sample++) {
      const { start, length } = this.#tokens.spanOf(sample);
      this.#lineage.span(record, start, length);
      this.#lineage.endRow();
    }
  }

  /** Writes the parts and counts. Every fact follows from the ids and the tokenizer: an edit that changes no token ends here. */
  write({ eos, pad }: SpecialTokens, tokenizer: string): void {
    const part = this.#io.create('tokens');
    const { samples, tokens } = this.#tokens;
    part.write(this.#tokens.finish({ documents: this.#read, tokenizer }));
    part.close({ records: this.#records, samples, tokens, u: lastHash(this.#tokens.view()), eos, pad });
    const lineage = this.#io.create('side', lineageOutput);
    lineage.write(this.#lineage.finish());
    lineage.close();
    this.#io.count('documents', this.#records);
    this.#io.count('tokens', tokens);
    this.#io.count('tokensText', 0);
    for (const [name, amount] of this.#counts) this.#io.count(name, amount);
  }
}

/** Hash of the last sample that has tokens; it decides whether a pack group, and a shard, may end here. */
function lastHash({ lengths, ids }: Tokens): number {
  const last = lengths.findLastIndex((length) => length > 0);
  const length = lengths[last] ?? 0;
  const start = ids.byteOffset + (ids.length - length) * ids.BYTES_PER_ELEMENT;
  return recordHash(new Uint8Array(ids.buffer, start, length * ids.BYTES_PER_ELEMENT));
}
