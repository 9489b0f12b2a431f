/*
 * assembly/math.ts against float64, over all of float32: a bit pattern out of every few thousand, so that subnormal
 * numbers, infinities and NaN are among them, and the numbers around every limit.
 */
import { expect, test } from "vitest";
import { writeFunction } from "../../src/backends/wasm/functions/write.ts";
import { input } from "../../src/graph/leaves.ts";
import { vectorForms } from "../../src/ops/elementwise/wasm-forms.ts";
import { erfc } from "../../src/ops/elementwise/erf.ts";
import { elementOf } from "../../src/ops/wasm/indices.ts";
import { math, type MathFunction, type Vector } from "../../src/ops/wasm/vectors.ts";
import { call } from "./wasm-harness.ts";

const STRIDE = 4099;

const floatOf = (bits: number) => new Float32Array(new Uint32Array([bits]).buffer)[0]!;

/** Every STRIDE-th bit pattern, and all near the given numbers. */
function pointsWith(limits: readonly number[]): Float32Array {
  const near = limits.flatMap((limit) => {
    const bits = new Uint32Array(new Float32Array([limit]).buffer)[0]!;
    return Array.from({ length: 401 }, (_, place) => (bits + place - 200) >>> 0);
  });
  const everywhere = Array.from({ length: Math.floor(2 ** 32 / STRIDE) }, (_, place) => place * STRIDE);
  return new Float32Array(Uint32Array.from([...everywhere, ...near]).buffer);
}

/** Applies a function to each element; a number is the same argument for all. */
const apply = (name: MathFunction, x: Float32Array, ...others: number[]) =>
  applyForm((loaded) => math(name, loaded, ...others), x);

async function applyForm(form: (x: Vector) => Vector, x: Float32Array): Promise<Float32Array> {
  const [argument, result] = [input("argument", [x.length]), input("result", [x.length])];
  const loaded: Vector = { kind: "load", tensor: argument, index: elementOf(x.length) };
  const store = { value: form(loaded), to: result };
  const [bits] = await call(writeFunction([store], x.length, x.length), x.length, new Map([[argument, x]]), [result]);
  return new Float32Array(bits!.buffer);
}

const FEWEST = 2 ** -149;

/** The distance between neighboring float32 numbers at a number. */
const ulp = (value: number) =>
  Math.max(FEWEST, 2 ** (Math.floor(Math.log2(Math.min(Math.abs(value), 3.4028234663852886e38))) - 23));

/** The largest error in ulp. What is not finite must be the same. */
function largestError(x: Float32Array, found: Float32Array, reference: (x: number) => number) {
  let [largest, where] = [0, 0];
  for (let place = 0; place < x.length; place++) {
    const wanted = reference(x[place]!);
    const rounded = Math.fround(wanted);
    if (Object.is(found[place], rounded)) continue;
    const error =
      Number.isFinite(rounded) && Number.isFinite(found[place])
        ? Math.abs(found[place]! - wanted) / ulp(wanted)
        : Infinity;
    if (!(error <= largest)) [largest, where] = [error, place];
  }
  return { largest, at: x[where]!, found: found[where]!, wanted: reference(x[where]!) };
}

test.each([
  ["exp4", Math.exp, [0, 1, -87.33654, -103.97208, 88.72284, 1e-8, -1e-8], 1],
  ["log4", Math.log, [0, 1, Math.SQRT1_2, Math.SQRT2, 1.17549435e-38, 3.4028234663852886e38], 0.85],
  ["tanh4", Math.tanh, [0, 0.625, 9, -9, 0.3, 1], 1.4],
  ["normalBelow4", (x: number) => erfc(-x / Math.SQRT2) / 2, [0, -1, -3, -13, -14.4, 5, -0.3], 8],
] as const)("%s", async (name, reference, limits, bound) => {
  const x = pointsWith([...limits, Infinity, -Infinity]);
  const error = largestError(x, await apply(name, x), reference);
  expect(error.largest, JSON.stringify(error)).toBeLessThan(bound);
});

const QUARTER = Math.fround(Math.PI / 2);

test.each([
  ["sin4", Math.sin],
  ["cos4", Math.cos],
] as const)("%s up to 10⁶, and of what is not finite", async (name, reference) => {
  const turns = Array.from({ length: 40 }, (_, turn) => Math.fround(QUARTER * (turn - 20)));
  const x = pointsWith([0, 1e6, -99_999, ...turns]).filter(
    (value) => !(Math.abs(value) > 1e6 && Math.abs(value) < Infinity),
  );
  const error = largestError(x, await apply(name, x), reference);
  expect(error.largest, JSON.stringify(error)).toBeLessThan(1.5);
});

test.each([
  ["logarithm_of_one_plus", Math.log1p, [0, -1, 1, -0.5, 3.4028234663852886e38], 1.5],
  ["exponential_minus_one", Math.expm1, [0, 0.35, -0.35, 88.72284, -17], 4],
] as const)("%s", async (name, reference, limits, bound) => {
  const x = pointsWith(limits);
  const error = largestError(x, await applyForm((loaded) => vectorForms[name]!([loaded], []), x), reference);
  expect(error.largest, JSON.stringify(error)).toBeLessThan(bound);
});

test.each([
  ["floor_of", Math.floor],
  ["round_of", (x: number) => (Math.abs(x % 1) === 0.5 ? 2 * Math.round(x / 2) : Math.round(x))],
  ["sign_or_nan", Math.sign],
  ["inverse_root", (x: number) => 1 / Math.sqrt(x)],
] as const)("%s", async (name, reference) => {
  const x = pointsWith([0, 0.5, 1.5, -2.5, 1, 2 ** 23]);
  const error = largestError(x, await applyForm((loaded) => vectorForms[name]!([loaded], []), x), reference);
  expect(error.largest, JSON.stringify(error)).toBeLessThan(name === "inverse_root" ? 1.5 : Number.MIN_VALUE);
});

test.each([3, -0.7, 1e-3, Infinity, -Infinity, 0])("remainder4 by %d", async (divisor) => {
  const b = Math.fround(divisor);
  const reference = (a: number) => {
    const rest = a % b;
    return rest !== 0 && rest < 0 !== b < 0 ? rest + b : rest;
  };
  const x = pointsWith([0, 3, 6, -9, Infinity]).filter((a) => !(Math.abs(a / b) > 2 ** 29 && Math.abs(a) < Infinity));
  const error = largestError(x, await apply("remainder4", x, b), reference);
  expect(error.largest, JSON.stringify(error)).toBeLessThan(0.51);
});

test.each([0.5, -0.5, 1.5, 2.7, -3.3, 1e-3, 100.5, -700.25, 65])("pow4, exponent %d", async (exponent) => {
  const y = Math.fround(exponent);
  const reference = (x: number) => (x < 0 && Number.isFinite(x) ? NaN : Math.abs(x) ** y);
  const x = pointsWith([0, 1, Math.SQRT1_2, Math.SQRT2, floatOf(1)]);
  const error = largestError(x, await apply("pow4", x, y), reference);
  expect(error.largest, JSON.stringify(error)).toBeLessThan(0.51);
});
