import { byCodeUnit } from '../base/names.ts';
import type { Facts } from '../rule/part.ts';

/** One amount on a side of a balance: `documents in`, `dropped: too-short`. */
export interface Term {
  readonly name: string;
  readonly amount: number;
}

/** A law of the ledger with its figures: both sides must add up to the same. */
export interface Balance {
  readonly law: string;
  readonly left: readonly Term[];
  readonly right: readonly Term[];
}

/** What a step or a target was given, gave and counted. The engine takes the sums from the parts; rules only give reasons. */
export interface Figures {
  /** Undefined where documents do not go in and out one by one. Blank lines are no documents. */
  readonly documents: { readonly in: number; readonly out: number; readonly blank: number } | undefined;
  readonly tokensIn: number;
  readonly tokensOut: number;
  /** Rows of one length that tokens were packed into. */
  readonly rows: { readonly count: number; readonly tokens: number } | undefined;
  readonly counters: Facts;
}

const has = (counters: Facts, name: string): boolean => Object.hasOwn(counters, name);
export const countOf = (counters: Facts, name: string): number => (has(counters, name) ? (counters[name] as number) : 0);
export const sumTerms = (terms: readonly Term[]): number => terms.reduce((sum, { amount }) => sum + amount, 0);

/** `dropped:short` and `dropped:long` as terms `dropped: short` and `dropped: long`, by name. */
function termsOf(counters: Facts, prefix: string, shown: string): Term[] {
  const names = Object.keys(counters).filter((name) => name.startsWith(prefix));
  return names.sort(byCodeUnit).map((name) => ({ name: `${shown}: ${name.slice(prefix.length)}`, amount: counters[name] as number }));
}

/** documents in = out + dropped + quarantined (+ blank lines). */
function documentBalance({ documents, counters }: Figures): Balance | undefined {
  if (!documents) return undefined;
  return {
    law: 'documents in = out + dropped + quarantined',
    left: [{ name: 'documents in', amount: documents.in }],
    right: [
      { name: 'documents out', amount: documents.out },
      ...termsOf(counters, 'dropped:', 'dropped'),
      ...termsOf(counters, 'quarantined:', 'quarantined'),
      ...(documents.blank > 0 ? [{ name: 'blank lines', amount: documents.blank }] : []),
    ],
  };
}

/** Where texts become tokens: tokens of the texts + added = tokens out + dropped. Special tokens and what windows share are added. */
function encodeBalance({ tokensOut, counters }: Figures): Balance | undefined {
  if (!has(counters, 'tokensText')) return undefined;
  return {
    law: 'tokens of the texts + added = tokens out + dropped',
    left: [{ name: 'tokens of the texts', amount: countOf(counters, 'tokensText') }, ...termsOf(counters, 'tokensAdded:', 'added')],
    right: [{ name: 'tokens out', amount: tokensOut }, ...termsOf(counters, 'tokensDropped:', 'dropped')],
  };
}

/** Where tokens become rows: tokens in + added = packed + truncated + dropped. */
function packBalance({ tokensIn, counters }: Figures): Balance | undefined {
  if (!has(counters, 'tokensPacked')) return undefined;
  return {
    law: 'tokens in + added = packed + truncated + dropped',
    left: [
      { name: 'tokens in', amount: tokensIn },
      { name: 'added: EOS', amount: countOf(counters, 'tokensAdded') },
    ],
    right: [
      { name: 'packed', amount: countOf(counters, 'tokensPacked') },
      { name: 'truncated', amount: countOf(counters, 'tokensTruncated') },
      { name: 'dropped', amount: countOf(counters, 'tokensDropped') },
    ],
  };
}

/** rows * their length = packed + padding. */
function rowBalance({ rows, counters }: Figures): Balance | undefined {
  if (!rows || !has(counters, 'tokensPadding')) return undefined;
  return {
    law: 'rows * length = packed + padding',
    left: [{ name: `${rows.count} rows of ${rows.tokens} tokens`, amount: rows.count * rows.tokens }],
    right: [
      { name: 'packed', amount: countOf(counters, 'tokensPacked') },
      { name: 'padding', amount: countOf(counters, 'tokensPadding') },
    ],
  };
}

/** The laws that apply to these figures. */
export function balancesOf(figures: Figures): Balance[] {
  return [documentBalance, encodeBalance, packBalance, rowBalance].flatMap((law) => law(figures) ?? []);
}
