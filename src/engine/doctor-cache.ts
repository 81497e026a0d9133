import { dirname } from 'node:path';
import { formatBytes } from '../base/bytes.ts';
import { Store } from '../cache/store.ts';
import type { Config } from '../config/define.ts';
import { type DoctorCheck, failed } from './doctor-check.ts';
import { capOf } from './gc/cap.ts';

/** How large the cache is, as far as builds have counted, and may grow. */
export function checkCache(stateDir: string, config: Config): DoctorCheck {
  const check = 'cache';
  try {
    const known = Store.sizeOf(stateDir).read();
    const cap = capOf(config, { root: dirname(stateDir), storeBytes: known ?? 0 });
    const has = known === undefined ? 'not counted yet' : formatBytes(known);
    const isOver = known !== undefined && known > cap.bytes;
    const hint = 'The next build that changes it collects what was not used for longest; `dsbuild cache gc` does it now.';
    return { check, ok: true, detail: `${has}, may grow to ${formatBytes(cap.bytes)} (${cap.says})`, ...(isOver && { hint }) };
  } catch (error) {
    return failed(check, error);
  }
}
