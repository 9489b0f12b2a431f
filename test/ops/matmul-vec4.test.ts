/*
 * With small subgroups, operands that are adjacent in memory are read in vec4s. The results must have the bits of the kernel
 * with workgroup memory, which reads elements.
 */
import { afterAll, describe, expect, test } from "vitest";
import type { WebGPUExecutable } from "../../src/backends/webgpu/executable.ts";
import { WebGPUSession } from "../../src/backends/webgpu/session.ts";
import { openDevice } from "../../src/device/device.ts";
import { defineGraph } from "../../src/graph/graph.ts";
import { input } from "../../src/graph/leaves.ts";
import { sizeOf, type Tensor } from "../../src/graph/tensor.ts";
import { dawnGpu } from "../../src/node/dawn.ts";
import { conv2d } from "../../src/ops/convolution/index.ts";
import { multiply, relu } from "../../src/ops/elementwise/index.ts";
import { takeBatch } from "../../src/ops/gather/index.ts";
import { gradients } from "../../src/ops/gradients.ts";
import { concat, pad, slice } from "../../src/ops/indexing/index.ts";
import { reshape, transpose } from "../../src/ops/layout/index.ts";
import { matmul } from "../../src/ops/matmul/index.ts";
import { sum } from "../../src/ops/reduce/index.ts";
import { Random } from "../../src/random.ts";

const kernels: string[] = [];
const source = dawnGpu();
const device = await openDevice(source, { onKernel: (_, code) => kernels.push(code) });
afterAll(() => {
  device.destroy();
  source.release();
});

type Values = Float32Array | Uint32Array | Uint8Array;

/** The outputs of a graph after a step, with a tiling by name or by rule of thumb. */
async function valuesWith(
  tiling: string | undefined,
  outputs: Record<string, Tensor>,
  inputs: ReadonlyMap<Tensor, Values>,
): Promise<Record<string, unknown>> {
  const session = new WebGPUSession(device, { choiceOf: () => tiling, mergeKernels: false });
  const executable: WebGPUExecutable = await session.compile(defineGraph(outputs));
  for (const [leaf, values] of inputs) session.write(leaf, values);
  await executable.run(0, 1);
  const found: Record<string, unknown> = {};
  for (const name of Object.keys(outputs)) found[name] = await executable.read(name);
  session.dispose();
  return found;
}

/** Compares the bits, and requires that some kernels read these operands in vec4s. */
async function requireSameBits(
  outputs: Record<string, Tensor>,
  inputs: ReadonlyMap<Tensor, Values>,
  vec4Operands: readonly ("LEFT" | "RIGHT")[],
): Promise<void> {
  kernels.length = 0;
  const values = await valuesWith(undefined, outputs, inputs);
  for (const operand of vec4Operands)
    expect(
      kernels.some((code) => code.includes(`const ${operand}_VEC4 = true;`)),
      operand,
    ).toBe(true);
  kernels.length = 0;
  const expected = await valuesWith("4×4 outputs", outputs, inputs);
  expect(kernels.some((code) => code.includes("_VEC4 = true;"))).toBe(false);
  expect(values).toEqual(expected);
}

const random = new Random(11);
const drawn = (...shape: number[]): Float32Array =>
  Float32Array.from({ length: sizeOf(shape) }, () => random.uniform(-1, 1));

const rows = 2052;

describe.each([
  { inner: 36, columns: 68, transposeLeft: false, transposeRight: false, read: ["RIGHT"] },
  { inner: 300, columns: 28, transposeLeft: false, transposeRight: false, read: ["LEFT", "RIGHT"] },
  { inner: 300, columns: 30, transposeLeft: false, transposeRight: true, read: ["LEFT", "RIGHT"] },
  { inner: 36, columns: 28, transposeLeft: true, transposeRight: false, read: ["LEFT", "RIGHT"] },
  { inner: 3, columns: 15, transposeLeft: true, transposeRight: true, read: ["LEFT"] },
] as const)("a product with $inner and $columns columns, transposed: $transposeLeft $transposeRight", (one) => {
  test("has the same bits", async () => {
    const { inner, columns, transposeLeft, transposeRight, read } = one;
    const left = input("left", transposeLeft ? [inner, rows] : [rows, inner]);
    const right = input("right", transposeRight ? [columns, inner] : [inner, columns]);
    const product = matmul(left, right, { transposeLeft, transposeRight });
    const inputs = new Map([left, right].map((leaf) => [leaf, drawn(...leaf.shape)]));
    await requireSameBits({ product }, inputs, read);
  });
});

