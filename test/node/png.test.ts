import { deflateSync } from "node:zlib";
import { encode } from "fast-png";
import { describe, expect, test } from "vitest";
import { isPng, pngSize, readPng, resizePicture } from "../../src/node/png.ts";

/** 5×2 pixels of one bit: 10101, 01010. */
const BITS = "iVBORw0KGgoAAAANSUhEUgAAAAUAAAACAQAAAAC4ESvwAAAADElEQVR4nGNYwRAAAAJMAPmOlwN7AAAAAElFTkSuQmCC";

/** 3×1 pixels with a palette of red, green and blue. */
const PALETTE =
  "iVBORw0KGgoAAAANSUhEUgAAAAMAAAABCAMAAAAsPuSGAAAACVBMVEX/AAAA/wAAAP8tSs2KAAAADElEQVR4nGNgYGQCAAAIAAQ24LCmAAAAAElFTkSuQmCC";

const png = (
  channels: number,
  data: number[],
  { depth = 8, width = data.length / channels }: { depth?: 8 | 16; width?: number } = {},
) =>
  encode({
    width,
    height: data.length / channels / width,
    channels,
    depth,
    data: depth === 16 ? Uint16Array.from(data) : Uint8Array.from(data),
  });

const pixelsOf = (bytes: Uint8Array, invert = false) => [...readPng(bytes, "p.png", { invert }).pixels];

describe("a PNG is read in grayscale", () => {
  test("from gray with 8 and 16 bits", () => {
    expect(readPng(png(1, [0, 7, 128, 255], { width: 2 }), "p")).toEqual({
      width: 2,
      height: 2,
      pixels: Uint8Array.of(0, 7, 128, 255),
    });
    expect(pixelsOf(png(1, [0, 257, 65535], { depth: 16 }))).toEqual([0, 1, 255]);
  });

  test("from colors by their luma", () => {
    expect(pixelsOf(png(3, [255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255]))).toEqual([76, 150, 29, 255]);
  });

  test("with transparent pixels over black, or over white if it is inverted", () => {
    const ink = png(2, [0, 255, 0, 0, 255, 255, 255, 51]);
    expect(pixelsOf(ink)).toEqual([0, 0, 255, 51]);
    expect(pixelsOf(ink, true)).toEqual([255, 0, 0, 0]);
    expect(pixelsOf(png(4, [0, 0, 0, 0, 255, 0, 0, 255]))).toEqual([0, 76]);
  });

  test("from a palette and from single bits", () => {
    const bits = Buffer.from(BITS, "base64");
    expect(readPng(bits, "bits")).toMatchObject({
      width: 5,
      height: 2,
      pixels: Uint8Array.of(255, 0, 255, 0, 255, 0, 255, 0, 255, 0),
    });
    expect(pixelsOf(Buffer.from(PALETTE, "base64"))).toEqual([76, 150, 29]);
  });

  test("unless it is another file, or damaged", () => {
    const good = png(1, [1, 2, 3, 4], { width: 2 });
    expect([isPng(good), isPng(Uint8Array.of(1, 2, 3, 4)), isPng(new Uint8Array())]).toEqual([true, false, false]);
    expect(() => readPng(Uint8Array.of(1, 2, 3), "x.png")).toThrow(/^x\.png: this is not a readable PNG/);
    expect(() => readPng(good.subarray(0, 40), "x.png")).toThrow(/^x\.png: this is not a readable PNG/);
  });
});

