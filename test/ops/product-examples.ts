/*
 * Products for the tests of the kernels for GPUs, with the bits that they must have, and runs of them with a tiling.
 */
import { WebGPUSession } from "../../src/backends/webgpu/session.ts";
import type { Device } from "../../src/device/device.ts";
import { defineGraph } from "../../src/graph/graph.ts";
import { input } from "../../src/graph/leaves.ts";
import type { Tensor } from "../../src/graph/tensor.ts";
import { conv2d } from "../../src/ops/convolution/index.ts";
import { add, multiply, relu } from "../../src/ops/elementwise/index.ts";
import { takeBatch } from "../../src/ops/gather/index.ts";
import { gradients } from "../../src/ops/gradients.ts";
import type { LaunchLimits } from "../../src/ops/kernel.ts";
import { matmul, type MatmulAttributes } from "../../src/ops/matmul/index.ts";
import { toFloat16 } from "../../src/ops/matmul/precision.ts";
import { innerParts } from "../../src/ops/matmul/webgpu-inner-parts.ts";
import { sum } from "../../src/ops/reduce/index.ts";
import type { Precision } from "../../src/precisions.ts";
import { Random } from "../../src/random.ts";
import { GuardedBuffers } from "../guarded-buffers.ts";

const random = new Random(7);

/**
 * Multiples of 1/16 below 2⁷. Products and sums of them are exact in float64, so rounding each sum to float32 gives the result of
 * a multiply-add. Sums of more than about 20 products are rounded, so their order matters.
 */
const drawn = (size: number) => Float32Array.from({ length: size }, () => (random.below(4095) - 2047) / 16);

export interface Sizes {
  readonly rows: number;
  readonly inner: number;
  readonly columns: number;
  readonly batches?: number;
}

export const attributesOf = ({ rows, inner, columns, batches = 1 }: Sizes): MatmulAttributes => ({
  rows,
  inner,
  columns,
  transposeLeft: false,
  transposeRight: false,
  precision: "float32",
  ...(batches > 1 && { batch: { sizes: [batches], left: [1], right: [1] } }),
});

type Values = Float32Array | Uint32Array | Uint8Array;

/** What a test runs. */
export interface Example {
  readonly outputs: Readonly<Record<string, Tensor>>;
  readonly inputs: ReadonlyMap<Tensor, Values>;
}

/** The outputs of an example after a step, with a tiling by name or by rule of thumb. */
export async function run(on: Device, tiling: string | undefined, { outputs, inputs }: Example) {
  const session = new WebGPUSession(on, {
    mergeKernels: false,
    choiceOf: () => tiling,
    makeBuffers: (owner) => new GuardedBuffers(owner),
  });
  const executable = await session.compile(defineGraph(outputs));
  for (const [leaf, values] of inputs) session.write(leaf, values);
  await executable.run(0, 1);
  const values: Record<string, unknown> = {};
  for (const name of Object.keys(outputs)) values[name] = await executable.read(name);
  const guards = await (executable.buffers as GuardedBuffers).spoiled();
  session.dispose();
  return { values, guards, dispatches: executable.dispatches };
}

/** Sums `count` terms in float32, those of a part in order, then the parts in order. */
function sumInParts(count: number, length: number, term: (k: number) => number): number {
  let total: number | undefined;
  for (let first = 0; first < count; first += length) {
    let part = 0;
    for (let k = first; k < Math.min(count, first + length); k++) part = Math.fround(part + term(k));
    total = total === undefined ? part : Math.fround(total + part);
  }
  return total!;
}

/** A product with an epilogue, `y`, with or without transposes, and what it must be. */
export function productExample(
  sizes: Sizes,
  [transposeLeft, transposeRight]: readonly [boolean, boolean],
  limits: LaunchLimits,
): Example & { readonly expected: Float32Array } {
  const { rows, inner, columns, batches = 1 } = sizes;
  const leading = batches > 1 ? [batches] : [];
  const left = input("left", [...leading, ...(transposeLeft ? [inner, rows] : [rows, inner])]);
  const right = input("right", [...leading, ...(transposeRight ? [columns, inner] : [inner, columns])]);
  const bias = input("bias", [columns]);
  const [a, b, c] = [drawn(left.size), drawn(right.size), drawn(columns)];
  const { length } = innerParts(attributesOf(sizes), limits);
  const expected = Float32Array.from({ length: batches * rows * columns }, (_, index) => {
    const [batch, row, column] = [
      Math.floor(index / columns / rows),
      Math.floor(index / columns) % rows,
      index % columns,
    ];
    const [from, other] = [batch * rows * inner, batch * inner * columns];
    const term = (k: number) =>
      a[from + (transposeLeft ? k * rows + row : row * inner + k)]! *
      b[other + (transposeRight ? column * inner + k : k * columns + column)]!;
    return Math.max(0, Math.fround(sumInParts(inner, length, term) + c[column]!));
  });
  const y = relu(add(matmul(left, right, { transposeLeft, transposeRight }), bias));
  return { outputs: { y }, inputs: new Map([left, right, bias].map((leaf, at) => [leaf, [a, b, c][at]!])), expected };
}

