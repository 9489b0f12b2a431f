import { createReadStream } from "node:fs";
import { DataError, WgradError } from "../errors.ts";
import { parseCsv, type CsvOptions, type TakeRow } from "./csv.ts";
import { plainReason } from "./files.ts";

/** The path that stands for standard input. */
export const STANDARD_INPUT = "-";

/** How a path is named in messages. */
export const inputName = (path: string): string => (path === STANDARD_INPUT ? "standard input" : path);

/**
 * Reads the rows of a CSV file in UTF-8, a megabyte at a time.
 * @param path "-" for standard input
 * @throws DataError with the path, for a file that cannot be read or is not UTF-8; and as `parseCsv` does
 */
export async function readCsvFile(path: string, options: Omit<CsvOptions, "where">, takeRow: TakeRow): Promise<void> {
  const where = inputName(path);
  let lastLine = 0;
  try {
    await parseCsv(decoded(openInput(path)), { ...options, where }, (cells, line) => {
      lastLine = line;
      takeRow(cells, line);
    });
  } catch (cause) {
    if (cause instanceof WgradError) throw cause;
    if (cause instanceof TypeError && "code" in cause && cause.code === "ERR_ENCODING_INVALID_ENCODED_DATA") {
      const what = `after line ${lastLine} there are bytes that are not UTF-8`;
      throw new DataError({ where, what, fix: "Save the file as UTF-8" }, { cause });
    }
    if (!(cause instanceof Error && "syscall" in cause)) throw cause;
    const fix = "Check the path and its permissions";
    throw new DataError({ where, what: `cannot be read: ${plainReason(cause)}`, fix }, { cause });
  }
}

/** A file's bytes, or those of standard input, as they come. */
export function openInput(path: string): AsyncIterable<Uint8Array> {
  return path === STANDARD_INPUT ? process.stdin : createReadStream(path, { highWaterMark: 1 << 20 });
}

async function* decoded(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  for await (const chunk of chunks) yield decoder.decode(chunk, { stream: true });
  yield decoder.decode();
}
