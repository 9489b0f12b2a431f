/*
 * Extracts the chunks of a PNG that its pixels need, and checks them before the PNG is decoded: fast-png unpacks every
 * chunk, and a file of 400 kB took 1.2 GB.
 */
import { inflateSync } from "node:zlib";

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/** Whether bytes begin with the signature of a PNG. */
export const isPng = (bytes: Uint8Array): boolean =>
  SIGNATURE.slice(0, 4).every((byte, index) => bytes[index] === byte);

/** Other chunks may also be compressed (such as color profiles), and are not needed. */
const PIXEL_CHUNKS: ReadonlySet<string> = new Set(["IHDR", "PLTE", "tRNS", "IDAT", "IEND"]);

/** The most bytes that pixels may unpack to: 44 million pixels of three bytes, more than most cameras have. */
const MOST_BYTES = 2 ** 27;

/** The offset after the header's width, height, bit depth and color type. */
export const HEADER_END = 26;

/**
 * Reads the size from a PNG's header.
 * @param bytes the file, or its beginning
 * @returns undefined if the bytes end before the size, or do not begin with a header
 */
export function pngSize(bytes: Uint8Array): { width: number; height: number } | undefined {
  if (bytes.length < HEADER_END || String.fromCharCode(...bytes.subarray(12, 16)) !== "IHDR") return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return { width: view.getUint32(16), height: view.getUint32(20) };
}

const channelsOf: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

interface Chunk {
  readonly type: string;
  /** The chunk including its length, type and checksum. */
  readonly whole: Uint8Array;
  readonly data: Uint8Array;
}

/** The parts of a PNG that its pixels need. */
export interface PixelChunks {
  /** A PNG that contains only these chunks. */
  readonly png: Uint8Array;
  /** The transparent color (gray, or red, green and blue) as samples of the image's bit depth; absent if there is none. */
  readonly transparent?: readonly number[];
}

/**
 * Extracts and checks the chunks of a PNG that its pixels need.
 * @throws Error for chunks that exceed the file, a size of 0 or of more than 2²⁷ bytes of pixels, a missing palette, and
 * pixels that are damaged or do not have the size in the header
 */
export function pixelChunks(bytes: Uint8Array): PixelChunks {
  if (!SIGNATURE.every((byte, index) => bytes[index] === byte)) throw new Error("it does not begin like a PNG");
  const chunks = [...chunksOf(bytes)].filter(({ type }) => PIXEL_CHUNKS.has(type));
  const headers = chunks.filter(({ type }) => type === "IHDR");
  if (chunks[0]?.type !== "IHDR" || headers.length > 1 || chunks[0].data.length !== 13)
    throw new Error("there is no header (IHDR)");
  const { least, most } = unpackedBytes(chunks[0].data);
  const colors = chunks[0].data[9]!;
  if (colors === 3 && !chunks.some(({ type, data }) => type === "PLTE" && data.length >= 3))
    throw new Error("its palette (PLTE) is missing");
  // fast-png refuses a transparent color for some images, and leaves others to the caller, so it is handled here.
  const hasKey = colors === 0 || colors === 2;
  const key = hasKey ? chunks.find(({ type }) => type === "tRNS")?.data : undefined;
  if (key && key.length !== 2 * channelsOf[colors]!)
    throw new Error(`its transparent color (tRNS) has ${key.length} bytes`);
  const packed = Buffer.concat(chunks.filter(({ type }) => type === "IDAT").map(({ data }) => data));
  let found: number;
  try {
    found = inflateSync(packed, { maxOutputLength: most }).length;
  } catch (cause) {
    const isTooMuch = cause instanceof RangeError;
    throw new Error(
      isTooMuch ? "it has more pixels than its size" : `its pixels are damaged: ${(cause as Error).message}`,
      { cause },
    );
  }
  if (found < least) throw new Error("it has fewer pixels than its size");
  const kept = chunks.filter(({ type }) => type !== "tRNS" || colors === 3).map(({ whole }) => whole);
  const png = Buffer.concat([bytes.subarray(0, SIGNATURE.length), ...kept]);
  return key
    ? {
        png,
        transparent: Array.from({ length: key.length / 2 }, (_, index) => 256 * key[2 * index]! + key[2 * index + 1]!),
      }
    : { png };
}

/** All chunks up to IEND. */
function* chunksOf(bytes: Uint8Array): Generator<Chunk> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = SIGNATURE.length, type = ""; type !== "IEND";) {
    const end = at + 12 + (at + 12 <= bytes.length ? view.getUint32(at) : 0);
    if (end > bytes.length) throw new Error(`it is truncated at byte ${bytes.length}`);
    type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    yield { type, whole: bytes.subarray(at, end), data: bytes.subarray(at + 8, end - 4) };
    at = end;
  }
}

/** The bytes that the pixels unpack to. Interlacing adds up to one row per row, with a filter byte and padding bits each. */
function unpackedBytes(header: Uint8Array): { least: number; most: number } {
  const view = new DataView(header.buffer, header.byteOffset, header.length);
  const [width, height, depth, colors] = [view.getUint32(0), view.getUint32(4), header[8]!, header[9]!];
  if (width === 0 || height === 0) throw new Error(`its size is ${width} × ${height}`);
  const rowBytes = (width * depth * (channelsOf[colors] ?? 4)) / 8;
  if (height * rowBytes > MOST_BYTES)
    throw new Error(`its size of ${width} × ${height} is more than ${MOST_BYTES} bytes of pixels`);
  return { least: Math.floor(height * rowBytes), most: height * (Math.ceil(rowBytes) + 4) + 64 };
}
