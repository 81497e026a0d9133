/** How documents are cut: samples of at most `length` tokens, each with the last `stride` text tokens of the one before. */
export interface WindowOptions {
  readonly length: number;
  readonly stride: number;
}

/**
 * Calls `visit` with the ends of each window of a text: as many windows of `room` tokens as it takes, the last one shorter.
 * A text without tokens is one empty window. As Hugging Face `tokenizers` cuts when it truncates and gives what overflows.
 *
 * @param room more than `stride`
 */
export function forEachWindow(
  count: number,
  { room, stride }: { room: number; stride: number },
  visit: (start: number, end: number) => void,
): void {
  for (let start = 0; ; start += room - stride) {
    const end = Math.min(start + room, count);
    visit(start, end);
    if (end === count) return;
  }
}
