import { entriesOf, type Manifest } from './manifest.ts';

/** One entry of a manifest that is not what it was. */
export interface Change {
  readonly path: string;
  readonly before?: string;
  readonly after?: string;
}

/** What differs between two manifests, entry by entry, in the order of the walk. */
export function changesBetween(before: Manifest, after: Manifest): Change[] {
  const old = new Map([...entriesOf(before)].map((entry) => [entry.path, entry.value]));
  const changes: Change[] = [];
  for (const { path, value } of entriesOf(after)) {
    const was = old.get(path);
    old.delete(path);
    if (was !== value) changes.push({ path, after: value, ...(was !== undefined && { before: was }) });
  }
  for (const [path, was] of old) changes.push({ path, before: was });
  return changes;
}

const short = (value: string | undefined): string =>
  value === undefined ? 'nothing' : value.length === 66 ? `${value.slice(1, 13)}…` : value;

/** A change as a sentence a person reads: `option maxSeqLength: 1024 -> 2048`. */
export function describeChange({ path, before, after }: Change): string {
  const [head, ...rest] = path.split('.');
  const name = rest.join('.');
  if (head === 'version') return `rule version: ${short(before)} -> ${short(after)}`;
  if (head === 'steps') return `step version ${name}: ${short(before)} -> ${short(after)}`;
  if (head === 'inputs') return `input ${name} changed`;
  if (head === 'settings') return `setting ${name}: ${short(before)} -> ${short(after)}`;
  return `${head === 'options' ? 'option ' : ''}${name || path}: ${short(before)} -> ${short(after)}`;
}
