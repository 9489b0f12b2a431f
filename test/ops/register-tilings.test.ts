/*
 * The kernels for GPUs, which a software adapter runs here too. Their results are compared bit for bit with sums in the order that
 * the numbers of parts prescribe.
 */
import { afterAll, describe, expect, test } from "vitest";
import { launchLimitsOf } from "../../src/backends/webgpu/rules.ts";
import { WebGPUSession } from "../../src/backends/webgpu/session.ts";
import { openDevice, type Device } from "../../src/device/device.ts";
import { defineGraph } from "../../src/graph/graph.ts";
import { input } from "../../src/graph/leaves.ts";
import type { Tensor } from "../../src/graph/tensor.ts";
import { dawnGpu } from "../../src/node/dawn.ts";
import { add, multiply, relu } from "../../src/ops/elementwise/index.ts";
import type { LaunchLimits } from "../../src/ops/kernel.ts";
import { conv2d } from "../../src/ops/convolution/index.ts";
import { takeBatch } from "../../src/ops/gather/index.ts";
import { gradients } from "../../src/ops/gradients.ts";
import { matmul, type MatmulAttributes } from "../../src/ops/matmul/index.ts";
import { innerParts } from "../../src/ops/matmul/webgpu-inner-parts.ts";
import { possibleTilings } from "../../src/ops/matmul/webgpu-tilings.ts";
import { sum } from "../../src/ops/reduce/index.ts";
import { Random } from "../../src/random.ts";
import { GuardedBuffers } from "../guarded-buffers.ts";
import { cases as productCases } from "./matmul.cases.ts";
import { parityTests } from "./parity-suite.ts";
import { tiledBackend } from "./tiled-backend.ts";

const source = dawnGpu();
const device = await openDevice(source, { software: false });
const softwareDevice = await openDevice(source, { software: true });
/** With bindings of 1024 bytes, so that long products are divided and accumulated in memory. */
const smallDevice = await openDevice(source, { software: false, limits: { maxStorageBufferBindingSize: 1024 } });
afterAll(() => {
  for (const one of [device, softwareDevice, smallDevice]) one.destroy();
  source.release();
});

/** A thread loads one vec4 of each operand in a step, so that compiling takes a third of the time of other tilings. */
const FEW_LOADS = "tile 64×64, 4×4 outputs";

const random = new Random(7);

/**
 * Multiples of 1/16 below 2⁷. Products and sums of them are exact in float64, so rounding each sum to float32 gives the result of
 * a multiply-add. Sums of more than about 20 products are rounded, so their order matters.
 */
const drawn = (size: number) => Float32Array.from({ length: size }, () => (random.below(4095) - 2047) / 16);

interface Sizes {
  readonly rows: number;
  readonly inner: number;
  readonly columns: number;
  readonly batches?: number;
}

const attributesOf = ({ rows, inner, columns, batches = 1 }: Sizes): MatmulAttributes => ({
  rows,
  inner,
  columns,
  transposeLeft: false,
  transposeRight: false,
  precision: "float32",
  ...(batches > 1 && { batch: { sizes: [batches], left: [1], right: [1] } }),
});

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

type Values = Float32Array | Uint32Array | Uint8Array;

