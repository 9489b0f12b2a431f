import { createReadStream } from "node:fs";
import { DataError } from "../errors.ts";
import { parseCsv, type CsvOptions, type CsvRow } from "./csv.ts";
import { plainReason } from "./files.ts";

/** The path that stands for standard input. */
export const STANDARD_INPUT = "-";

/** How a path is named in messages. */
export const inputName = (path: string): string => (path === STANDARD_INPUT ? "standard input" : path);

/**
 * The rows of a CSV file in UTF-8, a megabyte at a time.
 * @param path "-" for standard input
 * @throws DataError with the path, for a file that cannot be read or is not UTF-8; and as `parseCsv` does
 */
export function readCsvFile(path: string, options: Omit<CsvOptions, "where">): AsyncGenerator<readonly CsvRow[]> {
  return csvRowsOf(openInput(path), { ...options, where: inputName(path) });
}

/** The rows of CSV in UTF-8, as `readCsvFile` does, with those that each chunk completes. */
export async function* csvRowsOf(chunks: AsyncIterable<Uint8Array>, options: CsvOptions): AsyncGenerator<readonly CsvRow[]> {
  const { where } = options;
  let lastLine = 0;
  try {
    for await (const rows of parseCsv(decoded(chunks), options)) {
      lastLine = rows.at(-1)?.line ?? lastLine;
      yield rows;
    }
  } catch (cause) {
    if (cause instanceof TypeError && "code" in cause && cause.code === "ERR_ENCODING_INVALID_ENCODED_DATA") {
      const what = `after line ${lastLine} there are bytes that are not UTF-8`;
      throw new DataError({ where, what, fix: "Save the file as UTF-8" }, { cause });
    }
    throw cannotBeRead(where, cause);
  }
}

/** A failure of the operating system as a DataError with the path; any other as it is. */
export function cannotBeRead(where: string, cause: unknown): unknown {
  if (!(cause instanceof Error && "syscall" in cause)) return cause;
  return new DataError({ where, what: `cannot be read: ${plainReason(cause)}`, fix: "Check the path and its permissions" }, { cause });
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
