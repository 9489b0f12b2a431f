/*
 * What of a PNG makes its pixels, looked at before it is decoded: fast-png unpacks whatever there is, so a file of 400 kB
 * took 1.2 GB.
 */
import { inflateSync } from "node:zlib";

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/** Whether bytes begin as those of a PNG do. */
export const isPng = (bytes: Uint8Array): boolean =>
  SIGNATURE.slice(0, 4).every((byte, index) => bytes[index] === byte);

/** The other chunks may be packed as well (a colour profile), and none of them is needed. */
const PIXEL_CHUNKS: ReadonlySet<string> = new Set(["IHDR", "PLTE", "tRNS", "IDAT", "IEND"]);

/** The most bytes that pixels may unpack to: 44 million of three bytes, more than most cameras make. */
const MOST_BYTES = 2 ** 27;

/** Where the header's width, height, depth and kind of colors end. */
export const HEADER_END = 26;

/**
 * The size that a PNG's header announces.
 * @param bytes the file, or its beginning
 * @returns undefined where they end before the header tells, or begin otherwise
 */
export function pngSize(bytes: Uint8Array): { width: number; height: number } | undefined {
  if (bytes.length < HEADER_END || String.fromCharCode(...bytes.subarray(12, 16)) !== "IHDR") return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return { width: view.getUint32(16), height: view.getUint32(20) };
}

const channelsOf: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

interface Chunk {
  readonly type: string;
  /** With its length, type and checksum. */
  readonly whole: Uint8Array;
  readonly data: Uint8Array;
}

/** What of a PNG makes its pixels. */
export interface PixelChunks {
  /** A PNG of these chunks alone. */
  readonly png: Uint8Array;
  /** The one gray, or the red, green and blue, that is transparent, as samples of the picture's depth; none by default. */
  readonly transparent?: readonly number[];
}

/**
 * The chunks of a PNG that make its pixels.
 * @throws Error for chunks that do not fit into the file, a size of 0 or of pixels of more than 2²⁷ bytes, a palette that
 * is missing, and for pixels that are damaged, or unpack to more or less than the size has
 */
export function pixelChunks(bytes: Uint8Array): PixelChunks {
  if (!SIGNATURE.every((byte, index) => bytes[index] === byte)) throw new Error("it does not begin like one");
  const chunks = [...chunksOf(bytes)].filter(({ type }) => PIXEL_CHUNKS.has(type));
  const headers = chunks.filter(({ type }) => type === "IHDR");
  if (chunks[0]?.type !== "IHDR" || headers.length > 1 || chunks[0].data.length !== 13)
    throw new Error("there is no header (IHDR)");
  const { least, most } = unpackedBytes(chunks[0].data);
  const colors = chunks[0].data[9]!;
  if (colors === 3 && !chunks.some(({ type, data }) => type === "PLTE" && data.length >= 3))
    throw new Error("its palette (PLTE) is missing");
  // fast-png refuses the key of a picture of few pixels, and leaves the others to its caller.
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
      isTooMuch
        ? "its pixels unpack to more than its size says"
        : `its pixels are damaged: ${(cause as Error).message}`,
      { cause },
    );
  }
  if (found < least) throw new Error("its pixels are fewer than its size says");
  const kept = chunks.filter(({ type }) => type !== "tRNS" || colors === 3).map(({ whole }) => whole);
  const png = Buffer.concat([bytes.subarray(0, SIGNATURE.length), ...kept]);
  return key
    ? {
        png,
        transparent: Array.from({ length: key.length / 2 }, (_, index) => 256 * key[2 * index]! + key[2 * index + 1]!),
      }
    : { png };
}

/** Up to the one that ends the picture. */
function* chunksOf(bytes: Uint8Array): Generator<Chunk> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = SIGNATURE.length, type = ""; type !== "IEND";) {
    const end = at + 12 + (at + 12 <= bytes.length ? view.getUint32(at) : 0);
    if (end > bytes.length) throw new Error(`it is cut off at byte ${bytes.length}`);
    type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    yield { type, whole: bytes.subarray(at, end), data: bytes.subarray(at + 8, end - 4) };
    at = end;
  }
}

/** What a header's picture unpacks to: interlaced there are up to two rows for one, each with a byte before and bits after. */
function unpackedBytes(header: Uint8Array): { least: number; most: number } {
  const view = new DataView(header.buffer, header.byteOffset, header.length);
  const [width, height, depth, colors] = [view.getUint32(0), view.getUint32(4), header[8]!, header[9]!];
  if (width === 0 || height === 0) throw new Error(`its size is ${width} × ${height}`);
  const rowBytes = (width * depth * (channelsOf[colors] ?? 4)) / 8;
  if (height * rowBytes > MOST_BYTES)
    throw new Error(`its size of ${width} × ${height} is more than ${MOST_BYTES} bytes of pixels`);
  return { least: Math.floor(height * rowBytes), most: height * (Math.ceil(rowBytes) + 4) + 64 };
}
