import { closeSync, existsSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { numbers } from '../source/files.ts';
import { cached, runQuietly, shared } from './cache-folder.ts';

/** English technical documents (`docs`, 85 MB), and pages of a handbook in many languages (`multilang`, 32 MB), as JSONL. */
export function corpus(name: 'docs' | 'multilang'): string {
  const given = process.env['DSBUILD_CORPUS'];
  const folder = given ?? cached('corpus', makeCorpus);
  const path = join(folder, `${name}.jsonl`);
  if (!existsSync(path)) throw new Error(`${path} is not there: DSBUILD_CORPUS names a folder with docs.jsonl and multilang.jsonl`);
  return path;
}

function makeCorpus(folder: string): void {
  const maker = shared('corpus/make.sh');
  if (!existsSync(maker)) throw new Error('there is no corpus: set DSBUILD_CORPUS to a folder with docs.jsonl and multilang.jsonl');
  runQuietly('bash', [maker, folder]);
}

/** The first whole lines of a file that fill so many bytes. */
export function copyStart(from: string, to: string, bytesMax: number): void {
  const bytes = readFileSync(from);
  const end = bytesMax >= bytes.length ? bytes.length : bytes.lastIndexOf(0x0a, bytesMax) + 1;
  const file = openSync(to, 'w');
  for (let at = 0; at < end; ) at += writeSync(file, bytes, at, end - at);
  closeSync(file);
}

/** One letter in so many bytes is another one: about as many new words as new text has. */
const bytesBetweenChanges = 400;
const letterA = 0x61;

/**
 * The text with letters replaced here and there, decided by the seed alone. Texts of different seeds share no chunk; their words
 * and lengths are those of the text, but for one word in about sixty.
 */
export function perturbed(text: string, seed: number): string {
  const bytes = Buffer.from(text);
  const next = numbers(seed);
  for (let at = next() % bytesBetweenChanges; at < bytes.length; at += 1 + (next() % (2 * bytesBetweenChanges))) {
    const letter = (bytes[at] as number) - letterA;
    if (letter >= 0 && letter < 26) bytes[at] = letterA + ((letter + 1 + (next() % 25)) % 26);
  }
  return bytes.toString();
}

interface Line {
  readonly id: string;
  readonly text: string;
}

/** A line of a later copy of the corpus. */
export function perturbedLine(line: string, seed: number): string {
  const { id, text, ...rest } = JSON.parse(line) as Line;
  return JSON.stringify({ id: `${id}#${seed}`, text: perturbed(text, seed), ...rest });
}

/** Lines of the corpus, copy after copy from the given one on, each perturbed; without end. */
export function* endlessLines(from: string, firstCopy = 1): Generator<string> {
  const lines = readFileSync(from, 'utf8').split('\n').filter(Boolean);
  for (let copy = firstCopy; ; copy++) {
    for (const [i, line] of lines.entries()) yield perturbedLine(line, copy * lines.length + i);
  }
}

const blockBytesMin = 4_000_000;

/** Appends perturbed copies of the corpus to a file until so many bytes are added, to the end of the line. */
export function writeCopies(from: string, to: string, { bytes, firstCopy = 1 }: { bytes: number; firstCopy?: number }): void {
  const file = openSync(to, 'a');
  let [left, block, blockBytes] = [bytes, '', 0];
  for (const line of endlessLines(from, firstCopy)) {
    block += `${line}\n`;
    blockBytes += Buffer.byteLength(line) + 1;
    if (blockBytes < Math.min(blockBytesMin, left)) continue;
    left -= writeSync(file, block);
    [block, blockBytes] = ['', 0];
    if (left <= 0) break;
  }
  closeSync(file);
}
