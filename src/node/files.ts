import { randomBytes } from "node:crypto";
import { mkdir, open, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { DataError } from "../errors.ts";

const reasons: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EEXIST: "a file is in the way",
  EISDIR: "it is a folder, not a file",
  ENOENT: "no such file or folder",
  ENOSPC: "the disk is full",
  ENOTDIR: "a part of the path is a file, not a folder",
  EPERM: "permission denied",
  ERR_FS_EISDIR: "it is a folder, not a file",
  EROFS: "the file system is read-only",
};

/** Why the operating system refused, in plain words where wgrad has them, with its code. */
export function plainReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = "code" in error ? String(error.code) : "";
  const reason = reasons[code];
  return reason === undefined ? error.message || code || error.name : `${reason} (${code})`;
}

/**
 * Reads a whole file.
 * @throws DataError with the path and the reason, for a file that is missing, a folder or not readable.
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
 * Makes a folder and those above it; one that exists is left as it is.
 * @throws DataError with the path and the reason.
 */
export async function makeFolderOrRefuse(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
  } catch (cause) {
    const what = `the folder cannot be made: ${plainReason(cause)}`;
    throw new DataError({ where: path, what, fix: "Choose a folder that you may write to" }, { cause });
  }
}

/**
 * Writes a file so that its name never shows a part of it, not even after a crash: to a temporary name in the same
 * folder, synced, then renamed over what was there. The folder must exist. Where the write fails, the temporary file
 * is removed and an older file of this name stays as it was. A device or a pipe is written to, and not replaced.
 * @throws DataError with the path and the reason.
 */
export async function writeFileAtomically(path: string, bytes: Uint8Array): Promise<void> {
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
    throw new DataError({ where: path, what, fix: "Choose a path that you may write to, with enough room" }, { cause });
  }
  await syncFolder(dirname(path));
}

async function isDeviceOrPipe(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found !== undefined && !found.isFile() && !found.isDirectory();
}

/** Makes a rename in the folder last through a crash. Windows does not open folders; there the rename must do. */
async function syncFolder(path: string): Promise<void> {
  try {
    const folder = await open(path, "r");
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  } catch {
    // The file is whole and in place; only how soon its name reaches the disk is left to the system.
  }
}
