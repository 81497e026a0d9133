/** What `*`, `**` and `?` stand for; everything else stands for itself. */
const wild: Readonly<Record<string, string>> = { '**': '.*', '*': '[^/]*', '?': '[^/]' };

export const isPattern = (text: string): boolean => /[*?]/.test(text);

/**
 * A matcher for names whose segments are joined by `/`: `*` is any part of one segment, `**` any part of the name, `?` one character.
 * A pattern also matches all that lies below what it names: `code` matches `code/apps`.
 */
export function matcher(pattern: string): (name: string) => boolean {
  const source = pattern.replace(/\*\*|[\s\S]/g, (token) => wild[token] ?? token.replace(/[.+^${}()|[\]\\]/g, '\\$&'));
  const expression = new RegExp(`^${source}(?:/.*)?$`, 'su');
  return (name) => expression.test(name);
}

/** For `--only 'code/*'`: whether a group (`<category>/<name>`) is meant. */
export const onlyGroups = (pattern: string): ((group: string) => boolean) => matcher(pattern);
