import { expect, test } from "vitest";

/** An array that fails a test which reads it element by element. */
function sealed<Values extends object>(values: Values): Values {
  const refuse = () => {
    throw new Error("compared element by element");
  };
  return Object.defineProperty(values, Symbol.iterator, { value: refuse });
}

const bits = (...words: number[]) => new Float32Array(Uint32Array.from(words).buffer);

const NAN = 0x7fc00000;

test.each([
  [Float32Array.of(1, NaN, -0), Float32Array.of(1, NaN, -0)],
  [new Uint8Array(9).subarray(1, 5), new Uint8Array(4)],
  [new Float32Array(), new Float32Array()],
  [
    [1, NaN, -0],
    [1, NaN, -0],
  ],
])("%o and %o are equal at once", (one, other) => {
  expect({ values: sealed(one) }).toEqual({ values: sealed(other) });
});

test("NaN is equal to another NaN", () => {
  expect(bits(NAN)).toEqual(bits(NAN + 1));
});

test.each([
  [bits(0x3f800000), bits(0x3f800001)],
  [Float32Array.of(0), Float32Array.of(-0)],
  [Float32Array.of(1), Float32Array.of(1, 2)],
  [bits(1), Uint32Array.of(1)],
  [new Uint8Array(4), new Uint8ClampedArray(4)],
  [[0], [-0]],
  [[1], [1, 2]],
  [[1], Float64Array.of(1)],
])("%o and %o are different", (one, other) => {
  expect({ values: one }).not.toEqual({ values: other });
});

test("a hole is not strictly equal to undefined", () => {
  // oxlint-disable-next-line no-sparse-arrays
  expect([1, , 2]).not.toStrictEqual([1, undefined, 2]);
});
