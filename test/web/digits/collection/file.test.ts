import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { unzipSync, zipSync, type Zippable } from "fflate";
import { describe, expect, test } from "vitest";
import { readIdxImages } from "../../../../src/cli/data/image-source.ts";
import { archiveOf, IMAGES, LABELS, readArchive } from "../../../../src/web/digits/collection/file.ts";
import type { LabeledDrawing } from "../../../../src/web/digits/collection/store.ts";
import { writeIdx } from "../../../data/idx-files.ts";

const pixelsOf = (seed: number) => Uint8Array.from({ length: 784 }, (_, pixel) => (1 + pixel * seed) % 256);

const drawings: LabeledDrawing[] = Array.from({ length: 1000 }, (_, index) => ({
  label: (index * 7) % 10,
  pixels: pixelsOf(index + 1),
}));
const allPixels = (of: readonly LabeledDrawing[]) => Buffer.concat(of.map(({ pixels }) => pixels));

const archive = await archiveOf(drawings);

const read = (bytes: Uint8Array) => readArchive(bytes, "ours.zip");

const ink = (count: number) => new Uint8Array(784 * count).fill(9);

/** An archive with other files. */
const other = (files: Zippable) => read(zipSync(files));

const images = writeIdx([2, 28, 28], ink(2));
const labels = writeIdx([2], [3, 4]);

describe("a file of drawings", () => {
  test("has a thousand drawings again after reading it", async () => {
    const found = await read(archive);
    expect(found.map(({ label }) => label)).toEqual(drawings.map(({ label }) => label));
    expect(allPixels(found).equals(allPixels(drawings))).toBe(true);
  });

  test("holds IDX files that the command line reads", async () => {
    const files = unzipSync(archive);
    expect(Object.keys(files)).toEqual([IMAGES, LABELS]);
    expect([...gunzipSync(files[IMAGES]!).subarray(0, 16)]).toEqual([
      0, 0, 8, 3, 0, 0, 3, 232, 0, 0, 0, 28, 0, 0, 0, 28,
    ]);
    const folder = mkdtempSync(join(tmpdir(), "wgrad-drawings-"));
    for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder, name), bytes);
    const data = await readIdxImages(join(folder, IMAGES), join(folder, LABELS));
    rmSync(folder, { recursive: true });
    expect([...data.labels]).toEqual(drawings.map(({ label }) => label));
    expect(data.features.subarray(784 * 999)).toEqual(drawings[999]!.pixels);
  });

  test("may have been packed again, in a folder and without gzip", async () => {
    const names = [IMAGES, LABELS].map((name) => `ours/${name.replace(".gz", "")}`) as [string, string];
    const found = await other({ [names[0]]: images, [names[1]]: labels, "__MACOSX/._ours": Uint8Array.of(1) });
    expect(found.map(({ label }) => label)).toEqual([3, 4]);
  });

  test.each<[string, () => Promise<unknown>, RegExp]>([
    ["a text", () => read(Buffer.from("Dear network")), /^ours\.zip: the file is no zip archive, or it is damaged/],
    ["nothing", () => read(new Uint8Array()), /no zip archive/],
    ["half of an archive", () => read(archive.subarray(0, archive.length / 2)), /no zip archive, or it is damaged/],
    ["no labels", () => other({ [IMAGES]: images }), /the archive has no file drawings-labels-idx1-ubyte\.gz/],
    ["no images", () => other({ [LABELS]: labels }), /the archive has no file drawings-images-idx3-ubyte\.gz/],
    [
      "other sizes",
      () => other({ [IMAGES]: writeIdx([2, 3, 2], ink(1).subarray(0, 12)), [LABELS]: labels }),
      /ours\.zip, drawings-images-idx3-ubyte: the images are 3×2 pixels, and not 28×28/,
    ],
    [
      "other counts",
      () => other({ [IMAGES]: images, [LABELS]: writeIdx([3], [1, 2, 3]) }),
      /ours\.zip, drawings-labels-idx1-ubyte, .*: 3 labels, but .* has 2 images/,
    ],
    [
      "a wrong label",
      () => other({ [IMAGES]: images, [LABELS]: writeIdx([2], [3, 10]) }),
      /label 10 of example 1 is outside/,
    ],
    ["swapped files", () => other({ [IMAGES]: labels, [LABELS]: images }), /expected 3: images, rows, columns/],
    [
      "an empty image",
      () => other({ [IMAGES]: writeIdx([2, 28, 28], [...ink(1), ...new Uint8Array(784)]), [LABELS]: labels }),
      /image 2 of 2, a 4, has no ink/,
    ],
    [
      "too many",
      () => other({ [IMAGES]: writeIdx([5001, 28, 28], []), [LABELS]: labels }),
      /there are 5,001 drawings, and this page keeps at most 5,000/,
    ],
    ["images that are cut", () => other({ [IMAGES]: images.subarray(0, 999), [LABELS]: labels }), /ends too early/],
  ])("is refused with the reason: %s", async (_, reading, message) => {
    await expect(reading()).rejects.toThrow(message);
  });

  test("is refused wherever a byte of its contents is damaged", async () => {
    const files = unzipSync(archive);
    // After the names and sizes of the first file, and gzip's header, which has a time that no program checks.
    const start = 30 + IMAGES.length + 10;
    const { length } = files[IMAGES]!;
    for (let part = 0; part < 20; part++) {
      const damaged = archive.slice();
      damaged[start + Math.floor((part * (length - 10)) / 20)]! ^= 0x55;
      await expect(read(damaged)).rejects.toThrow(/ours\.zip, drawings-images/);
    }
  });
});
