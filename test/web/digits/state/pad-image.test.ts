import { describe, expect, test } from "vitest";
import { centered } from "../../../../src/web/digits/state/pad-image.ts";

const SIDE = 140;

/** Ink at all points of the pad for which `inside` is true. */
function drawn(isInside: (x: number, y: number) => boolean, ink = 255): Uint8Array {
  return Uint8Array.from({ length: SIDE * SIDE }, (_, index) =>
    isInside(index % SIDE, Math.floor(index / SIDE)) ? ink : 0,
  );
}

const box = (left: number, top: number, width: number, height: number) => (x: number, y: number) =>
  x >= left && x < left + width && y >= top && y < top + height;

/** The bounds of the pixels that are not black, and the center of mass relative to the middle of the image. */
function measured(picture: Uint8Array) {
  let [left, top, right, bottom, mass, x, y] = [28, 28, -1, -1, 0, 0, 0];
  picture.forEach((value, index) => {
    if (value === 0) return;
    const [column, row] = [index % 28, Math.floor(index / 28)];
    [left, right, top, bottom] = [
      Math.min(left, column),
      Math.max(right, column),
      Math.min(top, row),
      Math.max(bottom, row),
    ];
    mass += value;
    x += value * (column + 0.5 - 14);
    y += value * (row + 0.5 - 14);
  });
  return { left, top, width: right - left + 1, height: bottom - top + 1, x: x / mass, y: y / mass };
}

describe("a drawing, centered like MNIST's digits", () => {
  test("is undefined for an empty pad and for the faintest ink", () => {
    expect(centered(new Uint8Array(SIDE * SIDE), SIDE)).toBeUndefined();
    expect(
      centered(
        drawn(() => true, 7),
        SIDE,
      ),
    ).toBeUndefined();
  });

  test.each([
    [0, 0, 20, 20],
    [100, 30, 40, 40],
    [60, 60, 80, 80],
  ])("a square at %i, %i of %i pixels fills 20 by 20 in the middle", (left, top, width, height) => {
    const picture = centered(drawn(box(left, top, width, height)), SIDE)!;
    expect(picture).toHaveLength(784);
    expect(measured(picture)).toEqual({ left: 4, top: 4, width: 20, height: 20, x: 0, y: 0 });
    expect(Math.max(...picture)).toBe(255);
  });

  test("keeps its proportions, and the longer side becomes 20", () => {
    expect(measured(centered(drawn(box(5, 70, 120, 12)), SIDE)!)).toMatchObject({ width: 20, height: 2 });
    expect(measured(centered(drawn(box(90, 10, 12, 120)), SIDE)!)).toMatchObject({ width: 2, height: 20 });
  });

  test("has its center of mass in the middle, to half a pixel, even if the box is not centered", () => {
    const seven = (x: number, y: number) => box(20, 20, 80, 12)(x, y) || box(88, 20, 12, 80)(x, y);
    const { x, y, left, top } = measured(centered(drawn(seven), SIDE)!);
    expect(Math.abs(x)).toBeLessThanOrEqual(0.5);
    expect(Math.abs(y)).toBeLessThanOrEqual(0.5);
    // Most ink is at the top right, so the box moves left and down.
    expect(left).toBeLessThan(4);
    expect(top).toBeGreaterThan(4);
  });

  test("averages the ink, so that thin strokes become gray", () => {
    const picture = centered(
      drawn((x, y) => box(20, 20, 100, 100)(x, y) && x % 2 === 0),
      SIDE,
    )!;
    expect([...new Set(picture.filter((value) => value > 0))].every((value) => value > 90 && value < 165)).toBe(true);
  });

  test("turns a single point into a full square", () => {
    expect(measured(centered(drawn(box(3, 3, 1, 1)), SIDE)!)).toMatchObject({ width: 20, height: 20 });
  });
});
