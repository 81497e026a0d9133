import { byCodeUnit } from '../../src/base/names.ts';
import { recordHash } from '../../src/base/record-hash.ts';
import { LineageBuilder, lineageOutput } from '../../src/rule/lineage.ts';
import type { Part } from '../../src/rule/part.ts';
import { memoOutput } from '../../src/rule/row-memo.ts';
import type { StepIo } from '../../src/rule/step.ts';
import type { EarlierTokens } from './earlier-tokens.ts';
import type { UnusableRow } from './encode-row.ts';
import { type KnownRow, type RowCounts, RowMemo } from './row-memo.ts';
import type { SpecialTokens } from './tokenizer-specials.ts';
import type { Tokens } from './tokens.ts';
import { TokensBuilder } from './tokens-builder.ts';

const isUnusable = (outcome: RowCounts | UnusableRow): outcome is UnusableRow => 'reason' in outcome;

const areSame = (a: RowCounts, b: RowCounts): boolean =>
  Object.keys(a).length === Object.keys(b).length && Object.entries(a).every(([name, amount]) => b[name] === amount);

/** What an encode step gives, in the making: the tokens of its documents, where their samples come from, and what was counted. */
export class EncodedChunk {
  readonly memo = new RowMemo();
  readonly #tokens: TokensBuilder;
  readonly #lineage = new LineageBuilder();
  readonly #counts = new Map<string, number>();
  readonly #unusable: (UnusableRow & { readonly record: number })[] = [];
  /** How much there was before the last document, and what came of it. */
  #before = { samples: 0, tokens: 0 };
  #last: RowCounts | UnusableRow = {};
  #read = 0;
  /** Documents that became samples. */
  #records = 0;
  #reused = 0;

  constructor(chunk: Part) {
    this.#tokens = new TokensBuilder({ tokens: Math.ceil(chunk.bytes / 3) });
  }

  /** Documents read so far. */
  get read(): number {
    return this.#read;
  }

  /** Documents whose samples were taken over from an earlier run. */
  get reused(): number {
    return this.#reused;
  }

  /** Takes the next document, whose line was hashed in `memo`: `make` appends its samples. `record` is its line in the chunk. */
  add(record: number, make: (to: TokensBuilder, document: number) => RowCounts | UnusableRow): void {
    const document = this.#read++;
    this.#before = { samples: this.#tokens.samples, tokens: this.#tokens.tokens };
    const outcome = make(this.#tokens, document);
    this.#last = outcome;
    if (isUnusable(outcome)) {
      this.#unusable.push({ ...outcome, record });
      return;
    }
    this.#records++;
    this.memo.keep(document, outcome);
    this.#trace(record);
    for (const [name, amount] of Object.entries(outcome)) this.#counts.set(name, (this.#counts.get(name) ?? 0) + amount);
  }

  /** Takes the next document from an earlier run. */
  reuse(record: number, known: KnownRow<EarlierTokens>): void {
    this.#reused++;
    this.add(record, (to, document) => {
      known.outcomes.copy(known.record, to, document);
      return known.counts;
    });
  }

  /** Whether an earlier run made the same of the last document. */
  isLast({ outcomes, record, counts }: KnownRow<EarlierTokens>): boolean {
    return !isUnusable(this.#last) && areSame(this.#last, counts) && outcomes.isSame(record, this.#tokens.since(this.#before));
  }

  #trace(record: number): void {
    const { lengths, starts } = this.#tokens.since(this.#before);
    if (lengths.length === 1) {
      this.#lineage.whole(record);
      return;
    }
    for (const [i, length] of lengths.entries()) {
      this.#lineage.span(record, starts[i] as number, length);
      this.#lineage.endRow();
    }
  }

  /** Writes the parts and counts. Every fact follows from the ids and the tokenizer: an edit that changes no token ends here. */
  write({ eos, pad }: SpecialTokens, { chunk, model, io }: { chunk: Part; model: Part; io: StepIo }): void {
    const part = io.create('tokens');
    const { samples, tokens } = this.#tokens;
    part.write(this.#tokens.finish({ documents: this.#read, tokenizer: model.digest }));
    part.close({ records: this.#records, samples, tokens, u: lastHash(this.#tokens.view()), eos, pad });
    writeSide(io, lineageOutput, this.#lineage.finish());
    writeSide(io, memoOutput, this.memo.finish());
    for (const { record, reason, detail } of this.#unusable) io.quarantine(chunk, record, reason, detail);
    io.count('documents', this.#records);
    io.count('tokens', tokens);
    io.count('tokensText', 0);
    for (const name of [...this.#counts.keys()].sort(byCodeUnit)) io.count(name, this.#counts.get(name));
  }
}

function writeSide(io: StepIo, output: string, bytes: Uint8Array): void {
  const side = io.create('side', output);
  side.write(bytes);
  side.close();
}

/** Hash of the last sample that has tokens; it decides whether a pack group, and a shard, may end here. */
function lastHash({ lengths, ids }: Tokens): number {
  const last = lengths.findLastIndex((length) => length > 0);
  const length = lengths[last] ?? 0;
  const start = ids.byteOffset + (ids.length - length) * ids.BYTES_PER_ELEMENT;
  return recordHash(new Uint8Array(ids.buffer, start, length * ids.BYTES_PER_ELEMENT));
}
