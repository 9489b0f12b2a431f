/*
 * Large convolutions with a stride are computed backward by phases. The cases of the ops are too small for that.
 */
import { expect, test } from "vitest";
import type { NumericArray } from "../../src/backends/backend.ts";
import { GraphError } from "../../src/errors.ts";
import { input } from "../../src/graph/leaves.ts";
import { sizeOf, type Shape, type Tensor } from "../../src/graph/tensor.ts";
import { conv2d, convTranspose2d } from "../../src/ops/convolution/index.ts";
import { patches } from "../../src/ops/convolution/patches.ts";
import { byPhases } from "../../src/ops/convolution/phases.ts";
import { backwardWindows, windowsOf, type Pair, type WindowOptions } from "../../src/ops/convolution/windows.ts";
import { multiply } from "../../src/ops/elementwise/index.ts";
import { gradients } from "../../src/ops/gradients.ts";
import { reshape } from "../../src/ops/layout/index.ts";
import { matmul } from "../../src/ops/matmul/index.ts";
import { sum } from "../../src/ops/reduce/index.ts";
import { Random } from "../../src/random.ts";
import { acquireGuardedBackend } from "../gpu.ts";
import { acquireWasmBackend } from "../wasm.ts";
import { evaluate } from "./evaluate.ts";
import { judge } from "./gradient-check.ts";

const random = new Random(5);
/** Small whole numbers, so that every sum is exact. */
const drawn = (shape: Shape) => Float64Array.from({ length: sizeOf(shape) }, () => random.below(9) - 4);

async function valuesOf(outputs: Record<string, Tensor>, leaves: Record<string, Tensor>, values: NumericArray[]) {
  const named = Object.keys(leaves).map((name, place) => [name, values[place]!]);
  return evaluate(judge, outputs, leaves, Object.fromEntries(named));
}

test.each<[Pair, Pair, WindowOptions]>([
  [[8, 8], [3, 3], { stride: 2, padding: "same" }],
  [[9, 7], [3, 3], { stride: 2 }],
  [[11, 10], [2, 5], { stride: 3, padding: [1, 2] }],
  [[12, 9], [1, 1], { stride: 2 }],
  [[13, 17], [3, 3], { stride: [1, 4], padding: [0, 3] }],
  [[15, 16], [3, 2], { stride: [4, 3], dilation: [2, 3], padding: 2 }],
  [[15, 16], [3, 4], { stride: 2, dilation: 2, padding: 1 }],
  [[6, 7], [2, 2], { stride: 3, padding: [4, 4] }],
])(
  "the phases of windows on images of %j with a kernel of %j and %j are those of one product",
  async (size, kernel, options) => {
    const forward = windowsOf("test", [2, ...size, 3], kernel, options);
    const windows = backwardWindows(forward, size);
    const upstream = input("upstream", [2, ...forward.count, 3]);
    const weights = input("weights", [...kernel, 3, 2]);
    const product = (part: Tensor, on: typeof windows) => matmul(patches(upstream, on), reshape(part, [-1, 2]));
    const outputs = { whole: product(weights, windows), phases: byPhases([2, 2], weights, windows, product) };
    expect(outputs.phases.shape).toEqual([2, ...size, 2]);
    const found = await valuesOf(outputs, { upstream, weights }, [drawn(upstream.shape), drawn(weights.shape)]);
    expect(found["phases"]).toEqual(found["whole"]);
    expect(found["phases"]!.some((value) => value !== 0)).toBe(true);
  },
);

/** 2 · 17 · 18 positions of windows with 9 · 48 · 64 weights: more than 2²⁴ products. */
const sizes = { examples: 2, height: 17, width: 18, channels: 48, rows: 8, columns: 8, outputs: 64 } as const;
const { examples, height, width, channels, rows, columns, outputs } = sizes;
const large = input("large", [examples, height, width, channels]);
const small = input("small", [examples, rows, columns, outputs]);
const weights = input("weights", [3, 3, channels, outputs]);
const leaves = { large, small, weights };
const values = [large, small, weights].map(({ shape }) => drawn(shape));
const [ofLarge, ofSmall, ofWeights] = values as [Float64Array, Float64Array, Float64Array];

