import { chmodSync, closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { writeAll } from '../src/base/files.ts';
import { limits } from '../src/base/limits.ts';
import { BadRecord, badDocument, isBlank, parseRecord } from '../src/rule/documents.ts';
import { choice, files, integer, list, record, secrets, text } from '../src/rule/options.ts';
import type { Part } from '../src/rule/part.ts';
import { type Build, defineRule } from '../src/rule/rule.ts';
import { defineStep, type StepIo } from '../src/rule/step.ts';
import { LineSplitter } from './lib/line-splitter.ts';
import { posixPath } from './lib/names.ts';

type ExecuteInputs = { readonly documents: readonly Part[]; readonly tools: readonly Part[] };

interface ExecuteParams {
  readonly run: readonly string[];
  readonly version: string;
  /** Where each of the tools is put, below the folder that the program runs in. */
  readonly toolNames: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly secretNames: readonly string[];
  readonly timeoutSeconds?: number;
}

const execute = defineStep('execute', { version: 1 }, async ({ documents, tools }: ExecuteInputs, params: ExecuteParams, io) => {
  const cwd = io.scratch();
  for (const [i, name] of params.toolNames.entries()) copyTool(tools[i] as Part, join(cwd, name), io);
  const hidden = Object.fromEntries(params.secretNames.map((name) => [name, io.secret(name)]));
  const redact = redactor(Object.values(hidden));
  const results = new ResultLines({ part: documents[0] as Part, io, redact });
  const { run: argv, timeoutSeconds } = params;
  const env = { ...baseEnvironment(), ...params.env, ...hidden };
  const program = { argv, env, cwd, timeoutSeconds, signal: io.signal, redact };
  const { runProgram } = await import('./lib/program.ts');
  await runProgram(program, { input: linesOf(documents, io), output: (bytes) => results.push(bytes) });
  results.end();
});

/** The only variables of this machine that a program sees: without them few would start. */
function baseEnvironment(): Record<string, string> {
  const { PATH = '', HOME = '' } = process.env;
  return { PATH, HOME, LANG: 'C.UTF-8', TZ: 'UTC' };
}

function copyTool(part: Part, path: string, io: StepIo): void {
  mkdirSync(dirname(path), { recursive: true });
  const fd = openSync(path, 'wx');
  try {
    for (const piece of io.pieces(part)) writeAll(fd, piece);
  } finally {
    closeSync(fd);
  }
  // Whether a file was executable is not in its digest, so that it must not matter.
  chmodSync(path, 0o755);
}

function redactor(values: readonly string[]): (text: string) => string {
  const hidden = values.filter((value) => value !== '').sort((a, b) => b.length - a.length);
  return (shown) => hidden.reduce((rest, value) => rest.replaceAll(value, '***'), shown);
}

const batchBytes = 64 * 1024;
const newline = Buffer.from('\n');

/** The documents' lines as they are, joined to pieces that are worth a write. */
function* linesOf(parts: readonly Part[], io: StepIo): Generator<Buffer> {
  let waiting: Buffer[] = [];
  let bytes = 0;
  for (const part of parts) {
    for (const { line } of io.documents(part)) {
      waiting.push(line, newline);
      bytes += line.length + 1;
      io.count('documentsIn');
      if (bytes < batchBytes) continue;
      // The program may take its time with what it has; that is bounded by `timeoutSeconds`.
      io.recordEnds();
      yield Buffer.concat(waiting);
      waiting = [];
      bytes = 0;
    }
  }
  if (bytes > 0) yield Buffer.concat(waiting);
}

/** Checks what a program wrote, line by line, as the records of a source are checked. */
class ResultLines {
  readonly #about: { part: Part; io: StepIo; redact: (text: string) => string };
  readonly #splitter: LineSplitter;
  readonly #records;
  #line = 0;

  constructor(about: { part: Part; io: StepIo; redact: (text: string) => string }) {
    this.#about = about;
    this.#records = about.io.records();
    this.#splitter = new LineSplitter(limits.recordBytesMax, (line, bytes) => this.#take(line, bytes));
    about.io.count('documentsOut', 0);
  }

  push(bytes: Buffer): void {
    this.#splitter.push(bytes);
  }

  end(): void {
    this.#splitter.end();
    this.#records.close();
  }

  #take(line: Buffer, bytes: number): void {
    const number = this.#line++;
    const { io } = this.#about;
    const isEmpty = bytes <= limits.recordBytesMax && isBlank(line);
    const bad = isEmpty ? undefined : problemOf(line, bytes);
    if (isEmpty) io.count('blank');
    else if (bad) this.#quarantine(number, bad);
    else {
      this.#records.write(line);
      io.count('documentsOut');
    }
  }

  #quarantine(number: number, { reason, detail }: BadRecord): void {
    const { io, part, redact } = this.#about;
    io.quarantine(part, number, reason, redact(`line ${number + 1} of the program's output: ${detail}`));
  }
}

