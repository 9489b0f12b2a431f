/*
 * Convolutions on a device whose bindings are smaller than their windows, or than their images.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Backend } from "../../src/backends/backend.ts";
import { createCpuBackend } from "../../src/backends/cpu/index.ts";
import { DeviceError } from "../../src/errors.ts";
import { defineGraph } from "../../src/graph/graph.ts";
import { parameter } from "../../src/graph/leaves.ts";
import { sizeOf, type Shape, type Tensor } from "../../src/graph/tensor.ts";
import { conv2d, convTranspose2d, maxPool2d, type ConvolutionOptions } from "../../src/ops/convolution/index.ts";
import { relu } from "../../src/ops/elementwise/index.ts";
import { gradients } from "../../src/ops/gradients.ts";
import { reshape } from "../../src/ops/layout/index.ts";
import { matmul } from "../../src/ops/matmul/index.ts";
import { Random } from "../../src/random.ts";
import { acquireGuardedBackend } from "../gpu.ts";
import { requireIntactGuards } from "../guarded-buffers.ts";

let backend: Backend;
beforeAll(async () => {
  backend = await acquireGuardedBackend({ limits: { maxStorageBufferBindingSize: 16_384 } });
});
afterAll(() => backend.dispose());

const cpu = createCpuBackend({ precision: "float64" });

const random = new Random(8);
const drawn = (name: string, shape: Shape) => {
  const values = Float32Array.from({ length: sizeOf(shape) }, () => random.uniform(-1, 1));
  return parameter(name, shape, values);
};

/** The value of an output of one node, and the number of its dispatches. */
async function run(on: Backend, value: Tensor) {
  const session = on.createSession();
  const executable = await session.compile(defineGraph({ value }));
  await executable.run(0, 1);
  const values = await executable.read("value");
  await requireIntactGuards(executable);
  const dispatches = executable.dispatches.length;
  session.dispose();
  return { values, dispatches };
}

/** Compares with the reference, and returns the number of dispatches. */
async function compare(value: Tensor, joined: number): Promise<number> {
  const [{ values, dispatches }, { values: expected }] = await Promise.all([run(backend, value), run(cpu, value)]);
  const bound = 16 * 2 ** -24 * Math.sqrt(joined) * Math.max(...Array.from(expected, Math.abs));
  expected.forEach((one, index) => expect(Math.abs(values[index]! - one), `${index}`).toBeLessThanOrEqual(bound));
  return dispatches;
}

/** The gradient of Σ `output` · `upstream`, without a kernel that reads all of `output`. */
function gradientOf(output: Tensor, upstream: Tensor, of: Tensor): Tensor {
  const total = matmul(reshape(output, [1, -1]), reshape(upstream, [-1, 1]));
  return gradients(reshape(total, []), [of])[0]!;
}

test("a convolution is one launch if its images and outputs fit, whatever the size of its windows", async () => {
  const images = drawn("images", [4, 12, 12, 5]);
  const weights = drawn("weights", [3, 3, 5, 6]);
  const output = conv2d(images, weights, { padding: "same" });
  expect(await compare(output, 45)).toBe(1);
});

describe.each<[string, Shape, Shape, ConvolutionOptions]>([
  ["3 × 3", [6, 12, 12, 5], [3, 3, 5, 6], { padding: "same" }],
  ["stride 2, four channels at a time", [5, 13, 11, 8], [3, 3, 8, 4], { stride: 2 }],
  ["images that each need more than half of a binding", [2, 48, 48, 1], [5, 5, 1, 2], { padding: "same", stride: 3 }],
])("images that do not fit into a binding: %s", (_, imageShape, weightShape, options) => {
  const images = drawn("images", imageShape);
  const weights = drawn("weights", weightShape);
  const bias = drawn("bias", [weightShape[3]!]);
  const output = conv2d(images, weights, { ...options, bias });
  const upstream = drawn("upstream", output.shape);
  const [, height, width] = output.shape;

  test("the output, with bias and activation, in parts", async () => {
    expect(await compare(relu(output), sizeOf(weightShape.slice(0, 3)))).toBeGreaterThan(1);
  });

  test("the gradient of the weights", async () => {
    expect(await compare(gradientOf(output, upstream, weights), imageShape[0]! * height! * width!)).toBeGreaterThan(1);
  });

  test("the gradient of the images", async () => {
    const joined = sizeOf([...weightShape.slice(0, 2), weightShape[3]!]);
    expect(await compare(gradientOf(output, upstream, images), joined)).toBeGreaterThan(1);
  });
});

test("a convolution in two groups of images that do not fit into a binding", async () => {
  const images = drawn("images", [6, 12, 12, 6]);
  const output = conv2d(images, drawn("weights", [3, 3, 3, 4]), { padding: "same", groups: 2 });
  expect(await compare(relu(output), 27)).toBeGreaterThan(1);
});

test("a transposed convolution of images that do not fit into a binding", async () => {
  const images = drawn("images", [6, 12, 12, 5]);
  const output = convTranspose2d(images, drawn("weights", [3, 3, 4, 5]), { stride: 2 });
  expect(await compare(output, 45)).toBeGreaterThan(1);
});

test.each([
  ["an image that alone does not fit", () => conv2d(drawn("images", [2, 65, 64, 1]), drawn("weights", [3, 3, 1, 2]))],
  ["pooling", () => maxPool2d(drawn("images", [7, 12, 12, 5]), 3, { stride: 2 })],
])("%s is refused with the size of the images and that of a binding", async (_, build) => {
  const compiling = backend.createSession().compile(defineGraph({ output: build() }));
  await expect(compiling).rejects.toThrow(DeviceError);
  await expect(compiling).rejects.toThrow(
    /images float32\[.*\] needs \d+ bytes in one binding, and this device allows 16384\. Use a smaller batch/,
  );
});