/** A product [inner, rows]ᵀ · [inner, columns] of some values, whose parts have `length` values of k, as it must be. */
function expectedProduct(
  { rows, inner, columns }: Sizes,
  length: number,
  a: Float32Array,
  b: Float32Array,
): Float32Array {
  return Float32Array.from({ length: rows * columns }, (_, index) => {
    const [row, column] = [Math.floor(index / columns), index % columns];
    return sumInParts(inner, length, (k) => a[k * rows + row]! * b[k * columns + column]!);
  });
}

/** What the outputs of an example must be. */
export interface Expected {
  readonly expected: Readonly<Record<string, Float32Array>>;
}

/** A product, `y`, with the sums of its right operand's columns, `sums`, before that is rounded. */
export function columnSumsExample(precision: Precision, limits: LaunchLimits): Example & Expected {
  const sizes = { rows: 20, inner: 140, columns: 36 };
  const [left, right] = [input("left", [140, 20]), input("right", [140, 36])];
  // Large ones of the right operand are not numbers of float16. Products of both have 24 bits, so float32 has them.
  const [a, b] = [drawn(left.size), drawn(right.size).map((value) => value + 2 ** -6)];
  const { length } = innerParts(attributesOf(sizes), limits);
  return {
    outputs: { y: matmul(left, right, { transposeLeft: true, precision }), sums: sum(right, { axes: 0 }) },
    inputs: new Map([
      [left, a],
      [right, b],
    ]),
    expected: {
      y: expectedProduct(sizes, length, a, precision === "float16" ? b.map(toFloat16) : b),
      sums: Float32Array.from({ length: 36 }, (_, column) => sumInParts(140, length, (k) => b[k * 36 + column]!)),
    },
  };
}

/** A product, `y`, that a device with bindings of 1024 bytes divides into two launches along the inner axis. */
export function dividedExample(): Example & Expected {
  const sizes = { rows: 9, inner: 40, columns: 7 };
  const [left, right] = [input("left", [40, 9]), input("right", [40, 7])];
  const [a, b] = [drawn(left.size), drawn(right.size)];
  return {
    outputs: { y: matmul(left, right, { transposeLeft: true }) },
    inputs: new Map([
      [left, a],
      [right, b],
    ]),
    expected: { y: expectedProduct(sizes, 40, a, b) },
  };
}

/** The product of a batch of bytes, and the gradient of its weights. */
export function bytesExample(): Example {
  const [data, order] = [input("data", [300, 40], "uint8"), input("order", [300], "uint32")];
  const [start, weights] = [input("start", [], "uint32"), input("weights", [40, 28])];
  const product = matmul(takeBatch(data, { order, start, count: 63, scale: 1 / 128, offset: -1 }), weights);
  const [gradient] = gradients(sum(multiply(product, product)), [weights]);
  const inputs = new Map<Tensor, Values>([
    [data, Uint8Array.from({ length: data.size }, () => random.below(256))],
    [order, random.permutation(300)],
    [start, Uint32Array.of(7)],
    [weights, drawn(weights.size)],
  ]);
  return { outputs: { product, gradient: gradient! }, inputs };
}

/** A convolution with a stride, and its gradients. */
export function convolutionExample(): Example {
  const [images, weights] = [input("images", [3, 7, 6, 4]), input("weights", [3, 3, 4, 4])];
  const y = relu(conv2d(images, weights, { stride: 2, padding: 1 }));
  const [byImages, byWeights] = gradients(sum(multiply(y, y)), [images, weights]);
  const inputs = new Map([images, weights].map((leaf) => [leaf, drawn(leaf.size)]));
  return { outputs: { y, byImages: byImages!, byWeights: byWeights! }, inputs };
}
