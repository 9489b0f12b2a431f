import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { DataError } from "../../errors.ts";
import { plainReason } from "../../node/files.ts";

/**
 * Checks that a file can be written, before the work whose result it takes.
 * @param what the file's contents, such as "the model"
 * @param flag the option that names the file
 * @throws DataError with the path and the reason
 */
export async function requireWritable(path: string, what: string, flag: string): Promise<void> {
  const refuse = (reason: string) =>
    new DataError({
      where: path,
      what: `${what} cannot be written: ${reason}`,
      fix: `Choose another path for ${flag}`,
    });
  const folder = dirname(path);
  await access(folder, constants.W_OK).catch((error: unknown) => {
    throw refuse(`folder ${folder}: ${plainReason(error)}`);
  });
  if (!(await stat(folder)).isDirectory()) throw refuse(`${folder} is a file, not a folder`);
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory()) throw refuse("a folder has this name");
}