/** A PNG with any chunks, without checksums, which readers may ignore. */
function pngOf(
  { width, height, depth = 8, colors = 0 }: { width: number; height: number; depth?: number; colors?: number },
  ...chunks: [string, Uint8Array][]
): Uint8Array {
  const chunk = (type: string, data: Uint8Array) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(data.length);
    return Buffer.concat([length, Buffer.from(type), data, Buffer.alloc(4)]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = depth;
  header[9] = colors;
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([
    signature,
    chunk("IHDR", header),
    ...chunks.map(([type, data]) => chunk(type, data)),
    chunk("IEND", new Uint8Array()),
  ]);
}

describe("a size", () => {
  const claiming = (width: number, height: number, samples: Uint8Array) =>
    pngOf({ width, height }, ["IDAT", deflateSync(samples)]);

  test("that differs from the pixels is refused", () => {
    expect(readPng(claiming(2, 1, Uint8Array.of(0, 8, 9)), "p").pixels).toEqual(Uint8Array.of(8, 9));
    expect(() => readPng(claiming(0, 3, new Uint8Array(3)), "p")).toThrow("its size is 0 × 3");
    expect(() => readPng(claiming(60_000, 60_000, new Uint8Array(9)), "p")).toThrow(
      /its size of 60000 × 60000 is more than/,
    );
    expect(() => readPng(claiming(20, 20, new Uint8Array(9)), "p")).toThrow("it has fewer pixels than its size");
    expect(() => readPng(claiming(2, 2, new Uint8Array(1e7)), "p")).toThrow("it has more pixels than its size");
  });
});

describe("resizing", () => {
  const picture = { width: 4, height: 2, pixels: Uint8Array.of(0, 100, 200, 200, 20, 40, 0, 80) };

  test("to a smaller size takes the mean of the area that a pixel covers", () => {
    expect(resizePicture(picture, 2, 1)).toEqual({ width: 2, height: 1, pixels: Uint8Array.of(40, 120) });
    // The second of three pixels covers two thirds of the second and of the third.
    expect([...resizePicture({ width: 4, height: 1, pixels: Uint8Array.of(0, 80, 180, 240) }, 3, 1).pixels]).toEqual([
      20, 130, 225,
    ]);
  });

  test("to a larger size repeats pixels, and to the same size changes nothing", () => {
    expect([...resizePicture({ width: 2, height: 1, pixels: Uint8Array.of(10, 20) }, 4, 2).pixels]).toEqual([
      10, 10, 20, 20, 10, 10, 20, 20,
    ]);
    expect(resizePicture(picture, 4, 2)).toEqual(picture);
  });
});

describe("transparency without an alpha channel", () => {
  const bytes = (...values: number[]) => Uint8Array.from(values);

  test("of one gray, with 8, 16 and 2 bits", () => {
    const gray = pngOf({ width: 3, height: 1 }, ["tRNS", bytes(0, 200)], ["IDAT", deflateSync(bytes(0, 10, 200, 255))]);
    expect([pixelsOf(gray), pixelsOf(gray, true)]).toEqual([
      [10, 0, 255],
      [245, 0, 0],
    ]);
    const wide = pngOf(
      { width: 2, height: 1, depth: 16 },
      ["tRNS", bytes(255, 254)],
      ["IDAT", deflateSync(bytes(0, 255, 254, 255, 255))],
    );
    expect(pixelsOf(wide)).toEqual([0, 255]);
    const narrow = pngOf(
      { width: 4, height: 1, depth: 2 },
      ["tRNS", bytes(0, 3)],
      ["IDAT", deflateSync(bytes(0, 0b00_01_10_11))],
    );
    expect(pixelsOf(narrow)).toEqual([0, 85, 170, 0]);
  });

  test("of one color, also in a single pixel", () => {
    const red = (...pixels: number[]) =>
      pngOf(
        { width: pixels.length / 3, height: 1, colors: 2 },
        ["tRNS", bytes(0, 255, 0, 0, 0, 0)],
        ["IDAT", deflateSync(bytes(0, ...pixels))],
      );
    expect(pixelsOf(red(255, 0, 0, 255, 0, 1))).toEqual([0, 76]);
    expect(pixelsOf(red(255, 0, 0))).toEqual([0]);
  });

  test("of a palette; an invalid transparent color and a missing palette are refused", () => {
    const [palette, pixels]: [string, Uint8Array][] = [
      ["PLTE", bytes(255, 0, 0, 0, 255, 0)],
      ["IDAT", deflateSync(bytes(0, 0, 1))],
    ];
    expect(pixelsOf(pngOf({ width: 2, height: 1, colors: 3 }, palette!, ["tRNS", bytes(0)], pixels!))).toEqual([
      0, 150,
    ]);
    expect(() => pixelsOf(pngOf({ width: 2, height: 1, colors: 3 }, pixels!))).toThrow(
      /^p\.png: .*its palette \(PLTE\) is missing/,
    );
    expect(() => pixelsOf(pngOf({ width: 2, height: 1 }, ["tRNS", bytes(1)], pixels!))).toThrow(
      /its transparent color \(tRNS\) has 1 bytes/,
    );
  });
});

test("the size is read from the first bytes, and an oversized picture is refused before it is unpacked", () => {
  const huge = pngOf({ width: 12_000, height: 12_000, colors: 2 }, ["IDAT", deflateSync(new Uint8Array(10))]);
  expect([pngSize(huge.subarray(0, 26)), pngSize(huge.subarray(0, 25)), pngSize(bits())]).toEqual([
    { width: 12_000, height: 12_000 },
    undefined,
    { width: 5, height: 2 },
  ]);
  expect(() => readPng(huge, "p")).toThrow("its size of 12000 × 12000 is more than 134217728 bytes of pixels");
});

const bits = () => Buffer.from(BITS, "base64");
