import { recordHash } from '../base/record-hash.ts';
import { readPart } from '../cache/part-reader.ts';
import { linesOf } from '../rule/documents.ts';
import { factOf, type Part } from '../rule/part.ts';
import type { SourceItem } from '../rule/source.ts';
import type { BuildRun } from './build-run.ts';

const newline = Buffer.from('\n');

/** The first `records` records of a chunk, as a part of the store. */
function headOf(part: Part, records: number, run: BuildRun): Part {
  const location = run.locations.locate(part.digest);
  const lines: Buffer[] = [];
  for (const { line } of linesOf(readPart(part.digest, location ?? []))) {
    if (lines.length === records) break;
    lines.push(Buffer.concat([line, newline]));
  }
  const bytes = Buffer.concat(lines);
  const facts = { records: lines.length, u: recordHash(lines.at(-1) ?? bytes) };
  return { digest: run.project.store.put(bytes), form: 'lines', bytes: bytes.length, facts, group: part.group };
}

/** At most so many records of each group. Files that must be fetched or unwrapped first come whole: their records can not be told apart before. */
export function* sampleOf(items: Iterable<SourceItem>, records: number, run: BuildRun): Generator<SourceItem> {
  const left = new Map<string, number>();
  for (const item of items) {
    if (item.item !== 'chunk') {
      yield item;
      continue;
    }
    const wanted = left.get(item.part.group) ?? records;
    if (wanted === 0) continue;
    const part = factOf(item.part, 'records') > wanted ? headOf(item.part, wanted, run) : item.part;
    left.set(item.part.group, wanted - factOf(part, 'records'));
    yield { ...item, part };
  }
}
