import { encode } from "fast-png";
import { describe, expect, test } from "vitest";
import { decodeImage } from "../../src/node/image.ts";
import { jpegFiles } from "./jpeg-files.ts";

/** The rows of the file `color`, as Pillow reads it. */
const ROW = [248, 11, 21, 250, 10, 21, 250, 10, 21, 11, 40, 240, 10, 39, 241, 11, 40, 238];

describe("a JPEG", () => {
  test("has the pixels of libjpeg, baseline and progressive", async () => {
    const expected = { width: 6, height: 4, channels: 3, pixels: Uint8Array.from([...ROW, ...ROW, ...ROW, ...ROW]) };
    expect(await decodeImage(jpegFiles.color)).toEqual(expected);
    expect(await decodeImage(jpegFiles.progressive)).toEqual(expected);
    const { pixels } = await decodeImage(jpegFiles.subsampled);
    expect([...pixels.subarray(0, 18)]).toEqual([
      251, 11, 20, 222, 17, 50, 172, 34, 119, 87, 17, 149, 36, 32, 213, 9, 40, 244,
    ]);
  });

  test("may be gray", async () => {
    expect(await decodeImage(jpegFiles.gray)).toEqual({
      width: 5,
      height: 3,
      channels: 1,
      pixels: Uint8Array.of(0, 40, 80, 120, 160, 20, 60, 99, 140, 180, 40, 81, 120, 161, 201),
    });
  });

  test("is turned upright as its EXIF orientation says", async () => {
    const { width, height, pixels } = await decodeImage(jpegFiles.turned);
    expect([width, height]).toEqual([4, 6]);
    expect([...pixels.subarray(0, 12)]).toEqual([248, 11, 21, 248, 11, 21, 248, 11, 21, 248, 11, 21]);
    expect([...pixels.subarray(60)]).toEqual([11, 40, 238, 11, 40, 238, 11, 40, 238, 11, 40, 238]);
  });

  test("that is damaged, truncated, oversized or in CMYK is refused, and the next one is read", async () => {
    const refuses = (bytes: Uint8Array, message: RegExp | string) =>
      expect(decodeImage(bytes, { where: "x.jpg" })).rejects.toThrow(message);
    const { color, cmyk } = jpegFiles;
    await refuses(color.subarray(0, 60), "x.jpg: this is not a readable JPEG: it is truncated at byte 60");
    await refuses(color.subarray(0, -30), /^x\.jpg: this is not a readable JPEG: Premature end of JPEG file/);
    await refuses(cmyk, /its colors are those of a printer \(CMYK\)/);
    const frame = color.indexOf(Buffer.of(0xff, 0xc0));
    const large = Buffer.from(color);
    large.fill(0xff, frame + 5, frame + 9);
    await refuses(large, "its size of 65535 × 65535 is more than 67108864 pixels");
    const noTable = Buffer.from(color);
    noTable[frame + 12] = 3;
    await refuses(noTable, /^x\.jpg: this is not a readable JPEG: Quantization table 0x03 was not defined/);
    expect((await decodeImage(color)).width).toBe(6);
  });
});

test("a PNG is decoded with a background behind transparent pixels", async () => {
  const png = encode({ width: 1, height: 1, channels: 4, data: Uint8Array.of(10, 20, 30, 0) });
  expect([...(await decodeImage(png)).pixels]).toEqual([0, 0, 0]);
  expect([...(await decodeImage(png, { background: 255 })).pixels]).toEqual([255, 255, 255]);
});

test("other files are refused by the name of their format", async () => {
  const refuses = (text: string, message: RegExp) =>
    expect(decodeImage(Buffer.from(text, "latin1"), { where: "a" })).rejects.toThrow(message);
  await refuses("RIFF....WEBPVP8 ", /^a: this is a WebP image, not a PNG or JPEG\. Convert it/);
  await refuses("GIF89a", /this is a GIF image/);
  await refuses("....ftypheic", /this is a HEIC or AVIF image/);
  await refuses("hello", /this is neither a PNG nor a JPEG/);
  await refuses("", /the file is empty/);
});
