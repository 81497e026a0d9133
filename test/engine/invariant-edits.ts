import fc from 'fast-check';
import { choices, documentLine, type State } from './invariant-project.ts';

/** One edit by its name; the numbers choose file, place and content in whatever state it meets. */
export interface Edit {
  readonly edit: keyof typeof edits;
  readonly file: number;
  readonly at: number;
  readonly seed: number;
}

/** History is the states before this one, the first of all first. */
type Apply = (state: State, edit: Edit, history: readonly State[]) => State;

const pick = <T>(items: readonly T[], n: number): T => items[n % items.length] as T;
const namesOf = ({ files }: State): string[] => [...files.keys()];
const withFiles = (state: State, change: (files: Map<string, readonly string[]>) => void): State => {
  const files = new Map(state.files);
  change(files);
  return { ...state, files };
};

/** Changes the lines of one file. */
const inLines =
  (change: (lines: string[], edit: Edit) => void): Apply =>
  (state, edit) =>
    withFiles(state, (files) => {
      const name = pick(namesOf(state), edit.file);
      const lines = [...(files.get(name) as readonly string[])];
      change(lines, edit);
      files.set(name, lines);
    });

const badLines = [
  '{"text":',
  '[1]',
  '{"id":"x"}',
  '{"text":5}',
  '{"messages":[]}',
  '',
  '  \r',
  '{"text":"a","id":7}\r',
  '\ufeff{"text":"with a mark"}',
];
const isRemovable = (name: string): boolean => !name.startsWith('in/big');
const otherFile = (state: State, edit: Edit): string | undefined => {
  const names = namesOf(state).filter(isRemovable);
  return names.length > 6 ? pick(names, edit.file) : undefined;
};
const newName = ({ seed, at }: Edit): string =>
  pick(
    [
      `in/small/n${seed % 50}.jsonl`,
      `in/small/sub/${seed % 50}.jsonl`,
      `in/chat/c${seed % 9}.jsonl`,
      `data/raw/custom/u${seed % 9}.jsonl`,
      `in/packed/${seed % 3}.jsonl.gz`,
    ],
    at,
  );

const edits = {
  insert: inLines((lines, { at, seed }) => void lines.splice(at % lines.length, 0, documentLine(seed))),
  edit: inLines((lines, { at, seed }) => void lines.splice(at % lines.length, 1, documentLine(seed), ...(lines.length === 1 ? [''] : []))),
  delete: inLines((lines, { at }) => void (lines.length > 2 && lines.splice(at % lines.length, 1))),
  append: inLines((lines, { at, seed }) => {
    const end = lines.at(-1) === '' ? 1 : 0;
    lines.splice(lines.length - end, 0, ...Array.from({ length: 1 + (at % 40) }, (_, i) => documentLine(seed + i)));
  }),
  move: inLines((lines, { at, seed }) => {
    const [line] = lines.splice(at % lines.length, 1);
    lines.splice(seed % (lines.length + 1), 0, line as string);
  }),
  endWithoutNewline: inLines((lines) => void (lines.at(-1) === '' && lines.length > 1 ? lines.pop() : lines.push(''))),
  badLine: inLines((lines, { at, seed }) => void lines.splice(at % lines.length, 0, pick(badLines, seed))),
  moveBetweenFiles: (state, edit) =>
    withFiles(state, (files) => {
      const [from, to] = [pick(namesOf(state), edit.file), pick(namesOf(state), edit.seed)];
      const lines = files.get(from) as readonly string[];
      if (from === to || lines.length < 3) return;
      files.set(from, lines.slice(1));
      files.set(to, [lines[0] as string, ...(files.get(to) as readonly string[])]);
    }),
  newFile: (state, edit) =>
    withFiles(
      state,
      (files) =>
        void files.set(newName(edit), [...Array.from({ length: 1 + (edit.seed % 20) }, (_, i) => documentLine(edit.seed + i)), '']),
    ),
  copyFile: (state, edit) =>
    withFiles(state, (files) => void files.set(newName(edit), files.get(pick(namesOf(state), edit.file)) as readonly string[])),
  removeFile: (state, edit) => {
    const name = otherFile(state, edit);
    return name === undefined ? state : withFiles(state, (files) => void files.delete(name));
  },
  renameFile: (state, edit) => {
    const name = otherFile(state, edit);
    if (name === undefined) return state;
    return withFiles(state, (files) => {
      const lines = files.get(name) as readonly string[];
      files.delete(name);
      files.set(newName(edit), lines);
    });
  },
  option: (state, { at, seed }) => {
    const name = pick(Object.keys(choices), at);
    return { ...state, params: { ...state.params, [name]: pick(choices[name] as readonly string[], seed) } };
  },
  goBack: (_state, { at }, history) => pick(history, at),
} satisfies Readonly<Record<string, Apply>>;

export const applyEdit = (edit: Edit, history: readonly State[]): State => {
  const apply: Apply = edits[edit.edit];
  return apply(history.at(-1) as State, edit, history);
};

const number = fc.nat({ max: 1_000_000 });

export const script: fc.Arbitrary<Edit[]> = fc.array(
  fc.record({ edit: fc.constantFrom(...(Object.keys(edits) as Edit['edit'][])), file: number, at: number, seed: number }),
  { minLength: 5, maxLength: 10, size: 'max' },
);
