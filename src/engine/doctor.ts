import { accessSync, constants, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { formatBytes } from '../base/bytes.ts';
import { hashEngine, portableEngine } from '../base/digest.ts';
import { freeBytes, uniqueName } from '../base/files.ts';
import { readLock } from '../cache/lock.ts';
import type { Config } from '../config/define.ts';
import { findConfig } from '../config/find.ts';
import { loadConfig } from '../config/load.ts';
import { buildGraph } from '../graph/build-graph.ts';
import type { Graph } from '../graph/graph.ts';
import { definedRules } from '../rule/rule.ts';
import { checkCache } from './doctor-cache.ts';
import { type DoctorCheck, type DoctorRequest, failed } from './doctor-check.ts';
import { checkTokenizer, tokenizersOf } from './doctor-tokenizers.ts';
import { faceUrl } from './project.ts';

export interface DoctorReport {
  readonly checks: readonly DoctorCheck[];
}

const nodeMin = [20, 19] as const;
const freeBytesMin = 1e9;

function checkNode(): DoctorCheck {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const ok = major > nodeMin[0] || (major === nodeMin[0] && minor >= nodeMin[1]);
  const detail = `${process.versions.node} on ${process.platform} ${process.arch}`;
  return { check: 'node', ok, detail, ...(!ok && { hint: `Install Node ${nodeMin.join('.')} or newer.` }) };
}

function checkDisk(root: string): DoctorCheck {
  try {
    const free = freeBytes(root);
    const ok = free >= freeBytesMin;
    const hint = 'Free some space, or run `dsbuild cache gc --max 1GB`.';
    return { check: 'disk', ok, detail: `${formatBytes(free)} free`, ...(!ok && { hint }) };
  } catch (error) {
    return failed('disk', error);
  }
}

/** Writes and removes a file where state would lie; makes no folder that was not there. */
function checkState(stateDir: string): DoctorCheck {
  const check = 'state folder';
  try {
    if (!existsSync(stateDir)) {
      accessSync(dirname(stateDir), constants.W_OK);
      return { check, ok: true, detail: `${basename(stateDir)} will be made by the first build` };
    }
    mkdirSync(join(stateDir, 'tmp'), { recursive: true });
    const path = join(stateDir, 'tmp', uniqueName('doctor'));
    writeFileSync(path, '');
    rmSync(path);
    return { check, ok: true, detail: `${basename(stateDir)} can be written` };
  } catch (error) {
    return { ...failed(check, error), hint: `Check who owns ${stateDir}.` };
  }
}

function checkHash(): DoctorCheck {
  const detail = `BLAKE3 by ${hashEngine.name}`;
  const hint = 'The optional package @napi-rs/blake-hash is not installed; with it hashing is about five times faster.';
  return { check: 'hashing', ok: true, detail, ...(hashEngine.name === portableEngine.name && { hint }) };
}

interface Found {
  readonly root: string;
  readonly graph?: Graph;
  readonly config?: Config;
  readonly check: DoctorCheck;
}

async function checkConfig({ cwd, configFile, params, env }: DoctorRequest): Promise<Found> {
  let root = cwd;
  try {
    const file = findConfig(cwd, configFile);
    root = dirname(file);
    await import(faceUrl);
    const loaded = await loadConfig({ file, stateDir: join(root, '.dsbuild'), faceUrl, params, env });
    const graph = buildGraph({
      config: loaded.config,
      base: loaded.base,
      where: loaded.where,
      locate: loaded.locate,
      moduleOf: loaded.moduleOf,
      publishers: { documents: definedRules().get('write')?.rule },
    });
    const count = graph.targets.filter(({ named }) => named).length;
    return {
      root,
      graph,
      config: loaded.config,
      check: { check: 'config', ok: true, detail: `${basename(file)}: ${count} ${count === 1 ? 'target' : 'targets'}` },
    };
  } catch (error) {
    return { root, check: failed('config', error) };
  }
}

/** Whether a token is set; never the token. */
function checkHub({ env }: DoctorRequest): DoctorCheck {
  const set = Boolean(env['HF_TOKEN']);
  return {
    check: 'HF_TOKEN',
    ok: true,
    detail: set ? 'set' : 'not set',
    ...(!set && { hint: 'Only gated and private repositories on the Hub need it.' }),
  };
}

function checkLock(root: string): DoctorCheck {
  try {
    const count = readLock(join(root, 'dsbuild.lock')).entries().length;
    return {
      check: 'lock',
      ok: true,
      detail: count === 0 ? 'no entries: nothing remote is pinned' : `${count} ${count === 1 ? 'entry' : 'entries'}`,
    };
  } catch (error) {
    return failed('lock', error);
  }
}

/** Looks at everything that a build needs, and changes nothing but probes on S3, which it removes. Fails never: what is wrong is in the report. */
export async function doctor(request: DoctorRequest): Promise<DoctorReport> {
  const { root, graph, config, check } = await checkConfig(request);
  const tokenizers: DoctorCheck[] = [];
  for (const tokenizer of graph ? tokenizersOf(graph) : []) tokenizers.push(await checkTokenizer(tokenizer, request, root));
  const surroundings = [checkNode(), checkDisk(root), checkState(join(root, '.dsbuild')), checkHash()];
  const cache = config ? [checkCache(join(root, '.dsbuild'), config)] : [];
  const remote = graph && config ? await (await import('./doctor-s3.ts')).checkS3(config, graph, request) : [];
  return { checks: [...surroundings, check, ...cache, ...tokenizers, checkHub(request), checkLock(root), ...remote] };
}
