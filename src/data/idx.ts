import { DataError } from "../errors.ts";

/*
 * The IDX format, as described with the MNIST files (LeCun, Cortes, Burges): two zero bytes, the type of the values,
 * the number of dimensions, the size of each dimension as a 32-bit big-endian integer, then the values in row-major
 * order.
 */

/** Whether the bytes start with the magic number of gzip. */
const isPacked = (bytes: Uint8Array) => bytes[0] === 0x1f && bytes[1] === 0x8b;

/** The contents of an IDX file. */
export interface IdxFile {
  /** The type of the values. wgrad reads only unsigned bytes, which MNIST and similar data sets use. */
  readonly type: "uint8";
  /** The size of each dimension, such as [60000, 28, 28]. */
  readonly shape: readonly number[];
  /** The values, row-major. They share memory with the bytes of the file if it was not compressed. */
  readonly values: Uint8Array;
}

const typeNames: ReadonlyMap<number, string> = new Map([
  [0x08, "uint8"],
  [0x09, "int8"],
  [0x0b, "int16"],
  [0x0c, "int32"],
  [0x0d, "float32"],
  [0x0e, "float64"],
]);

/** Far more than any real file has, and few enough that the product of the sizes stays finite. */
const mostDimensions = 8;

const copyAgain = "The file is damaged or incomplete: copy or download it again";
const notIdx = "Give an IDX file, plain or as .gz, such as MNIST's train-images-idx3-ubyte.gz";

const endsInHeader = (length: number, where: string) =>
  new DataError({
    where: `${where}, byte ${length}`,
    what: `the file ends within its header, after ${length} bytes`,
    fix: copyAgain,
  });

/**
 * Parses an uncompressed IDX file of unsigned bytes.
 * @param bytes the whole file
 * @param where the file's name, for messages
 * @throws DataError, with the byte offset, if the bytes are not IDX, the values have another type, or the file's length
 * does not match its dimensions
 */
export function parseIdx(bytes: Uint8Array, where: string): IdxFile {
  const header = parseHeader(bytes, where);
  if (header === undefined) throw endsInHeader(bytes.length, where);
  const { shape, headerLength, fileLength } = header;
  if (bytes.length !== fileLength) {
    const found = bytes.length < fileLength ? "ends too early" : "has trailing bytes";
    throw new DataError({
      where: `${where}, byte ${Math.min(bytes.length, fileLength)}`,
      what: `the file ${found}: ${describe(shape)} needs ${fileLength} bytes, found ${bytes.length}`,
      fix: copyAgain,
    });
  }
  // Node reads files into Buffers. A view of a Buffer is a Buffer, too; data sets have plain Uint8Arrays.
  const values = new Uint8Array(bytes.buffer, bytes.byteOffset + headerLength, bytes.length - headerLength);
  return { type: "uint8", shape, values };
}

/**
 * Reads an IDX file of unsigned bytes, which may be compressed with gzip; this is detected from the first bytes, not
 * from the name. Decompression stops when the data exceeds the size given in the IDX header, and memory is allocated
 * only for data that has been decompressed.
 * @param bytes the whole file
 * @param where the file's name, for messages
 * @throws DataError as `parseIdx` does, and for a .gz file that is truncated, damaged, or followed by other data
 */
export async function readIdx(bytes: Uint8Array, where: string): Promise<IdxFile> {
  const isGzip = isPacked(bytes);
  return parseIdx(isGzip ? await unpack(bytes, where) : bytes, isGzip ? `${where}, decompressed` : where);
}

/**
 * Reads the shape from the header of an IDX file, which may be compressed with gzip. Only the header is decompressed.
 * @throws DataError for a header that `readIdx` refuses
 */
export async function readIdxShape(bytes: Uint8Array, where: string): Promise<readonly number[]> {
  const place = isPacked(bytes) ? `${where}, decompressed` : where;
  let begun: Uint8Array = new Uint8Array();
  // The longest valid header has 4 + 4 · 8 bytes.
  for await (const chunk of isPacked(bytes) ? gunzip(bytes, where) : [bytes.subarray(0, 64)]) {
    begun = concatenate([begun, chunk], begun.length + chunk.length);
    const header = parseHeader(begun, place);
    if (header) return header.shape;
  }
  throw endsInHeader(begun.length, place);
}

interface IdxHeader {
  shape: number[];
  headerLength: number;
  /** The length of the whole file according to the header. */
  fileLength: number;
}

