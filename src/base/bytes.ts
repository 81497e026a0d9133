const units = { KB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12 } as const;

/** `'2GB'` -> 2e9 (decimal units, as disks and clouds count), or undefined when it is not a size. */
export function parseSize(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*(KB|MB|GB|TB)$/.exec(text);
  if (!match) return undefined;
  const bytes = Number(match[1]) * units[match[2] as keyof typeof units];
  return Number.isSafeInteger(Math.round(bytes)) && bytes >= 1 ? Math.round(bytes) : undefined;
}

/** 1234567 -> `1.2 MB`. */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  for (const [unit, size] of Object.entries(units).reverse()) {
    if (bytes >= size) return `${(bytes / size).toFixed(1)} ${unit}`;
  }
  return `${bytes} B`;
}

/** 1234567 -> `1,234,567`, the same on every machine. */
export const formatCount = (count: number): string => String(Math.round(count)).replace(/\B(?=(\d{3})+(?!\d))/g, ',');
