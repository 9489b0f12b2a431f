import { describe, expect, test } from "vitest";
import { standardization } from "../../src/data/dataset.ts";
import { isNormalization, requireNormalization } from "../../src/data/normalization.ts";
import { OptionError } from "../../src/errors.ts";

test("bytes are standardized like the same values in float32, however many there are", () => {
  for (const length of [1, 2, 3, 4, 7, 65, 1026]) {
    const bytes = Uint8Array.from({ length }, (_, index) => (index % 3 === 0 ? 0 : (index * 37 + 5) % 256));
    const { scale, offset } = standardization(bytes);
    const expected = standardization(Float32Array.from(bytes));
    expect(scale).toBeCloseTo(expected.scale, 12);
    expect(offset).toBeCloseTo(expected.offset, 12);
  }
});

describe("constants of a normalization", () => {
  test.each([[{ scale: 1, offset: 0 }], [{ scale: [1, 2], offset: -1 }], [{ scale: 0, offset: [3, 4] }]])(
    "%j fit two features",
    (constants) => {
      expect(isNormalization(constants, 2)).toBe(true);
      expect(() => requireNormalization(constants, 2)).not.toThrow();
    },
  );

  test.each<[unknown, RegExp]>([
    [null, /^normalization: null is not an object with scale and offset/],
    [{ scale: 1 }, /^normalization offset: undefined is not a number/],
    [{ scale: "1", offset: 0 }, /^normalization scale: "1" is not a number/],
    [{ scale: [1, 2, 3], offset: 0 }, /^normalization scale: 3 values for 2 features/],
    [{ scale: [1, "2"], offset: 0 }, /^normalization scale: "2" is out of range/],
    [{ scale: 1, offset: NaN }, /^normalization offset: NaN is out of range/],
    [
      { scale: 1e39, offset: 0 },
      /^normalization scale: 1e\+39 is out of range. Give a finite number in the range of float32/,
    ],
  ])("%j are refused", (constants, message) => {
    expect(isNormalization(constants, 2)).toBe(false);
    expect(() => requireNormalization(constants as never, 2)).toThrow(OptionError);
    expect(() => requireNormalization(constants as never, 2)).toThrow(message);
  });
});