/** The outputs of a graph after a step, with a tiling by name or by rule of thumb. */
async function run(
  on: Device,
  tiling: string | undefined,
  outputs: Record<string, Tensor>,
  inputs: ReadonlyMap<Tensor, Values>,
) {
  const session = new WebGPUSession(on, {
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

/** Left, right, and what a product of them with its epilogue must be. */
function example(sizes: Sizes, [transposeLeft, transposeRight]: readonly boolean[], limits: LaunchLimits) {
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
  const y = relu(add(matmul(left, right, { transposeLeft: !!transposeLeft, transposeRight: !!transposeRight }), bias));
  return { y, inputs: new Map([left, right, bias].map((leaf, at) => [leaf, [a, b, c][at]!])), expected };
}

describe.each([
  {
    sizes: { rows: 70, inner: 200, columns: 36 },
    parts: 5,
    ways: [[false, false]],
    tilings: ["tile 16×16, 4×4 outputs", "tile 16×16, 4×4 outputs, steps of 8", "tile 32×32, 4×4 outputs, steps of 8"],
  },
  {
    sizes: { rows: 33, inner: 129, columns: 65 },
    parts: 3,
    ways: [
      [true, false],
      [false, true],
    ],
    tilings: ["tile 64×64, 4×4 outputs", "tile 32×32, 4×4 outputs, two buffers"],
  },
  {
    sizes: { rows: 130, inner: 44, columns: 132 },
    parts: 1,
    ways: [[true, true]],
    tilings: ["tile 128×128, 8×8 outputs, steps of 8, two buffers", "tile 128×64, 8×4 outputs"],
  },
  {
    sizes: { rows: 20, inner: 64, columns: 24, batches: 3 },
    parts: 2,
    ways: [[false, true]],
    tilings: ["tile 16×32, 4×4 outputs, steps of 8"],
  },
])("$sizes.rows×$sizes.inner · $sizes.inner×$sizes.columns in $parts parts", ({ sizes, parts, ways, tilings }) => {
  const limits = launchLimitsOf(device);
  const cases = ways.flatMap((way) => tilings.map((tiling) => [way, tiling] as const));

  test.each(cases)("transposed: %j, %s", async (way, tiling) => {
    expect(innerParts(attributesOf(sizes), limits).count).toBe(parts);
    const { tileRows, tileColumns } = possibleTilings(attributesOf(sizes), limits)[tiling]!;
    const { y, inputs, expected } = example(sizes, way, limits);
    const { values, guards, dispatches } = await run(device, tiling, { y }, inputs);
    expect(values["y"]).toEqual(expected);
    expect(guards).toEqual([]);
    const grid = [Math.ceil(sizes.columns / tileColumns), Math.ceil(sizes.rows / tileRows)];
    expect(dispatches.map(({ grid: [x, z] }) => [x, z])).toEqual([grid]);
  });
});

test("a software adapter adds all terms in order", async () => {
  const sizes = { rows: 70, inner: 200, columns: 36 };
  const limits = launchLimitsOf(softwareDevice);
  expect(innerParts(attributesOf(sizes), limits)).toEqual({ count: 1, length: 200 });
  const { y, inputs, expected } = example(sizes, [false, false], limits);
  const { values } = await run(softwareDevice, undefined, { y }, inputs);
  expect(values["y"]).toEqual(expected);
});

test.each(["float32", "float16"] as const)(
  "the sums of the right operand's columns are made by the same kernel, before it is rounded to %s",
  async (precision) => {
    const [left, right] = [input("left", [140, 20]), input("right", [140, 36])];
    const [a, b] = [drawn(left.size), drawn(right.size)];
    const outputs = { y: matmul(left, right, { transposeLeft: true, precision }), sums: sum(right, { axes: 0 }) };
    const tiling = "tile 32×32, 4×4 outputs, steps of 8";
    // Not a number of float16.
    b.forEach((value, index) => (b[index] = value + 2 ** -10));
    const { values, dispatches } = await run(
      device,
      tiling,
      outputs,
      new Map([
        [left, a],
        [right, b],
      ]),
    );
    const column = (k: number, at: number) => b[k * 36 + at]!;
    const { length } = innerParts(attributesOf({ rows: 20, inner: 140, columns: 36 }), launchLimitsOf(device));
    expect(values["sums"]).toEqual(
      Float32Array.from({ length: 36 }, (_, at) => sumInParts(140, length, (k) => column(k, at))),
    );
    expect(dispatches.length).toBe(1);
  },
);

test("a product whose inner axis is divided among launches has the same bits as one that is not", async () => {
  const [left, right] = [input("left", [40, 9]), input("right", [40, 7])];
  const inputs = new Map([left, right].map((leaf) => [leaf, drawn(leaf.size)]));
  const y = matmul(left, right, { transposeLeft: true });
  const whole = await run(device, FEW_LOADS, { y }, inputs);
  const divided = await run(smallDevice, FEW_LOADS, { y }, inputs);
  expect([whole.dispatches.length, divided.dispatches.length]).toEqual([1, 2]);
  expect(divided.values).toEqual(whole.values);
});

describe("operands computed while they are read, with one part, give the bits of the kernels for software adapters", () => {
  test("a batch of bytes, and the gradient of the weights", async () => {
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
    await requireSoftwareBits({ product, gradient: gradient! }, inputs);
  });

  test("a convolution with a stride, and its gradients", async () => {
    const [images, weights] = [input("images", [3, 7, 6, 4]), input("weights", [3, 3, 4, 4])];
    const y = relu(conv2d(images, weights, { stride: 2, padding: 1 }));
    const [byImages, byWeights] = gradients(sum(multiply(y, y)), [images, weights]);
    const inputs = new Map([images, weights].map((leaf) => [leaf, drawn(leaf.size)]));
    await requireSoftwareBits({ y, byImages: byImages!, byWeights: byWeights! }, inputs);
  });
});

async function requireSoftwareBits(outputs: Record<string, Tensor>, inputs: ReadonlyMap<Tensor, Values>) {
  const found = await run(device, FEW_LOADS, outputs, inputs);
  const expected = await run(softwareDevice, undefined, outputs, inputs);
  expect(found.values).toEqual(expected.values);
  expect(found.guards).toEqual([]);
}

describe("float16", () => {
  const chosen = productCases.filter(({ name }) => /^matmul (17×129ᵀ · 129×65ᵀ, float16|at the ends)/.test(name));
  parityTests(async () => tiledBackend(device, FEW_LOADS), chosen);
});
