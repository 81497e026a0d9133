import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Digest } from '../base/digest.ts';
import { messageOf } from '../base/errors.ts';
import { type InstalledPackage, installedPackage } from '../base/installed-package.ts';
import { readNote, writeNote } from '../base/notes.ts';
import { programRoot } from '../base/program.ts';
import type { TokenizerEngines } from '../rule/options.ts';

/** Which engine runs a tokenizer, and where it lies if it is a package of the user's. */
export interface ChosenEngine {
  /** `name@version` */
  readonly engine: string;
  /** Why it is not dsbuild's own. */
  readonly whyNotOwn?: string;
  /** Why it is not the native one either. */
  readonly whyNotNative?: string;
  readonly folder?: string;
}

export interface Asked {
  readonly engines: TokenizerEngines;
  readonly model: { readonly digest: Digest; read(): Uint8Array };
  /** Folder of the config. */
  readonly base: string;
  readonly stateDir: string;
  /** Whether the answer may be written down. */
  readonly remember: boolean;
}

/**
 * dsbuild's own engine where it represents the file exactly, on every machine alike; else the native package if it is installed, else the general one.
 * The look into the file (up to a second for the largest) is remembered by its digest.
 */
export async function chooseEngine(asked: Asked): Promise<ChosenEngine> {
  const { engines, base } = asked;
  const whyNotOwn = await inspected(asked);
  if (whyNotOwn === undefined) return { engine: engines.own };
  const found = installedPackage(engines.native.name, base) ?? installedPackage(engines.native.name, programRoot);
  const whyNotNative = unusable(found, engines);
  if (!found || whyNotNative !== undefined)
    return { engine: engines.general, whyNotOwn, ...(whyNotNative !== undefined && { whyNotNative }) };
  return { engine: `${engines.native.name}@${found.version}`, whyNotOwn, folder: found.folder };
}

const memoryFile = (stateDir: string): string => join(stateDir, 'tokenizers', 'engines.json');

/** What is being looked into: several targets mostly share a tokenizer. */
const looking = new Map<string, Promise<string>>();

async function inspected({ engines, model, stateDir, remember }: Asked): Promise<string | undefined> {
  const file = memoryFile(stateDir);
  const known = (): Record<string, string> => readNote(file) ?? {};
  const name = `${engines.own} ${model.digest}`;
  const before = known()[name];
  const answer = before ?? (await lookInto(name, () => engines.whyNotOwn(model.read())));
  if (remember && before === undefined) writeNote(file, { ...known(), [name]: answer });
  return answer === '' ? undefined : answer;
}

function lookInto(name: string, look: () => Promise<string | undefined>): Promise<string> {
  const found = looking.get(name) ?? look().then((why) => why ?? '');
  looking.set(name, found);
  found.catch(() => looking.delete(name));
  return found;
}

function unusable(found: InstalledPackage | undefined, { native }: TokenizerEngines): string | undefined {
  if (!found) return `the package ${native.name} is not installed`;
  if (!native.versions.test(found.version)) return `${native.name}@${found.version} is not a version that dsbuild knows`;
  try {
    createRequire(join(found.folder, 'package.json'))(found.folder);
    return undefined;
  } catch (error) {
    return `${native.name}@${found.version} can not be loaded here: ${messageOf(error).split('\n')[0]}`;
  }
}
