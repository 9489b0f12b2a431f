import { deflateSync } from "node:zlib";
import { encode } from "fast-png";
import { describe, expect, test } from "vitest";
import { imageInColor } from "../../src/data/image-pixels.ts";
import { isPng, pngSize } from "../../src/node/png-chunks.ts";
import { decodePng } from "../../src/node/png.ts";

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

const pixelsOf = (bytes: Uint8Array, background = 0) => [...imageInColor(decodePng(bytes, background), "gray").pixels];

describe("a PNG is decoded", () => {
  test("from gray with 8 and 16 bits", () => {
    expect(decodePng(png(1, [0, 7, 128, 255], { width: 2 }), 0)).toEqual({
      width: 2,
      height: 2,
      channels: 1,
      pixels: Uint8Array.of(0, 7, 128, 255),
    });
    expect(pixelsOf(png(1, [0, 257, 65535], { depth: 16 }))).toEqual([0, 1, 255]);
  });

  test("from colors by their luma, which are kept", () => {
    const colors = [255, 0, 0, 0, 255, 0, 0, 0, 255, 12, 34, 56];
    expect(decodePng(png(3, colors, { width: 2 }), 0)).toEqual({
      width: 2,
      height: 2,
      channels: 3,
      pixels: Uint8Array.from(colors),
    });
    expect(pixelsOf(png(3, [255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255]))).toEqual([76, 150, 29, 255]);
  });

  test("with transparent pixels over the background", () => {
    const ink = png(2, [0, 255, 0, 0, 255, 255, 255, 51]);
    expect(pixelsOf(ink)).toEqual([0, 0, 255, 51]);
    expect(pixelsOf(ink, 255)).toEqual([0, 255, 255, 255]);
    expect([...decodePng(png(4, [0, 100, 200, 51]), 255).pixels]).toEqual([204, 224, 244]);
    expect(pixelsOf(png(4, [0, 0, 0, 0, 255, 0, 0, 255]))).toEqual([0, 76]);
  });

  test("from a palette and from single bits", () => {
    const bits = Buffer.from(BITS, "base64");
    expect(decodePng(bits, 0)).toMatchObject({
      width: 5,
      height: 2,
      pixels: Uint8Array.of(255, 0, 255, 0, 255, 0, 255, 0, 255, 0),
    });
    expect(pixelsOf(Buffer.from(PALETTE, "base64"))).toEqual([76, 150, 29]);
  });

  test("unless it is another file, or damaged", () => {
    const good = png(1, [1, 2, 3, 4], { width: 2 });
    expect([isPng(good), isPng(Uint8Array.of(1, 2, 3, 4)), isPng(new Uint8Array())]).toEqual([true, false, false]);
    expect(() => decodePng(Uint8Array.of(1, 2, 3), 0)).toThrow("it does not begin like a PNG");
    expect(() => decodePng(good.subarray(0, 40), 0)).toThrow("it is truncated at byte 40");
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
    expect(decodePng(claiming(2, 1, Uint8Array.of(0, 8, 9)), 0).pixels).toEqual(Uint8Array.of(8, 9));
    expect(() => decodePng(claiming(0, 3, new Uint8Array(3)), 0)).toThrow("its size is 0 × 3");
    expect(() => decodePng(claiming(60_000, 60_000, new Uint8Array(9)), 0)).toThrow(
      /its size of 60000 × 60000 is more than/,
    );
    expect(() => decodePng(claiming(20, 20, new Uint8Array(9)), 0)).toThrow("it has fewer pixels than its size");
    expect(() => decodePng(claiming(2, 2, new Uint8Array(1e7)), 0)).toThrow("it has more pixels than its size");
  });
});

describe("transparency without an alpha channel", () => {
  const bytes = (...values: number[]) => Uint8Array.from(values);

  test("of one gray, with 8, 16 and 2 bits", () => {
    const gray = pngOf({ width: 3, height: 1 }, ["tRNS", bytes(0, 200)], ["IDAT", deflateSync(bytes(0, 10, 200, 255))]);
    expect([pixelsOf(gray), pixelsOf(gray, 255)]).toEqual([
      [10, 0, 255],
      [10, 255, 255],
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
      /its palette \(PLTE\) is missing/,
    );
    expect(() => pixelsOf(pngOf({ width: 2, height: 1 }, ["tRNS", bytes(1)], pixels!))).toThrow(
      /its transparent color \(tRNS\) has 1 bytes/,
    );
  });
});

test("the size is read from the first bytes, and an oversized picture is refused before it is unpacked", () => {
  const huge = pngOf({ width: 12_000, height: 12_000, colors: 2 }, ["IDAT", deflateSync(new Uint8Array(10))]);
  expect([pngSize(huge.subarray(0, 26)), pngSize(huge.subarray(0, 25))]).toEqual([
    { width: 12_000, height: 12_000 },
    undefined,
  ]);
  expect(() => decodePng(huge, 0)).toThrow("its size of 12000 × 12000 is more than 134217728 bytes of pixels");
});
