import { expect, test } from "vitest";
import { createCpuBackend } from "../../src/backends/cpu/index.ts";
import type { Backend } from "../../src/backends/backend.ts";
import type { WebGPUOptions } from "../../src/backends/webgpu/index.ts";
import { defineGraph } from "../../src/graph/graph.ts";
import { input, parameter, stepScalar } from "../../src/graph/leaves.ts";
import { optimizers } from "../../src/nn/index.ts";
import { add, multiply, subtract } from "../../src/ops/elementwise/index.ts";
import { pack } from "../../src/ops/layout/index.ts";
import { Random } from "../../src/random.ts";
import { acquireBackend, acquireGuardedBackend } from "../gpu.ts";
import { requireIntactGuards } from "../guarded-buffers.ts";

const random = new Random(3);
const drawn = (size: number) => Float32Array.from({ length: size }, () => random.uniform(0.5, 1.5));

/** Collects the WGSL of every kernel that is created while `body` runs. */
async function shadersOf(body: () => Promise<void>): Promise<string[]> {
  const codes: string[] = [];
  const original = GPUDevice.prototype.createShaderModule;
  GPUDevice.prototype.createShaderModule = function (this: GPUDevice, descriptor) {
    codes.push(descriptor.code);
    return original.call(this, descriptor);
  };
  try {
    await body();
  } finally {
    GPUDevice.prototype.createShaderModule = original;
  }
  return codes;
}

const isVec4 = (code: string) => code.includes("fn finish_vec4(");

/** Runs three steps of Adam over parameters of two sizes, and returns the parameters and moments. */
async function adamSteps(
  backend: Backend,
  sizes: readonly number[],
  values: readonly Float32Array[],
  gradients: Float32Array,
) {
  const parameters = sizes.map((size, at) => parameter(`p${at}`, [size], values[at]!));
  const gradient = input("gradient", pack(parameters).shape);
  const updates = optimizers
    .adam()
    .update(parameters, gradient, { learningRate: stepScalar("rate", (step) => 0.01 / (1 + step)) });
  const session = backend.createSession();
  const executable = await session.compile(defineGraph({}, updates));
  session.write(gradient, gradients);
  await executable.run(0, 3);
  await requireIntactGuards(executable);
  const leaves = [...parameters, ...updates.slice(1).map(({ target }) => target)];
  return Promise.all(leaves.map((leaf) => session.read(leaf)));
}

const cut: Partial<WebGPUOptions> = { limits: { maxStorageBufferBindingSize: 4 * 4160 } };

test.each([
  ["in one binding", {}, 1],
  ["in parts, each with its own start", cut, 2],
] as const)("an optimizer takes four elements at a time, %s, as the CPU computes them", async (_, options, parts) => {
  const sizes = [4099, 130];
  const packed = 4160 + 192;
  const [values, gradients] = [sizes.map(drawn), drawn(packed)];
  const backend = await acquireGuardedBackend(options);
  let found: Awaited<ReturnType<typeof adamSteps>> = [];
  const codes = await shadersOf(async () => {
    found = await adamSteps(backend, sizes, values, gradients);
  });
  expect(codes.map(isVec4)).toEqual(new Array(parts).fill(true));
  const expected = await adamSteps(createCpuBackend({ precision: "float64" }), sizes, values, gradients);
  for (const [at, array] of expected.entries()) {
    // Three steps of about ten operations on numbers of order 1.
    array.forEach((value, element) => expect(Math.abs(found[at]![element]! - value)).toBeLessThan(64 * 2 ** -24));
  }
  backend.dispose();
});

test("short vectors, sizes that are not multiples of four, and reads of other elements use one element per thread", async () => {
  const backend = await acquireBackend();
  const [x, short, odd] = [input("x", [64, 80]), input("short", [4092]), input("odd", [4097])];
  const row = input("row", [80]);
  const chains = [add(multiply(x, x), row), subtract(multiply(short, short), short), subtract(multiply(odd, odd), odd)];
  for (const y of chains) {
    const codes = await shadersOf(() =>
      backend
        .createSession()
        .compile(defineGraph({ y }))
        .then(() => {}),
    );
    expect(codes.map(isVec4)).toEqual([false]);
  }
  const own = await shadersOf(() =>
    backend
      .createSession()
      .compile(defineGraph({ y: multiply(x, x) }))
      .then(() => {}),
  );
  expect(own.map(isVec4)).toEqual([true]);
  backend.dispose();
});
