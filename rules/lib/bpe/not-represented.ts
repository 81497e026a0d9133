/** A part of a tokenizer.json that might mean something that this engine does not do exactly. The message follows "because it has ". */
export class NotRepresented extends Error {}

export function represented(condition: boolean, otherwise: string): asserts condition {
  if (!condition) throw new NotRepresented(otherwise);
}
