import { describe, expect, test } from "vitest";
import { hasColor, imageInColor, resizeImage, type DecodedImage } from "../../src/data/image-pixels.ts";

const gray = (width: number, height: number, ...pixels: number[]): DecodedImage => ({
  width,
  height,
  channels: 1,
  pixels: Uint8Array.from(pixels),
});

describe("resizing", () => {
  const picture = gray(4, 2, 0, 100, 200, 200, 20, 40, 0, 80);

  test("to a smaller size takes the mean of the area that a pixel covers", () => {
    expect(resizeImage(picture, { width: 2, height: 1 })).toEqual(gray(2, 1, 40, 120));
    // The second of three pixels covers two thirds of the second and of the third.
    expect([...resizeImage(gray(4, 1, 0, 80, 180, 240), { width: 3, height: 1 }).pixels]).toEqual([20, 130, 225]);
  });

  test("to a larger size interpolates between the centers, as Pillow's BILINEAR", () => {
    expect([...resizeImage(gray(4, 1, 0, 80, 180, 240), { width: 8, height: 1 }).pixels]).toEqual([
      0, 20, 60, 105, 155, 195, 225, 240,
    ]);
    const color: DecodedImage = {
      width: 5,
      height: 3,
      channels: 3,
      pixels: Uint8Array.from({ length: 45 }, (_, at) => (at * at * 37) % 256),
    };
    const { pixels, channels } = resizeImage(color, { width: 7, height: 5 });
    expect(channels).toBe(3);
    // Pillow rounds between its two passes, so that its numbers may differ by one.
    PILLOW.forEach((value, at) => expect(Math.abs(pixels[at]! - value)).toBeLessThanOrEqual(1));
    expect(pixels.length).toBe(PILLOW.length);
  });

  test("may lengthen one axis and shorten the other", () => {
    expect(resizeImage(gray(1, 4, 0, 10, 20, 30), { width: 2, height: 2 })).toEqual(gray(2, 2, 5, 5, 25, 25));
  });

  test("to the same size changes nothing, and a size of 0 is refused", () => {
    expect(resizeImage(picture, { width: 4, height: 2 })).toBe(picture);
    expect(() => resizeImage(picture, { width: 0, height: 2 })).toThrow(/^size: 0×2 is not a size/);
    expect(() => resizeImage(picture, { width: 1.5, height: 2 })).toThrow(/^size: 1\.5×2 is not a size/);
  });
});

test("colors become luma, and gray is repeated", () => {
  const colors: DecodedImage = {
    width: 2,
    height: 2,
    channels: 3,
    pixels: Uint8Array.of(255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 9, 9),
  };
  expect(imageInColor(colors, "gray")).toEqual(gray(2, 2, 76, 150, 29, 9));
  expect(imageInColor(colors, "rgb")).toBe(colors);
  expect([...imageInColor(gray(2, 1, 3, 8), "rgb").pixels]).toEqual([3, 3, 3, 8, 8, 8]);
  expect([hasColor(colors), hasColor(gray(1, 1, 7)), hasColor(imageInColor(gray(2, 1, 3, 8), "rgb"))]).toEqual([
    true,
    false,
    false,
  ]);
});

/** `Image.resize((7, 5), Image.BILINEAR)` of Pillow 9.4 for the image of 5×3 pixels above. */
const PILLOW = [
  0, 37, 148, 44, 62, 153, 70, 63, 130, 52, 21, 64, 144, 89, 108, 193, 113, 107, 208, 109, 84, 53, 22, 168, 98, 48, 173,
  124, 79, 151, 107, 110, 85, 126, 105, 130, 146, 101, 129, 162, 97, 107, 133, 0, 197, 178, 26, 203, 205, 102, 182, 189,
  244, 117, 100, 130, 162, 76, 83, 163, 93, 80, 141, 65, 137, 79, 111, 76, 85, 139, 87, 109, 124, 230, 155, 145, 117,
  200, 166, 71, 203, 184, 69, 181, 20, 229, 0, 66, 110, 7, 95, 77, 61, 80, 221, 180, 175, 109, 226, 226, 63, 229, 244,
  61, 208,
];
