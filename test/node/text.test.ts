import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DataError } from "../../src/errors.ts";
import { readDocuments, readText } from "../../src/node/index.ts";

let folder: string;
const path = (name: string) => join(folder, name);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "wgrad-text-"));
  for (const name of ["inner", "inner/deep", ".hidden", "none"]) mkdirSync(path(name));
  writeFileSync(path("b.txt"), "\ufeffone\r\n\r\ntwo é\nthree");
  writeFileSync(path("inner/a.txt"), "first");
  writeFileSync(path("inner/deep/c.txt"), "second\n");
  writeFileSync(path("inner/notes.md"), "not text");
  writeFileSync(path(".hidden/x.txt"), "hidden");
  writeFileSync(path("inner/.y.txt"), "hidden");
  writeFileSync(path("empty.text"), "");
  writeFileSync(path("latin.text"), Uint8Array.of(0x61, 0x62, 0xe9, 0x20));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("text files", () => {
  test("are read without a byte order mark", async () => {
    expect(await readText(path("b.txt"))).toBe("one\r\n\r\ntwo é\nthree");
  });

  test("are documents, one for each file in the order of their paths", async () => {
    expect(await readDocuments(path("inner"))).toEqual(["first", "second\n"]);
    expect(await readDocuments(folder)).toEqual(["one\r\n\r\ntwo é\nthree", "first", "second\n"]);
    expect(await readDocuments([path("inner/deep/c.txt"), path("inner")])).toEqual(["second\n", "first", "second\n"]);
  });

  test("have documents in their lines", async () => {
    expect(await readDocuments(path("b.txt"), { lines: true })).toEqual(["one", "two é", "three"]);
  });

  test("that are empty, missing or not UTF-8 are refused by name", async () => {
    await expect(readText(path("empty.text"))).rejects.toThrow(`${path("empty.text")}: the file is empty`);
    await expect(readText(path("latin.text"))).rejects.toThrow(
      `${path("latin.text")}: the byte 0xe9 at offset 2 is not valid UTF-8`,
    );
    await expect(readText(path("missing.txt"))).rejects.toThrow("no such file or folder (ENOENT)");
    await expect(readDocuments(path("missing"))).rejects.toThrow(DataError);
    await expect(readDocuments(path("none"))).rejects.toThrow("has no files whose names end in .txt");
  });
});
