/*
 * What of a PNG makes its pixels, looked at before it is decoded: fast-png unpacks whatever there is, so a file of 400 kB
 * took 1.2 GB.
 */
import { inflateSync } from "node:zlib";

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/** Whether bytes begin as those of a PNG do. */
export const isPng = (bytes: Uint8Array): boolean => SIGNATURE.slice(0, 4).every((byte, index) => bytes[index] === byte);

/** The other chunks may be packed as well (a colour profile), and none of them is needed. */
const PIXEL_CHUNKS: ReadonlySet<string> = new Set(["IHDR", "PLTE", "tRNS", "IDAT", "IEND"]);

/** More than any camera's picture. */
const MOST_PIXELS = 2 ** 27;

const channelsOf: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

interface Chunk {
  readonly type: string;
  /** With its length, type and checksum. */
  readonly whole: Uint8Array;
  readonly data: Uint8Array;
}

/**
 * The chunks of a PNG that make its pixels, as a PNG.
 * @throws Error for chunks that do not fit into the file, a size of 0 or of more than 2²⁷ pixels, and for pixels that are
 * damaged, or unpack to more or less than the size has
 */
export function pixelChunks(bytes: Uint8Array): Uint8Array {
  if (!SIGNATURE.every((byte, index) => bytes[index] === byte)) throw new Error("it does not begin like one");
  const chunks = [...chunksOf(bytes)].filter(({ type }) => PIXEL_CHUNKS.has(type));
  const headers = chunks.filter(({ type }) => type === "IHDR");
  if (chunks[0]?.type !== "IHDR" || headers.length > 1 || chunks[0].data.length !== 13) throw new Error("there is no header (IHDR)");
  const { least, most } = unpackedBytes(chunks[0].data);
  const packed = Buffer.concat(chunks.filter(({ type }) => type === "IDAT").map(({ data }) => data));
  let found: number;
  try {
    found = inflateSync(packed, { maxOutputLength: most }).length;
  } catch (cause) {
    const isTooMuch = cause instanceof RangeError;
    throw new Error(isTooMuch ? "its pixels unpack to more than its size says" : `its pixels are damaged: ${(cause as Error).message}`, { cause });
  }
  if (found < least) throw new Error("its pixels are fewer than its size says");
  return Buffer.concat([bytes.subarray(0, SIGNATURE.length), ...chunks.map(({ whole }) => whole)]);
}

/** Up to the one that ends the picture. */
function* chunksOf(bytes: Uint8Array): Generator<Chunk> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = SIGNATURE.length, type = ""; type !== "IEND"; ) {
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
  if (width * height > MOST_PIXELS) throw new Error(`its size of ${width} × ${height} is more than ${MOST_PIXELS} pixels`);
  const rowBytes = (width * depth * (channelsOf[colors] ?? 4)) / 8;
  return { least: Math.floor(height * rowBytes), most: height * (Math.ceil(rowBytes) + 4) + 64 };
}