const at = ([example, y, x, place]: readonly number[], shape: Shape) =>
  ((example! * shape[1]! + y!) * shape[2]! + x!) * shape[3]! + place!;

/** Σ small · large over all windows of stride 2, for one weight. */
function weightGradient([i, j, channel, output]: readonly [number, number, number, number]): number {
  let total = 0;
  for (let example = 0; example < examples; example++) {
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const element = at([example, 2 * row + i, 2 * column + j, channel], large.shape);
        total += ofSmall[at([example, row, column, output], small.shape)]! * ofLarge[element]!;
      }
    }
  }
  return total;
}

/** Σ small · weights over all windows that contain an element of the large images. */
function imageGradient([example, y, x, channel]: readonly [number, number, number, number]): number {
  let total = 0;
  for (let i = y % 2; i < 3; i += 2) {
    for (let j = x % 2; j < 3; j += 2) {
      const [row, column] = [(y - i) / 2, (x - j) / 2];
      if (row < 0 || column < 0 || row >= rows || column >= columns) continue;
      for (let output = 0; output < outputs; output++) {
        const weight = ofWeights[at([i, j, channel, output], weights.shape)]!;
        total += ofSmall[at([example, row, column, output], small.shape)]! * weight;
      }
    }
  }
  return total;
}

const elements = [
  [0, 0, 0, 0],
  [1, 16, 17, 47],
  [1, 3, 8, 20],
  [0, 12, 5, 31],
  [1, 16, 16, 7],
] as const;
const places = [
  [0, 0, 0, 0],
  [2, 2, 47, 63],
  [1, 2, 20, 5],
  [2, 0, 3, 40],
] as const;

test("the gradient of a large convolution's images, and a large transposed convolution, are sums over windows", async () => {
  const loss = sum(multiply(conv2d(large, weights, { stride: 2 }), small));
  const transposed = convTranspose2d(small, weights, { stride: 2, size: [height, width] });
  const found = await valuesOf({ gradient: gradients(loss, [large])[0]!, transposed }, leaves, values);
  for (const element of elements) {
    const place = at(element, large.shape);
    expect(found["gradient"]![place], `${element}`).toBe(imageGradient(element));
    expect(found["transposed"]![place], `${element}`).toBe(imageGradient(element));
  }
});

test("the gradient of a large transposed convolution's weights is a sum over windows", async () => {
  const loss = sum(multiply(convTranspose2d(small, weights, { stride: 2, size: [height, width] }), large));
  const found = await valuesOf({ gradient: gradients(loss, [weights])[0]! }, leaves, values);
  for (const place of places)
    expect(found["gradient"]![at(place, weights.shape)], `${place}`).toBe(weightGradient(place));
});

test("a stride of which the result would have too many elements is refused before there is a phase for each place", () => {
  const [images, one] = [input("images", [1, 6, 5, 2]), input("weights", [1, 1, 1, 2])];
  expect(() => convTranspose2d(images, one, { stride: 2 ** 31 + 1 })).toThrow(GraphError);
});

test.each([
  ["WebGPU", acquireGuardedBackend],
  ["WebAssembly", acquireWasmBackend],
])("on %s, both have the same values", async (_, acquire) => {
  const backend = await acquire();
  const transposed = convTranspose2d(small, weights, { stride: 2, size: [height, width] });
  const gradient = gradients(sum(multiply(transposed, large)), [weights])[0]!;
  const named = { large: ofLarge, small: ofSmall, weights: ofWeights };
  const rounded = Object.fromEntries(Object.entries(named).map(([name, given]) => [name, Float32Array.from(given)]));
  const found = await evaluate(backend, { transposed, gradient }, leaves, rounded);
  backend.dispose();
  for (const element of elements)
    expect(found["transposed"]![at(element, large.shape)], `${element}`).toBe(imageGradient(element));
  for (const place of places)
    expect(found["gradient"]![at(place, weights.shape)], `${place}`).toBe(weightGradient(place));
});
