/*
 * A data set on the server: a list of files with their digests. The digest of the list names the data set.
 */
import { DIGEST, messageBytes, MessageError, readMessage } from "../messages.ts";

/** A file of a data set. */
export interface DataFile {
  /** The path in the folder of the data set, with slashes. */
  readonly path: string;
  /** SHA-256 of the contents, in hexadecimal, which is the name of the object. */
  readonly digest: string;
  readonly bytes: number;
}

/** A data set: one file, or a folder of files. */
export interface DataSet {
  readonly kind: "file" | "folder";
  readonly files: readonly DataFile[];
}

const FORMAT = 1;

const MOST_FILES = 30_000;

/** The largest list of files. */
export const MOST_DATA_SET_BYTES = 2 ** 23;

/** A name without anything that a file system may treat in another way. */
const NAME = /^[^/\\:*?"<>|\p{C}]{1,200}$/u;

/** Writes a list of files. @throws MessageError if the data set has too many, or names that other systems do not allow */
export function dataSetBytes({ kind, files }: DataSet): Uint8Array {
  const bytes = messageBytes({
    format: FORMAT,
    kind,
    files: files.map((file) => [file.path, file.digest, file.bytes]),
  });
  readDataSet(bytes);
  return bytes;
}

/** Checks a list of files. @throws MessageError, also for a path that leads out of the folder */
export function readDataSet(bytes: Uint8Array): DataSet {
  const where = "data set";
  const fields = readMessage(where, bytes, { most: MOST_DATA_SET_BYTES, allowed: ["format", "kind", "files"] });
  fields.literal("format", FORMAT);
  const kind = fields.oneOf("kind", ["file", "folder"]);
  const files = fields.list("files", MOST_FILES, readFile);
  const paths = new Set(files.map(({ path }) => path.toLowerCase()));
  if (paths.size !== files.length) throw new MessageError({ where, what: "two files have the same path" });
  if (files.length === 0 || (kind === "file" && files.length > 1))
    throw new MessageError({ where, what: `a ${kind} does not have ${files.length} files` });
  return { kind, files };
}

function readFile(value: unknown, where: string): DataFile {
  const [path, digest, bytes, ...rest] = Array.isArray(value) ? (value as unknown[]) : [];
  const isPath = typeof path === "string" && path.length <= 1000 && path.split("/").every(isName);
  const isDigest = typeof digest === "string" && DIGEST.test(digest);
  const isSize = typeof bytes === "number" && Number.isSafeInteger(bytes) && bytes >= 0 && bytes < 2 ** 31;
  if (isPath && isDigest && isSize && rest.length === 0) return { path, digest, bytes };
  throw new MessageError({ where, what: "this is not a path within the folder, a digest and a size" });
}

const isName = (name: string): boolean => NAME.test(name) && name !== "." && name !== "..";