function problemOf(line: Buffer, bytes: number): BadRecord | undefined {
  if (bytes > limits.recordBytesMax) return new BadRecord('too-long', `${bytes} bytes; at most ${limits.recordBytesMax} are read`);
  const parsed = parseRecord(line);
  return parsed instanceof BadRecord ? parsed : badDocument(parsed);
}

/** Any program, JSON lines in and out: what people from Make look for first. */
export const command = defineRule({
  name: 'command',
  version: 1,
  doc: 'Runs a program on documents: JSON lines on its standard input, JSON lines from its standard output. It runs in an empty folder that holds the files of `tools` under the names given, and sees PATH, HOME, LANG=C.UTF-8, TZ=UTC, `env` and `secrets`. It must be deterministic.',
  inputs: { documents: 'documents' },
  output: 'documents',
  options: {
    run: list(text()).doc("The program and its arguments, `['python3', 'tools/clean.py']`; no shell reads them."),
    tools: files().default([]).doc('Files that the program needs, itself included if it is yours; their bytes are in the key.'),
    version: text().doc('Raise it when the program changes in a way that `tools` does not show.'),
    per: choice('chunk', 'target').default('chunk').doc('`target` runs it once for each group, on all its documents.'),
    env: record(text()).optional().doc('Further variables; they are in the key.'),
    secrets: secrets().optional().doc('Variables with secret values, `{ NAME: secret(...) }`; they are in no key.'),
    timeoutSeconds: integer({ min: 1 }).optional().doc('Time after which one run of it is killed and fails.'),
  },
  steps: [execute],
  async plan({ documents }, options, build) {
    const { run, version, env = {}, timeoutSeconds } = options;
    if (run.length === 0) build.fail('no-command', { message: '`run` is empty', hint: 'Name the program and its arguments.' });
    const toolNames = Object.keys(options.tools).map((name) => toolName(name, build));
    const secretNames = Object.keys(options.secrets ?? {}).sort();
    const params = { run, version, toolNames, env, secretNames, ...(timeoutSeconds !== undefined && { timeoutSeconds }) };
    const tools = Object.values(options.tools);
    const ask = (parts: readonly Part[]) => build.step(execute, { documents: parts, tools }, params);
    if (options.per === 'chunk') for await (const chunk of documents) build.emit(ask([chunk]));
    else for await (const { group, parts } of documents.byGroup()) build.emit(ask(parts), { group });
  },
});

/** A tool keeps its name, so that the arguments in `run` find it; it must lie where a copy of it can. */
function toolName(name: string, build: Build): string {
  const path = posixPath(name);
  if (path === '.' || path.startsWith('/') || path.startsWith('../') || path === '..') {
    build.fail('bad-tool', {
      message: `the tool "${name}" does not lie below the folder of the config`,
      hint: 'Copy it there: programs run in a folder that holds their tools under the names given.',
    });
  }
  return path;
}
