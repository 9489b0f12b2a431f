import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { DataError } from "../../src/errors.ts";
import { makeFolderOrRefuse, readFileOrRefuse, writeFileAtomically } from "../../src/node/files.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "wgrad-files-"));
});
afterEach(() => rm(folder, { recursive: true }));

async function refusal(action: Promise<unknown>): Promise<DataError> {
  const error: unknown = await action.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(DataError);
  return error as DataError;
}

describe("writing", () => {
  test("creates the file, replaces an older and longer one, and leaves nothing else", async () => {
    const path = join(folder, "file");
    await writeFileAtomically(path, Uint8Array.from([1, 2, 3, 4, 5]));
    await writeFileAtomically(path, Uint8Array.from([6, 7]));
    expect([...(await readFile(path))]).toEqual([6, 7]);
    expect(await readdir(folder)).toEqual(["file"]);
  });

  test("that fails at the rename removes the temporary file and keeps the old one", async () => {
    const path = join(folder, "taken");
    await mkdir(path);
    await writeFile(join(path, "kept"), "kept");
    const error = await refusal(writeFileAtomically(path, Uint8Array.from([1])));
    expect(error.where).toBe(path);
    expect(error.what).toContain("it is a folder");
    expect(await readdir(folder)).toEqual(["taken"]);
    expect(await readdir(path)).toEqual(["kept"]);
  });

  test("to a pipe writes into it and keeps it", async () => {
    const path = join(folder, "pipe");
    execFileSync("mkfifo", [path]);
    const reader = readFile(path);
    await writeFileAtomically(path, Uint8Array.from([1, 2, 3]));
    expect([...(await reader)]).toEqual([1, 2, 3]);
    expect((await stat(path)).isFIFO()).toBe(true);
    expect(await readdir(folder)).toEqual(["pipe"]);
  });

  test("to a missing folder, or below a file, is refused", async () => {
    const missing = join(folder, "missing", "file");
    expect(await refusal(writeFileAtomically(missing, Uint8Array.from([1])))).toMatchObject({ where: missing });
    await writeFile(join(folder, "file"), "");
    const below = join(folder, "file", "below");
    expect((await refusal(writeFileAtomically(below, Uint8Array.from([1])))).what).toContain("is a file, not a folder");
  });
});

describe("reading", () => {
  test("returns the bytes", async () => {
    await writeFile(join(folder, "file"), Uint8Array.from([0, 255, 10]));
    expect([...(await readFileOrRefuse(join(folder, "file")))]).toEqual([0, 255, 10]);
  });

  test("a missing file or a folder is refused with the reason", async () => {
    const error = await refusal(readFileOrRefuse(join(folder, "missing")));
    expect(error.where).toBe(join(folder, "missing"));
    expect(error.what).toContain("no such file or folder");
    expect((await refusal(readFileOrRefuse(folder))).what).toContain("it is a folder");
  });
});

test("a folder is created with its parents, and refused if a file is in the way", async () => {
  await makeFolderOrRefuse(join(folder, "one", "two"));
  await makeFolderOrRefuse(join(folder, "one", "two"));
  expect(await readdir(join(folder, "one"))).toEqual(["two"]);
  await writeFile(join(folder, "file"), "");
  expect((await refusal(makeFolderOrRefuse(join(folder, "file", "below")))).where).toBe(join(folder, "file", "below"));
});
