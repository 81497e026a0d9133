/** Lines of a table: the first column to the left, the others to the right; a column with nothing in it is left out. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const used = head.map((_, i) => i === 0 || rows.some((row) => row[i] !== ''));
  const width = head.map((title, i) => Math.max(title.length, ...rows.map((row) => (row[i] as string).length)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => (i === 0 ? cell.padEnd(width[i] as number) : cell.padStart(width[i] as number)))
      .filter((_, i) => used[i])
      .join('  ')
      .trimEnd();
  return [head, ...rows].map(line);
}
