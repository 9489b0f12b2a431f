import { mkdir, open, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { DataError } from "../errors.ts";

const reasons: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EEXIST: "a file already has this name",
  EISDIR: "it is a folder, not a file",
  ENOENT: "no such file or folder",
  ENOSPC: "the disk is full",
  ENOTDIR: "a part of the path is a file, not a folder",
  EPERM: "permission denied",
  ERR_FS_EISDIR: "it is a folder, not a file",
  EROFS: "the file system is read-only",
};

/** The reason of an operating system error in plain words, with its code; the error's own message for unknown codes. */
export function plainReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = "code" in error ? String(error.code) : "";
  const reason = reasons[code];
  return reason === undefined ? error.message || code || error.name : `${reason} (${code})`;
}

/**
 * Reads a whole file.
 * @throws DataError with the path and the reason for a file that is missing, a folder, or not readable
 */
export async function readFileOrRefuse(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    const what = `cannot be read: ${plainReason(cause)}`;
    throw new DataError({ where: path, what, fix: "Check the path and its permissions" }, { cause });
  }
}

/**
 * Creates a folder and its parents, unless they exist.
 * @throws DataError with the path and the reason
 */
export async function makeFolderOrRefuse(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
  } catch (cause) {
    const what = `the folder cannot be created: ${plainReason(cause)}`;
    throw new DataError({ where: path, what, fix: "Choose another folder" }, { cause });
  }
}

/**
 * Writes a file atomically: it is either complete or absent under its name, even after a crash. The contents go to a
 * temporary file in the same folder, which is synced and then renamed. The folder must exist. If the write fails, the
 * temporary file is removed and an existing file of this name is unchanged. Devices and pipes are written to directly.
 * @throws DataError with the path and the reason
 */
export async function writeFileAtomically(path: string, bytes: Uint8Array): Promise<void> {
  // Imported here, as wherever it is needed in src/node: it would take 2 to 3 ms of every start.
  const { randomBytes } = await import("node:crypto");
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString("hex")}.tmp`);
  try {
    if (await isDeviceOrPipe(path)) return await writeFile(path, bytes);
    const file = await open(temporary, "wx");
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => undefined);
    const what = `cannot be written: ${plainReason(cause)}`;
    throw new DataError({ where: path, what, fix: "Choose a writable path with enough free space" }, { cause });
  }
  await syncFolder(dirname(path));
}

async function isDeviceOrPipe(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found !== undefined && !found.isFile() && !found.isDirectory();
}

/** Makes a rename in the folder durable. Windows cannot open folders, so there it is left to the system. */
async function syncFolder(path: string): Promise<void> {
  try {
    const folder = await open(path, "r");
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  } catch {
    // The file is complete and in place; the system decides when its name reaches the disk.
  }
}
