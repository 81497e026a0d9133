import type { TokenDecoder } from '../rule/options.ts';
import type { HeadRow, RowPiece } from './api.ts';

type Row = HeadRow['row'];

/** What is known of a target's ids. */
export interface IdsKnown {
  readonly decoder: TokenDecoder | undefined;
  /** The token that ends each document. */
  readonly eosId: number | undefined;
}

const listIn = (row: Row, name: string): readonly number[] | undefined => {
  const value = row[name];
  return Array.isArray(value) && value.every((one) => typeof one === 'number') ? value : undefined;
};

/** The ids of a row of tokens or of a training row; undefined for all else. */
const idsIn = (row: Row): readonly number[] | undefined => listIn(row, 'input_ids') ?? listIn(row, 'ids');

/** Texts of a row's ids one by one, and its documents; nothing for rows that hold no ids. */
export function pieced(row: Row, { decoder, eosId }: IdsKnown): Pick<HeadRow, 'texts' | 'pieces'> {
  const ids = idsIn(row);
  if (!ids) return {};
  const pieces = piecesOf(row, ids, eosId).map((piece) =>
    piece.is === 'document' && decoder ? { ...piece, text: decoder.decode(ids.slice(piece.from, piece.to)) } : piece,
  );
  return { pieces, ...(decoder && { texts: ids.map((id) => decoder.decode([id])) }) };
}

function piecesOf(row: Row, ids: readonly number[], eosId: number | undefined): RowPiece[] {
  const mask = listIn(row, 'attention_mask');
  const padding = mask ? mask.indexOf(0) : -1;
  const end = padding < 0 ? ids.length : padding;
  const starts = startsOf(row, { ids, end, eosId });
  const pieces = starts.map((from, i): RowPiece => {
    const to = starts[i + 1] ?? end;
    return { is: 'document', from, to, ...(eosId !== undefined && { ends: ids[to - 1] === eosId }) };
  });
  return end === ids.length ? pieces : [...pieces, { is: 'padding', from: end, to: ids.length }];
}

/** Where documents begin, as columns tell it, else behind each EOS. A row of `tokens` is one document or one window of it. */
function startsOf(row: Row, { ids, end, eosId }: { ids: readonly number[]; end: number; eosId: number | undefined }): number[] {
  const [documents, positions] = [listIn(row, 'document_ids'), listIn(row, 'position_ids')];
  const isPacked = listIn(row, 'input_ids') !== undefined;
  const begins = (at: number): boolean => {
    if (at === 0) return true;
    if (documents) return documents[at] !== documents[at - 1];
    if (positions) return positions[at] === 0;
    return isPacked && ids[at - 1] === eosId;
  };
  return Array.from({ length: end }, (_, at) => at).filter(begins);
}
