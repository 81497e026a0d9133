const fewMax = 5;

/** The first few of what is told, and in words how many more there are; a single one more is told itself. */
export function firstFew(all: readonly string[], more: (count: number) => string): string[] {
  const left = all.length - fewMax;
  return left > 1 ? [...all.slice(0, fewMax), more(left)] : [...all];
}
