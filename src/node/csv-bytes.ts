/*
 * Decodes the bytes of a CSV file: UTF-8, or UTF-16 with a byte order mark, optionally compressed with gzip.
 */
import { pipeline, Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { DataError } from "../errors.ts";

/** The first bytes of files that are not CSV, with messages. */
const otherFiles: readonly { readonly magic: readonly number[]; readonly what: string; readonly fix: string }[] = [
  {
    magic: [0x50, 0x4b, 0x03, 0x04],
    what: "this is an Excel workbook (.xlsx), an OpenDocument table or another zip archive, not CSV",
    fix: 'Save the sheet as "CSV UTF-8" in Excel, or as CSV in LibreOffice; unpack other archives first',
  },
  {
    magic: [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1],
    what: "this is an old Excel workbook (.xls), not CSV",
    fix: 'Save the sheet as "CSV UTF-8" in Excel, or as CSV in LibreOffice',
  },
];

const NEWLINE = 10;

const gzipMagic = [0x1f, 0x8b];

/** How many bytes are needed to recognize a file. */
const LONGEST_MAGIC = 8;

const begins = (bytes: Uint8Array, magic: readonly number[]) => magic.every((byte, index) => bytes[index] === byte);

/**
 * Decodes the text of a CSV file.
 * @param where the file's name, for messages
 * @param lastLine returns the number of the last line read so far, for messages
 * @throws DataError for a file of another kind, a damaged archive, or bytes that are invalid in the file's encoding
 */
export async function* textOf(
  chunks: AsyncIterable<Uint8Array>,
  where: string,
  lastLine: () => number,
): AsyncGenerator<string> {
  const packed = await withFirstBytes(chunks);
  const isPacked = begins(packed.first, gzipMagic);
  const { first, all } = isPacked ? await withFirstBytes(unpacked(packed.all, where)) : packed;
  const other = otherFiles.find(({ magic }) => begins(first, magic));
  if (other) throw new DataError({ where, what: other.what, fix: other.fix });
  const encoding = begins(first, [0xff, 0xfe]) ? "utf-16le" : begins(first, [0xfe, 0xff]) ? "utf-16be" : "utf-8";
  const decoder = new TextDecoder(encoding, { fatal: true });
  const decode = (chunk?: Uint8Array) => {
    try {
      return chunk ? decoder.decode(chunk, { stream: true }) : decoder.decode();
    } catch (cause) {
      throw notText(where, encoding, lastLine(), chunk, cause);
    }
  };
  for await (const chunk of all) yield decode(chunk);
  yield decode();
}

/** The first bytes of a stream in one array, and the whole stream. */
async function withFirstBytes(
  chunks: AsyncIterable<Uint8Array>,
): Promise<{ first: Uint8Array; all: AsyncIterable<Uint8Array> }> {
  const rest = chunks[Symbol.asyncIterator]();
  let first: Uint8Array = new Uint8Array();
  while (first.length < LONGEST_MAGIC) {
    const { done, value } = await rest.next();
    if (done) break;
    first = first.length === 0 ? value : Buffer.concat([first, value]);
  }
  return { first, all: again(first, rest) };
}

/** Puts the first chunk back in front of a stream. */
export async function* again(first: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield first;
  yield* { [Symbol.asyncIterator]: () => rest };
}

/**
 * Gzip compresses a table to about a tenth. An archive may unpack to `ALWAYS_UNPACKED` bytes in any case, and otherwise to
 * at most this many times its size.
 */
const MOST_UNPACKED = 200;
const ALWAYS_UNPACKED = 2 ** 26;

async function* unpacked(chunks: AsyncIterable<Uint8Array>, where: string): AsyncGenerator<Uint8Array> {
  const damaged = (what: string, cause?: unknown) =>
    new DataError({ where, what, fix: "Copy the file again, or unpack it first" }, { cause });
  const gunzip = createGunzip();
  // The callback is not needed: a failure destroys the stream that is read below.
  pipeline(Readable.from(chunks), gunzip, () => undefined);
  let length = 0;
  try {
    for await (const chunk of gunzip as AsyncIterable<Uint8Array>) {
      length += chunk.length;
      if (length > Math.max(ALWAYS_UNPACKED, MOST_UNPACKED * gunzip.bytesWritten)) {
        throw damaged(`the archive unpacks to more than ${MOST_UNPACKED} times its size, unlike any table`);
      }
      yield chunk;
    }
  } catch (cause) {
    if (!(cause instanceof Error && "code" in cause && String(cause.code).startsWith("Z_"))) throw cause;
    throw damaged(`the gzip archive is truncated or damaged after ${length} unpacked bytes (${cause.message})`, cause);
  }
}

function notText(
  where: string,
  encoding: string,
  line: number,
  chunk: Uint8Array | undefined,
  cause: unknown,
): unknown {
  if (!(cause instanceof TypeError && "code" in cause && cause.code === "ERR_ENCODING_INVALID_ENCODED_DATA"))
    return cause;
  if (encoding !== "utf-8") {
    const what = `after line ${line} there are bytes that are not UTF-16, although the file begins as UTF-16`;
    return new DataError({ where, what, fix: "Save the file as UTF-8" }, { cause });
  }
  const latin = chunk && latinWord(chunk);
  const place = latin ? `line ${line + latin.newlines + 1} has` : `after line ${line} there are`;
  const example = latin ? `; as Latin-1 (Windows-1252) they would read ${JSON.stringify(latin.word)}` : "";
  return new DataError(
    {
      where,
      what: `${place} bytes that are not UTF-8${example}`,
      fix: 'Save the file as UTF-8 ("CSV UTF-8" in Excel), or convert it: iconv -f WINDOWS-1252 -t UTF-8 OLD.csv > NEW.csv',
    },
    { cause },
  );
}

/** The word around the first byte that is invalid in UTF-8, read as Windows-1252, and the number of newlines before it. */
function latinWord(bytes: Uint8Array): { word: string; newlines: number } | undefined {
  const isLetter = (byte: number | undefined) =>
    byte !== undefined && (byte >= 0xc0 || ((byte | 32) >= 97 && (byte | 32) <= 122));
  const at = bytes.findIndex((byte, index) => byte >= 0xc0 && !(bytes[index + 1]! >= 0x80 && bytes[index + 1]! < 0xc0));
  if (at < 0) return undefined;
  let [from, to] = [at, at + 1];
  while (at - from < 12 && isLetter(bytes[from - 1])) from--;
  while (to - at < 12 && isLetter(bytes[to])) to++;
  const newlines = bytes.subarray(0, at).reduce((sum, byte) => sum + (byte === NEWLINE ? 1 : 0), 0);
  return { word: new TextDecoder("windows-1252").decode(bytes.subarray(from, to)), newlines };
}