/** @returns the header, or undefined if the bytes end within it */
function parseHeader(bytes: Uint8Array, where: string): IdxHeader | undefined {
  const [zero, zeroToo, type, dimensions] = bytes;
  if (type === undefined || dimensions === undefined) return undefined;
  const found = Array.from(bytes.subarray(0, 4), (byte) => byte.toString(16).padStart(2, "0")).join(" ");
  if (zero !== 0 || zeroToo !== 0 || !typeNames.has(type)) {
    const what = `not an IDX file: expected it to begin with 00 00 08, found ${found}`;
    throw new DataError({ where: `${where}, byte 0`, what, fix: notIdx });
  }
  if (type !== 0x08) {
    const what = `the values are ${typeNames.get(type)}, expected uint8 (type 08, found ${found.slice(6, 8)})`;
    throw new DataError({ where: `${where}, byte 2`, what, fix: "wgrad reads IDX files of unsigned bytes only" });
  }
  if (dimensions < 1 || dimensions > mostDimensions) {
    const what = `${dimensions} dimensions, expected 1 … ${mostDimensions}`;
    throw new DataError({ where: `${where}, byte 3`, what, fix: notIdx });
  }
  const headerLength = 4 + 4 * dimensions;
  if (bytes.length < headerLength) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, headerLength);
  const shape = Array.from({ length: dimensions }, (_, index) => view.getUint32(4 + 4 * index));
  return { shape, headerLength, fileLength: headerLength + shape.reduce((product, size) => product * size, 1) };
}

/**
 * Decompresses a .gz file that contains an IDX file. The size is compared with the header while data arrives, so at
 * most one chunk too many of a malicious archive is decompressed.
 * @param bytes start with the magic number of gzip
 */
async function unpack(bytes: Uint8Array, where: string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let header: IdxHeader | undefined;
  let length = 0;
  for await (const chunk of gunzip(bytes, where)) {
    chunks.push(chunk);
    length += chunk.length;
    if (header === undefined) {
      header = parseHeader(concatenate(chunks, length), `${where}, decompressed`);
      if (header !== undefined) requireReadable(header, where);
    }
    if (header !== undefined && length > header.fileLength) {
      throw new DataError({
        where: `${where}, decompressed, byte ${header.fileLength}`,
        what: `the archive decompresses to more than the ${header.fileLength} bytes that ${describe(header.shape)} needs`,
        fix: copyAgain,
      });
    }
  }
  // RFC 1952: a member ends with the length of its data mod 2³². Not every engine refuses bytes after it.
  const stated = new DataView(bytes.buffer, bytes.byteOffset + bytes.length - 4).getUint32(0, true);
  if (stated !== length % 2 ** 32) {
    throw new DataError({
      where: `${where}, byte ${bytes.length - 4}`,
      what: `the archive should end with the length of its data, ${length}, found ${stated}: bytes follow its end`,
      fix: copyAgain,
    });
  }
  return concatenate(chunks, length);
}

/** The maximum size of decompressed data: 85 times MNIST's training images. */
const mostUnpacked = 2 ** 32 - 1;

function requireReadable({ shape, fileLength }: IdxHeader, where: string): void {
  if (fileLength <= mostUnpacked) return;
  const what = `${describe(shape)} needs ${fileLength} bytes, and at most ${mostUnpacked} are decompressed`;
  throw new DataError({ where: `${where}, decompressed, byte 4`, what, fix: "Decompress the file first, or split it" });
}

/** Compressed bytes per step. Browsers decompress everything they are given at once, up to 1032 times its length. */
const packedBytesAtATime = 2 ** 14;

async function* gunzip(bytes: Uint8Array, where: string): AsyncGenerator<Uint8Array> {
  let position = 0;
  const source = new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      pull(controller) {
        if (position >= bytes.length) controller.close();
        else controller.enqueue(new Uint8Array(bytes.subarray(position, (position += packedBytesAtATime))));
      },
    },
    { highWaterMark: 0 },
  );
  const reader = source.pipeThrough(new DecompressionStream("gzip")).getReader();
  let length = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      length += value.length;
      yield value;
    }
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const what = `the gzip archive is truncated or damaged after ${length} decompressed bytes (${reason})`;
    throw new DataError({ where, what, fix: copyAgain }, { cause });
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

function concatenate(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const joined = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    joined.set(chunk, offset);
    offset += chunk.length;
  }
  return joined;
}

function describe(shape: readonly number[]): string {
  return `the header's shape ${shape.join("×")}`;
}
