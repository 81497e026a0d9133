import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { skip } from './skip.ts';

const inCheckout = fileURLToPath(new URL('../.venv/bin/python', import.meta.url));

/**
 * The Python that has the readers which tests compare against: `DSBUILD_TEST_PYTHON`, else the checkout's `.venv`.
 *
 * @param reader what the caller wants it for (`pyarrow`), named when it is missing.
 * @returns undefined if there is none: the caller returns, and one reader counts as skipped.
 * @throws with `CI` set, where all readers must be there.
 */
export function python(reader: string): string | undefined {
  const found = process.env['DSBUILD_TEST_PYTHON'] ?? inCheckout;
  if (existsSync(found)) return found;
  const reason = `no Python with ${reader} at ${found}: run test/setup-python.sh, or set DSBUILD_TEST_PYTHON`;
  if (process.env['CI']) throw new Error(reason);
  skip(reason);
  return undefined;
}

/** Runs `test/python/<script>` and returns what it printed as JSON. */
export function runPython(interpreter: string, script: string, args: readonly string[]): unknown {
  const path = fileURLToPath(new URL(`python/${script}`, import.meta.url));
  const env = { ...process.env, HF_HUB_OFFLINE: '1', HF_DATASETS_DISABLE_PROGRESS_BARS: '1' };
  return JSON.parse(execFileSync(interpreter, [path, ...args], { encoding: 'utf8', env, maxBuffer: 1 << 28 }));
}
