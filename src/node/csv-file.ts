import { createReadStream } from "node:fs";
import { DataError } from "../errors.ts";
import { parseCsv, type CsvOptions, type CsvRow } from "./csv.ts";
import { textOf } from "./csv-bytes.ts";
import { plainReason } from "./files.ts";

/** The path that stands for standard input. */
export const STANDARD_INPUT = "-";

/** How a path is named in messages. */
export const inputName = (path: string): string => (path === STANDARD_INPUT ? "standard input" : path);

/**
 * The rows of a CSV file in UTF-8, or in UTF-16 with a byte order mark, plain or as .gz, a megabyte at a time.
 * @param path "-" for standard input
 * @throws DataError with the path, for a file that cannot be read or is no such text; and as `parseCsv` does
 */
export function readCsvFile(path: string, options: Omit<CsvOptions, "where">): AsyncGenerator<readonly CsvRow[]> {
  return csvRowsOf(openInput(path), { ...options, where: inputName(path) });
}

/** The rows of a CSV file's bytes, as `readCsvFile` does, with those that each chunk completes. */
export async function* csvRowsOf(
  chunks: AsyncIterable<Uint8Array>,
  options: CsvOptions,
): AsyncGenerator<readonly CsvRow[]> {
  const { where } = options;
  let lastLine = 0;
  try {
    for await (const rows of parseCsv(
      textOf(chunks, where, () => lastLine),
      options,
    )) {
      lastLine = rows.at(-1)?.line ?? lastLine;
      yield rows;
    }
  } catch (cause) {
    throw cannotBeRead(where, cause);
  }
}

/** A failure of the operating system as a DataError with the path; any other as it is. */
export function cannotBeRead(where: string, cause: unknown): unknown {
  if (!(cause instanceof Error && "syscall" in cause)) return cause;
  return new DataError(
    { where, what: `cannot be read: ${plainReason(cause)}`, fix: "Check the path and its permissions" },
    { cause },
  );
}

/** A file's bytes, or those of standard input, as they come. */
export function openInput(path: string): AsyncIterable<Uint8Array> {
  return path === STANDARD_INPUT ? process.stdin : createReadStream(path, { highWaterMark: 1 << 20 });
}
