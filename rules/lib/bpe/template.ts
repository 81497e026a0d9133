/** Ids that a post-processor puts around a text. */
export interface Surroundings {
  before: readonly number[];
  after: readonly number[];
}

interface PostProcessor {
  type?: string;
  processors?: readonly PostProcessor[];
  single?: readonly { SpecialToken?: { id: string }; Sequence?: { id: string } }[];
  special_tokens?: Record<string, { ids: readonly number[] }>;
}

/** What a post-processor adds to a single text; undefined if it does something else. ByteLevel only moves offsets. */
export function surroundingsOf(postProcessor: object | null): Surroundings | undefined {
  const processor = (postProcessor ?? { type: 'ByteLevel' }) as PostProcessor;
  if (processor.type === 'ByteLevel') return { before: [], after: [] };
  if (processor.type === 'TemplateProcessing') return ofTemplate(processor);
  if (processor.type !== 'Sequence') return undefined;
  const all = (processor.processors ?? []).map((inner) => surroundingsOf(inner));
  // Each later one is put around what the earlier ones made.
  return all.reduce<Surroundings | undefined>(
    (inner, outer) => inner && outer && { before: [...outer.before, ...inner.before], after: [...inner.after, ...outer.after] },
    { before: [], after: [] },
  );
}

function ofTemplate({ single = [], special_tokens: specials = {} }: PostProcessor): Surroundings | undefined {
  const text = single.findIndex((piece) => piece.Sequence !== undefined);
  const idsOf = (pieces: typeof single): readonly (number | undefined)[] =>
    pieces.flatMap<number | undefined>((piece) => specials[piece.SpecialToken?.id ?? '']?.ids ?? [undefined]);
  const [before, after] = [idsOf(single.slice(0, text)), idsOf(single.slice(text + 1))];
  return text >= 0 && isWhole(before) && isWhole(after) ? { before, after } : undefined;
}

const isWhole = (ids: readonly (number | undefined)[]): ids is readonly number[] => ids.every((id) => id !== undefined);
