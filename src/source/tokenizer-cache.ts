import { join } from 'node:path';
import { digestHex } from '../base/digest.ts';
import { readFile, readIfThere, writeFileAtomic } from '../base/files.ts';
import { readNote, writeNote } from '../base/notes.ts';
import type { FetchedTokenizer, LocatedTokenizer, TokenizerPin } from './tokenizer.ts';

const modelName = 'tokenizer.json';
const configName = 'tokenizer_config.json';

/** The pin of files on disk. */
export function pinOf(reference: string, found: { version: string; modelFile: string; configFile: string | undefined }): TokenizerPin {
  const config = found.configFile === undefined ? {} : { config: digestHex(readFile(found.configFile)) };
  return { reference, resolved: found.version, model: digestHex(readFile(found.modelFile)), ...config };
}

/** Downloaded files of exactly this pin, or undefined when they are missing or no longer what they were. */
export function keptTokenizer(cacheDir: string, pin: TokenizerPin | undefined): LocatedTokenizer | undefined {
  if (pin === undefined) return undefined;
  const folder = folderOf(cacheDir, pin);
  const model = readIfThere(join(folder, modelName));
  const config = readIfThere(join(folder, configName));
  if (model === undefined || digestHex(model) !== pin.model) return undefined;
  if (pin.config !== undefined && (config === undefined || digestHex(config) !== pin.config)) return undefined;
  return located(folder, pin);
}

/** Keeps a download: first the files, each by rename, then the note which pin is a reference's last one. */
export function keepTokenizer(cacheDir: string, download: { pin: TokenizerPin; fetched: FetchedTokenizer }): LocatedTokenizer {
  const { pin, fetched } = download;
  const folder = folderOf(cacheDir, pin);
  writeFileAtomic(join(folder, modelName), fetched.model);
  if (fetched.config !== undefined) writeFileAtomic(join(folder, configName), fetched.config);
  writeNote(lastPinFile(cacheDir, pin.reference), pin);
  return located(folder, pin);
}

/** What a reference resolved to when it was last downloaded here: all that an offline build without a lock can know. */
export function lastPinOf(cacheDir: string, reference: string): TokenizerPin | undefined {
  return readNote<TokenizerPin>(lastPinFile(cacheDir, reference));
}

function located(folder: string, pin: TokenizerPin): LocatedTokenizer {
  return { modelFile: join(folder, modelName), configFile: pin.config === undefined ? undefined : join(folder, configName), pin };
}

// Not by what it resolved to: a mirror that tells no commit gives the same content another name.
const folderOf = (cacheDir: string, pin: TokenizerPin): string =>
  join(cacheDir, digestHex(JSON.stringify([pin.reference, pin.model, pin.config ?? null])).slice(0, 32));

const lastPinFile = (cacheDir: string, reference: string): string => join(cacheDir, `${digestHex(reference).slice(0, 32)}.json`);
