const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
const row = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`;

/** A table of which the first `texts` columns stand at the left and figures at the right; nothing without rows. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[], texts = 1): string[] {
  if (rows.length === 0) return [];
  return [row(head), row(head.map((_, i) => (i < texts ? '---' : '---:'))), ...rows.map(row), ''];
}
