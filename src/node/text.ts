/*
 * Reads text files for training.
 */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { decodeUtf8 } from "../data/text/utf8.ts";
import { DataError } from "../errors.ts";
import { plainReason, readFileOrRefuse } from "./files.ts";

/** The options of `readDocuments`. */
export interface ReadDocumentsOptions {
  /** Whether each line is a document, without its line break and without empty lines; false by default. */
  readonly lines?: boolean;
}

/**
 * Reads a text file in UTF-8. A byte order mark at its start is left out.
 * @throws DataError for a file that cannot be read, is empty, or is not valid UTF-8; the error has the offset of the first
 * invalid byte
 */
export async function readText(path: string): Promise<string> {
  const text = decodeUtf8(await readFileOrRefuse(path), path);
  if (text !== "") return text;
  throw new DataError({ where: path, what: "the file is empty", fix: "Give a file with text" });
}

/**
 * Reads text files as documents.
 *
 * @example
 * ```ts
 * const documents = await readDocuments("names.txt", { lines: true });
 * const tokenizer = characterTokenizer(`${documents.join("\n")}\n`);
 * const dataset = makeTextDataset({ documents, tokenizer, context: 16 });
 * ```
 *
 * @param source a file, a folder, or a list of them. Of a folder, all files whose names end in ".txt" are read, also in
 * folders in it, in the order of their paths; hidden ones are ignored
 * @returns a document for each file, or for each line
 * @throws DataError, as `readText` does, and for a folder without such files
 */
export async function readDocuments(
  source: string | readonly string[],
  { lines = false }: ReadDocumentsOptions = {},
): Promise<string[]> {
  const documents: string[] = [];
  for (const given of typeof source === "string" ? [source] : source) {
    for (const path of await textFiles(given)) {
      const text = await readText(path);
      if (!lines) documents.push(text);
      else for (const line of text.split(/\r?\n/)) if (line !== "") documents.push(line);
    }
  }
  return documents;
}

/** The file itself, or the text files in a folder. @throws DataError for a folder without such files */
export async function textFiles(path: string): Promise<string[]> {
  const isFolder = (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
  if (!isFolder) return [path];
  const names = await readdir(path, { recursive: true }).catch((cause: unknown) => {
    const what = `the folder cannot be read: ${plainReason(cause)}`;
    throw new DataError({ where: path, what, fix: "Check its permissions" }, { cause });
  });
  const found = names.filter((name) => name.endsWith(".txt") && !/(^|[\\/])\./.test(name)).sort();
  if (found.length > 0) return found.map((name) => join(path, name));
  throw new DataError({
    where: path,
    what: "the folder has no files whose names end in .txt",
    fix: "Give a folder of text files",
  });
}
