import { createReadStream } from "node:fs";
import { DataError } from "../errors.ts";
import type { CsvOptions, CsvRow } from "./csv.ts";
import { textOf } from "./csv-bytes.ts";
import { plainReason } from "./files.ts";

/** The path that stands for standard input. */
export const STANDARD_INPUT = "-";

/** The name of a path in messages. */
export const inputName = (path: string): string => (path === STANDARD_INPUT ? "standard input" : path);

/**
 * Reads the rows of a CSV file, a megabyte at a time. The file is UTF-8, or UTF-16 with a byte order mark, plain or gzipped.
 * @param path "-" for standard input
 * @throws DataError with the path for a file that cannot be read or has another encoding, and as `parseCsv` does
 */
export function readCsvFile(path: string, options: Omit<CsvOptions, "where">): AsyncGenerator<readonly CsvRow[]> {
  return csvRowsOf(openInput(path), { ...options, where: inputName(path) });
}

/** Reads the rows of a CSV file from its bytes, as `readCsvFile` does; yields the rows that each chunk completes. */
export async function* csvRowsOf(
  chunks: AsyncIterable<Uint8Array>,
  options: CsvOptions,
): AsyncGenerator<readonly CsvRow[]> {
  const { where } = options;
  // Imported here, since the parser's package takes 15 ms to load.
  const { parseCsv } = await import("./csv.ts");
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

/** Converts an error of the operating system to a DataError with the path; returns other errors unchanged. */
export function cannotBeRead(where: string, cause: unknown): unknown {
  if (!(cause instanceof Error && "syscall" in cause)) return cause;
  return new DataError(
    { where, what: `cannot be read: ${plainReason(cause)}`, fix: "Check the path and its permissions" },
    { cause },
  );
}

/** The bytes of a file, or of standard input, in chunks. The file is opened when they are read. */
export function openInput(path: string): AsyncIterable<Uint8Array> {
  return path === STANDARD_INPUT ? process.stdin : chunksOf(path);
}

async function* chunksOf(path: string): AsyncGenerator<Uint8Array> {
  yield* createReadStream(path, { highWaterMark: 1 << 20 });
}
