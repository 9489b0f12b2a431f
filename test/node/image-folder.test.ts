import { encode } from "fast-png";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readImageFolder } from "../../src/node/index.ts";
import { jpegFiles } from "./jpeg-files.ts";

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "wgrad-images-"))));
afterEach(() => rmSync(folder, { recursive: true }));

function write(name: string, bytes: Uint8Array | string): void {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes);
}

/** A PNG of one color. */
const png = (width: number, height: number, ...color: number[]) =>
  encode({
    width,
    height,
    channels: color.length,
    data: Uint8Array.from({ length: width * height * color.length }, (_, at) => color[at % color.length]!),
  });

describe("a folder of images", () => {
  test("has a class per folder, in the order of their names, with files also in nested folders", async () => {
    write("dog/b.png", png(2, 1, 20));
    write("dog/a.png", png(2, 1, 10));
    write("cat/nested/z.png", png(2, 1, 30));
    write("cat/.hidden", "");
    write("cat/Thumbs.db", "");
    write("README.txt", "about");
    const { features, shape, labels, classes, count, name } = await readImageFolder(folder);
    expect([...features]).toEqual([30, 30, 10, 10, 20, 20]);
    expect({ shape, count, name, classes, labels: [...labels] }).toEqual({
      shape: [1, 2, 1],
      count: 3,
      name: folder,
      classes: ["cat", "dog"],
      labels: [0, 1, 1],
    });
  });

  test("is in color if a pixel of any image has a color", async () => {
    write("a/1.png", png(1, 1, 7));
    write("a/2.png", png(1, 1, 8, 8, 8));
    write("b/3.png", png(1, 1, 9));
    expect((await readImageFolder(folder)).shape).toEqual([1, 1, 1]);
    write("b/4.png", png(1, 1, 1, 2, 3));
    write("b/5.png", png(1, 1, 5));
    const { features, shape } = await readImageFolder(folder);
    expect(shape).toEqual([1, 1, 3]);
    expect([...features]).toEqual([7, 7, 7, 8, 8, 8, 9, 9, 9, 1, 2, 3, 5, 5, 5]);
    const gray = await readImageFolder(folder, { color: "gray" });
    expect([...gray.features]).toEqual([7, 8, 9, 2, 5]);
    expect((await readImageFolder(folder, { color: "rgb" })).shape).toEqual([1, 1, 3]);
  });

  test("is resized if a size is given, otherwise all sizes must be equal", async () => {
    write("a/1.jpg", jpegFiles.color);
    write("b/2.jpg", jpegFiles.turned);
    await expect(readImageFolder(folder)).rejects.toThrow(
      /b\/2\.jpg is 4×6 \(width × height\), but a\/1\.jpg is 6×4\. Resize all images to one size with size/,
    );
    const { shape, features } = await readImageFolder(folder, { size: { width: 2, height: 2 }, color: "rgb" });
    expect(shape).toEqual([2, 2, 3]);
    // Red is on the left of the first image, and on top of the second.
    const isRed = [0, 3, 6, 9, 12, 15, 18, 21].map((at) => features[at]! > 200);
    expect(isRed).toEqual([true, false, true, false, true, true, false, false]);
  });

  test("may be read with the classes of a model", async () => {
    write("b/1.png", png(1, 1, 5));
    const { labels, classes } = await readImageFolder(folder, { classes: ["c", "b", "a"] });
    expect({ labels: [...labels], classes }).toEqual({ labels: [1], classes: ["c", "b", "a"] });
    await expect(readImageFolder(folder, { classes: ["x", "y"] })).rejects.toThrow(
      /the folder b is none of the classes x, y/,
    );
  });

  test("follows links", async () => {
    write("real/1.png", png(1, 1, 5));
    write("b/1.png", png(1, 1, 6));
    symlinkSync(join(folder, "real"), join(folder, "a"));
    expect((await readImageFolder(folder)).classes).toEqual(["a", "b", "real"]);
  });
});

describe("a folder is refused", () => {
  test("if files in it are not readable images, which are listed", async () => {
    write("a/1.png", png(1, 1, 5));
    write("a/2.webp", "RIFF....WEBPVP8 ");
    write("b/3.png", png(1, 1, 5).subarray(0, 40));
    write("b/notes.txt", "hello");
    await expect(readImageFolder(folder)).rejects.toThrow(
      /3 of 4 files are not readable images: a\/2\.webp \(this is a WebP image.*\); b\/3\.png \(.*truncated at byte 40\); b\/notes\.txt \(/,
    );
    for (let file = 0; file < 20; file++) write(`b/${file}.gif`, "GIF89a");
    await expect(readImageFolder(folder)).rejects.toThrow(/23 of 24 .*; and 13 more\./);
  });

  test("without classes, with images outside them, or with an empty class", async () => {
    await expect(readImageFolder(join(folder, "none"))).rejects.toThrow(/the folder cannot be read: no such file/);
    await expect(readImageFolder(folder)).rejects.toThrow(/there is no folder in it, but each class needs one/);
    write("a/1.png", png(1, 1, 5));
    await expect(readImageFolder(folder)).rejects.toThrow(/there is only the folder a in it/);
    mkdirSync(join(folder, "b"));
    await expect(readImageFolder(folder)).rejects.toThrow(/the folder b contains no images/);
    write("c.JPG", jpegFiles.gray);
    await expect(readImageFolder(folder)).rejects.toThrow(/c\.JPG is an image outside the folders of the classes/);
  });

  test("if its pixels take too much memory", async () => {
    write("a/1.png", png(1, 1, 5));
    write("b/1.png", png(1, 1, 5));
    await expect(readImageFolder(folder, { size: { width: 40_000, height: 40_000 } })).rejects.toThrow(
      /2 images of 40000×40000 take 3200000000 bytes, more than 2147483648/,
    );
  });
});