describe.each([
  { name: "with four values of k at once", count: 2049, columns: 28 },
  { name: "with one value of k at a time", count: 63, columns: 28 },
  { name: "with eight columns per lane", count: 63, columns: 68 },
] as const)("a batch of bytes, $name", ({ count, columns }) => {
  test("by weights, and the gradient of the weights, have the same bits", async () => {
    const data = input("data", [3000, 300], "uint8");
    const order = input("order", [3000], "uint32");
    const [start, weights] = [input("start", [], "uint32"), input("weights", [300, columns])];
    const x = takeBatch(data, { order, start, count, scale: 1 / 128, offset: -1 });
    const product = matmul(x, weights);
    const [gradient] = gradients(sum(multiply(product, product)), [weights]);
    const inputs = new Map<Tensor, Values>([
      [data, Uint8Array.from({ length: data.size }, () => random.below(256))],
      [order, random.permutation(3000)],
      [start, Uint32Array.of(7)],
      [weights, drawn(...weights.shape)],
    ]);
    await requireSameBits({ product }, inputs, ["LEFT", "RIGHT"]);
    await requireSameBits({ product, gradient: gradient! }, inputs, ["LEFT", "RIGHT"]);
  });
});

describe.each([
  { name: "a convolution", groups: 1, options: { padding: "same" } },
  { name: "a convolution with a stride and a dilation", groups: 1, options: { stride: 2, dilation: 2, padding: 3 } },
  { name: "a convolution in two groups", groups: 2, options: { padding: "same" } },
] as const)("$name", ({ groups, options }) => {
  test("and its gradients have the same bits", async () => {
    const [images, weights] = [input("images", [31, 17, 18, 16]), input("weights", [3, 3, 16 / groups, 20])];
    const y = relu(conv2d(images, weights, { ...options, groups }));
    const [byImages, byWeights] = gradients(sum(multiply(y, y)), [images, weights]);
    const inputs = new Map([images, weights].map((leaf) => [leaf, drawn(...leaf.shape)]));
    await requireSameBits({ y, byImages: byImages!, byWeights: byWeights! }, inputs, ["LEFT"]);
  });
});

test("an operand that is also read element by element, and operands that are moved while they are read", async () => {
  const [x, w, v] = [input("x", [12, 1000, 64]), input("w", [12, 24, 64]), input("v", [12, 4, 24, 16])];
  const shifted = slice(x, [undefined, { start: 5, end: 997 }]);
  const padded = pad(x, [0, [1, 3], 0]);
  const heads = transpose(reshape(x, [12, 1000, 4, 16]), [0, 2, 1, 3]);
  const first = reshape(slice(w, [{ start: 1, end: 2 }]), [24, 64]);
  const factors = reshape(slice(x, [undefined, undefined, { start: 0, end: 24 }]), [-1, 24]);
  const outputs = {
    shifted: matmul(shifted, w, { transposeRight: true }),
    padded: matmul(padded, w, { transposeRight: true }),
    heads: matmul(heads, v, { transposeRight: true }),
    scaled: multiply(matmul(reshape(x, [-1, 64]), first, { transposeRight: true }), factors),
  };
  const inputs = new Map([x, w, v].map((leaf) => [leaf, drawn(...leaf.shape)]));
  await requireSameBits(outputs, inputs, ["LEFT", "RIGHT"]);
});

test.each([
  { first: 24, expected: "select(" },
  { first: 25, expected: "vec4(read_right(" },
] as const)("a product reads a concatenation of $first and more columns in vec4s", async ({ first, expected }) => {
  const [w, x, y] = [input("w", [40, 64]), input("x", [40, first]), input("y", [40, 64 - first])];
  const inputs = new Map([w, x, y].map((leaf) => [leaf, drawn(...leaf.shape)]));
  const compiled = kernels.length;
  const product = matmul(w, concat([x, y], 1), { transposeLeft: true });
  const values = await valuesWith(undefined, { product }, inputs);
  const reader = kernels.slice(compiled).map((code) => /fn read_right_vec4[^}]*}/.exec(code)?.[0]);
  expect(reader.join("")).toContain(expected);
  expect(values).toEqual(await valuesWith("4×4 outputs", { product }, inputs));
});

test("rows of a product are those of a concatenation", async () => {
  const [w, x, y] = [input("w", [60, 64]), input("x", [20, 64]), input("y", [40, 64])];
  const inputs = new Map([w, x, y].map((leaf) => [leaf, drawn(...leaf.shape)]));
  await requireSameBits({ product: matmul(w, concat([x, y]), { transposeLeft: true }) }, inputs, ["RIGHT"]);
});
