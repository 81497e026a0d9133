/** Usage: node --import tsx test/bench/encode-texts.ts TOKENIZER_JSON TEXTS_JSON: what bench_tokenizers.py measures, of dsbuild's engine. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { loadTokenizer } from '../../rules/lib/tokenizer.ts';

const [model = '', texts = ''] = process.argv.slice(2);
const tokenizer = loadTokenizer({ model: readFileSync(model) });
const all = JSON.parse(readFileSync(texts, 'utf8')) as string[];

/** Includes what the compiler and the collector of garbage do meanwhile, on threads of their own. */
function cpuSecondsOf<T>(run: () => T): { cpuSeconds: number; value: T } {
  const before = process.cpuUsage();
  const value = run();
  const { user, system } = process.cpuUsage(before);
  return { cpuSeconds: (user + system) / 1e6, value };
}

const encodeAll = (): Int32Array[] => all.map((text) => tokenizer.encode(text, { addSpecialTokens: false }) as Int32Array);
const first = cpuSecondsOf(encodeAll);
const warm = cpuSecondsOf(encodeAll);
const hash = createHash('sha256');
for (const ids of first.value) hash.update(new Uint8Array(ids.buffer, ids.byteOffset, ids.byteLength));
const tokens = first.value.reduce((sum, ids) => sum + ids.length, 0);
const { cpuSeconds } = first;
process.stdout.write(
  JSON.stringify({ engine: tokenizer.engine, cpuSeconds, warmCpuSeconds: warm.cpuSeconds, tokens, ids: hash.digest('hex') }),
);
