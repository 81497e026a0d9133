import { Decompress } from 'fzstd';
import xxhash from 'xxhash-wasm';
import { BuildError, messageOf } from '../../src/base/errors.ts';
import { ByteReader, corrupt, type Pieces } from './byte-reader.ts';

const frameMagic = 0xfd2fb528;
const skippableMagic = 0x184d2a50;
const windowBytesMax = 128 * 1024 * 1024;
const blockBytesMax = 128 * 1024;

/** What a frame says of itself before its first block. */
interface FrameHeader {
  /** The header itself as fzstd gets it: with the magic number, and as if no checksum followed. */
  readonly bytes: Buffer;
  readonly windowBytes: number;
  readonly contentBytes?: number;
  readonly checksum: boolean;
}

/**
 * See `decompress`. Format: RFC 8878. The frames are taken apart here, so that the end of each is known: fzstd, which decodes
 * the blocks, neither verifies checksums and sizes nor limits its window.
 */
export async function* unzstd(pieces: Pieces): AsyncGenerator<Uint8Array, void> {
  const reader = new ByteReader('zstd', pieces);
  try {
    do yield* nextFrame(reader);
    while (!(await reader.atEnd()));
  } finally {
    await reader.close();
  }
}

async function* nextFrame(reader: ByteReader): AsyncGenerator<Uint8Array, void> {
  const magic = (await reader.take(4)).readUInt32LE();
  if (magic === frameMagic) yield* frame(reader, await readHeader(reader));
  else if ((magic & 0xfffffff0) >>> 0 === skippableMagic) await reader.skip((await reader.take(4)).readUInt32LE());
  else throw corrupt('zstd', { byte: reader.offset - 4, seen: 'no frame begins here' });
}

async function readHeader(reader: ByteReader): Promise<FrameHeader> {
  const head = await reader.take(1);
  const flags = head.readUInt8();
  const single = (flags & 0x20) !== 0;
  if (flags & 0x08) throw corrupt('zstd', { byte: reader.offset - 1, seen: 'a reserved bit of the frame header is set' });
  const window = await reader.take(single ? 0 : 1);
  const dictionary = await reader.take([0, 1, 2, 4][flags & 3] ?? 0);
  const size = await reader.take(flags >> 6 === 0 ? Number(single) : 1 << (flags >> 6));
  if (dictionary.some((byte) => byte !== 0)) throw unusable('it was compressed with a dictionary');
  const contentBytes = size.length > 0 ? contentSize(size) : undefined;
  const windowBytes = single ? (contentBytes ?? 0) : windowSize(window.readUInt8());
  if (windowBytes > windowBytesMax) throw unusable(`it needs a window of ${windowBytes} bytes, more than ${windowBytesMax}`);
  const magic = Buffer.alloc(5, flags & ~0x04);
  magic.writeUInt32LE(frameMagic);
  const bytes = Buffer.concat([magic, window, dictionary, size]);
  return { bytes, windowBytes, checksum: (flags & 0x04) !== 0, ...(contentBytes !== undefined && { contentBytes }) };
}

function contentSize(field: Buffer): number {
  if (field.length === 8) return Number(field.readBigUInt64LE());
  return field.readUIntLE(0, field.length) + (field.length === 2 ? 256 : 0);
}

/** RFC 8878, 3.1.1.1.2: eighths of a power of two. */
function windowSize(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 7);
}

const unusable = (what: string): BuildError =>
  new BuildError('bad-input', {
    message: `the zstd data can not be read: ${what}`,
    hint: 'Compress it again without `--long` above 27 and without a dictionary.',
  });

/** Compiled once per thread. */
let hashing: ReturnType<typeof xxhash> | undefined;

async function* frame(reader: ByteReader, header: FrameHeader): AsyncGenerator<Uint8Array, void> {
  const decoder = new BlockDecoder(header);
  hashing ??= xxhash();
  const { create64 } = await hashing;
  const hash = create64();
  let bytes = 0;
  for (let last = false; !last; ) {
    const block = await readBlock(reader, Math.min(blockBytesMax, header.windowBytes));
    last = block.last;
    for (const plain of decoder.decode(block, reader.offset)) {
      bytes += plain.length;
      if (header.checksum) hash.update(plain);
      yield plain;
    }
  }
  if (header.contentBytes !== undefined && header.contentBytes !== bytes)
    throw corrupt('zstd', { byte: reader.offset, seen: `a frame holds ${bytes} bytes, its header says ${header.contentBytes}` });
  if (header.checksum && (await reader.take(4)).readUInt32LE() !== Number(hash.digest() & 0xffffffffn))
    throw corrupt('zstd', { byte: reader.offset - 4, seen: 'the checksum does not match' });
}

interface Block {
  /** With its header. */
  readonly bytes: Buffer;
  readonly last: boolean;
}

/** A raw block holds its bytes, one of type 1 a single byte that repeats. */
async function readBlock(reader: ByteReader, bytesMax: number): Promise<Block> {
  const at = reader.offset;
  const head = await reader.take(3);
  const field = head.readUIntLE(0, 3);
  const [type, length] = [(field >> 1) & 3, field >> 3];
  if (type === 3) throw corrupt('zstd', { byte: at, seen: 'a block has the reserved type' });
  if (length > bytesMax) throw corrupt('zstd', { byte: at, seen: `a block has ${length} bytes, at most ${bytesMax} are allowed` });
  const body = await reader.take(type === 1 ? 1 : length);
  return { bytes: Buffer.concat([head, body]), last: (field & 1) === 1 };
}

class BlockDecoder {
  readonly #fzstd: Decompress;
  #plain: Uint8Array[] = [];

  constructor(header: FrameHeader) {
    this.#fzstd = new Decompress((plain) => void (plain.length > 0 && this.#plain.push(plain)));
    this.#fzstd.push(header.bytes);
  }

  /** What is known of the frame's contents after one block more, which ends at the compressed byte `end`. */
  decode({ bytes, last }: Block, end: number): Uint8Array[] {
    try {
      this.#fzstd.push(bytes, last);
    } catch (cause) {
      throw corrupt('zstd', { byte: end - bytes.length, seen: messageOf(cause), cause });
    }
    const plain = this.#plain;
    this.#plain = [];
    return plain;
  }
}
