/*
 * The tilings for GPUs with subgroups of 16, 32 or 64, bit for bit, on an adapter that has them. lavapipe has subgroups of 16 with
 * vectors of 512 bits. Those are not the processor's: LLVM divides them into what it has. For 32 and 64, Dawn's compiler checks the
 * WGSL, on its adapter without a device behind it.
 */
import { afterAll, describe, expect, test } from "vitest";
import { launchLimitsOf } from "../../src/backends/webgpu/rules.ts";
import { WebGPUSession } from "../../src/backends/webgpu/session.ts";
import { openDevice } from "../../src/device/device.ts";
import { defineGraph } from "../../src/graph/graph.ts";
import { input } from "../../src/graph/leaves.ts";
import { dawnGpu } from "../../src/node/dawn.ts";
import { matmul } from "../../src/ops/matmul/index.ts";
import { innerParts } from "../../src/ops/matmul/webgpu-inner-parts.ts";
import { canShuffle, shuffleTilings } from "../../src/ops/matmul/webgpu-shuffle-tilings.ts";
import { changedSource, compilerOnlyGpu, withFloat16 } from "../gpu.ts";
import { cases as productCases } from "./matmul.cases.ts";
import { parityTests } from "./parity-suite.ts";
import {
  attributesOf,
  bytesExample,
  columnSumsExample,
  convolutionExample,
  dividedExample,
  productExample,
  run,
} from "./product-examples.ts";
import { tiledBackend } from "./tiled-backend.ts";

// lavapipe reads it when Dawn first opens an adapter. Each file with a device has a process of its own.
process.env["LP_NATIVE_VECTOR_WIDTH"] = "512";
const source = dawnGpu();
const kernels: string[] = [];
const note = (_name: string, code: string) => void kernels.push(code);
const shuffling = () => kernels.filter((code) => code.includes("subgroupShuffle(")).length;
const device = await openDevice(source, { software: false, onKernel: note });
const limits = launchLimitsOf(device);
/** Its kernels, of which that with one output of a thread compiles fastest, have the same bits where a product has one part. */
const softwareDevice = await openDevice(source, { software: true });
/** With bindings of 1024 bytes, so that long products are divided and accumulated in memory. */
const smallDevice = await openDevice(source, { software: false, limits: { maxStorageBufferBindingSize: 1024 } });
const withoutDevice = compilerOnlyGpu();
afterAll(() => {
  for (const one of [device, softwareDevice, smallDevice]) one.destroy();
  source.release();
  withoutDevice.release();
});

const { subgroupMinSize, subgroupMaxSize } = device.gpu.adapterInfo;
if (!canShuffle(limits)) {
  throw new Error(
    `${device.adapter.name} has subgroups of ${subgroupMinSize} to ${subgroupMaxSize} threads, but these tests need 16, 32 or 64. Run them on lavapipe (npm run setup), which has 16 with LP_NATIVE_VECTOR_WIDTH=512, or on such a GPU`,
  );
}

/** Parts of 48 values of k, and one of 11 or 8: neither is a multiple of 32 or 64. No size, or each, is a multiple of 4. */
const RAGGED = { rows: 70, inner: 107, columns: 70 };
const DIVISIBLE = { rows: 72, inner: 104, columns: 72 };

/** Sizes, and whether the left and the right operand are transposed. */
const combinations = [
  { sizes: DIVISIBLE, way: [false, true] },
  { sizes: DIVISIBLE, way: [false, false] },
  { sizes: RAGGED, way: [true, false] },
  { sizes: DIVISIBLE, way: [true, true] },
  { sizes: RAGGED, way: [false, true] },
  { sizes: RAGGED, way: [false, false] },
  { sizes: RAGGED, way: [true, true] },
  { sizes: DIVISIBLE, way: [true, false] },
] as const;

const tilings = Object.entries(shuffleTilings(attributesOf(RAGGED), limits));

/**
 * Compiling a kernel takes one to three seconds on lavapipe, so each tiling has one of the combinations. With four adjacent columns of
 * a lane they have all; with one or two also those that read vec4s of values of k.
 */
const cases = tilings.map(([name, tiling], at) => ({ name, tiling, ...combinations[at % combinations.length]! }));

test.each(cases)("$name: $sizes, transposed: $way", async ({ name, tiling, sizes, way }) => {
  expect(innerParts(attributesOf(sizes), limits)).toEqual({ count: 3, length: 48 });
  const example = productExample(sizes, way, limits);
  const { values, guards, dispatches } = await run(device, name, example);
  expect(values["y"]).toEqual(example.expected);
  expect(guards).toEqual([]);
  const grid = [Math.ceil(sizes.columns / tiling.tileColumns), Math.ceil(sizes.rows / tiling.tileRows), 1];
  expect(dispatches.map((dispatch) => dispatch.grid)).toEqual([grid]);
});

/** The name of the tiling with so many rows and columns of a lane, and subgroups of a part. */
const named = (rows: number, columns: number, subgroups: number): string =>
  tilings.find(
    ([, { constants }]) =>
      constants.THREAD_ROWS === rows && constants.THREAD_COLUMNS === columns && constants.PART_SUBGROUPS === subgroups,
  )![0];

/** With one, two and four adjacent columns of a lane. */
describe.each([named(4, 4, 4), named(8, 2, 1), named(8, 1, 1)])("%s, float16", (name) => {
  const chosen = productCases.filter((one) => one.name === "matmul 17×129ᵀ · 129×65ᵀ, float16");
  parityTests(async () => tiledBackend(device, name), chosen);
});

/** With and without several subgroups of a part, and several columns of a lane. */
describe.each([named(4, 4, 4), named(8, 1, 1)])("%s", (name) => {
  test("a batched product", async () => {
    const sizes = { rows: 20, inner: 64, columns: 24, batches: 3 };
    expect(innerParts(attributesOf(sizes), limits).count).toBe(2);
    const example = productExample(sizes, [false, true], limits);
    expect((await run(device, name, example)).values["y"]).toEqual(example.expected);
  });

  test.each(["float32", "float16"] as const)(
    "the sums of the right operand's columns are made by the same kernel, before it is rounded to %s",
    async (precision) => {
      const body = async () => {
        const example = columnSumsExample(precision, limits);
        const { values, dispatches } = await run(device, name, example);
        expect(values).toEqual(example.expected);
        expect(dispatches.length).toBe(1);
      };
      await (precision === "float16" ? withFloat16(tiledBackend(device, name), body) : body());
    },
  );

  test("a product whose inner axis is divided among launches has the same bits as one that is not", async () => {
    const example = dividedExample();
    const { values, dispatches } = await run(smallDevice, name, example);
    expect(dispatches.length).toBe(2);
    expect(values).toEqual(example.expected);
  });

  test.each([
    ["a batch of bytes, and the gradient of the weights", bytesExample(), 2],
    ["a convolution with a stride, and its gradients", convolutionExample(), 3],
  ])("operands computed while they are read give the bits of another kernel: %s", async (_, example, products) => {
    const expected = await run(softwareDevice, "1×1 outputs", example);
    const before = shuffling();
    const found = await run(device, name, example);
    expect(shuffling() - before).toBe(products);
    expect(found.values).toEqual(expected.values);
    expect(found.guards).toEqual([]);
  });
});

describe.each([32, 64])("subgroups of %i", (size) => {
  const changed = changedSource(withoutDevice, (gpu) => {
    const { vendor, architecture, description } = gpu.adapterInfo;
    const value = { vendor, architecture, description, device: "", subgroupMinSize: size, subgroupMaxSize: size };
    Object.defineProperty(gpu, "adapterInfo", { value });
  });

  test("Dawn's compiler accepts the kernels", async () => {
    const opened = await openDevice(changed, { software: false, onKernel: note });
    const before = shuffling();
    let expected = 0;
    for (const { sizes, way } of combinations) {
      const { rows, inner, columns } = sizes;
      const [transposeLeft, transposeRight] = way;
      for (const name of Object.keys(shuffleTilings(attributesOf(sizes), launchLimitsOf(opened)))) {
        for (const precision of ["float32", "float16"] as const) {
          const left = input("left", transposeLeft ? [inner, rows] : [rows, inner]);
          const right = input("right", transposeRight ? [columns, inner] : [inner, columns]);
          const y = matmul(left, right, { transposeLeft, transposeRight, precision });
          const session = new WebGPUSession(opened, { choiceOf: () => name, mergeKernels: false });
          await session.compile(defineGraph({ y }));
          session.dispose();
          expected++;
        }
      }
    }
    expect(expected).toBeGreaterThan(100);
    expect(shuffling() - before).toBe(expected);
    expect(kernels.at(-1)).toContain(`const LANES = ${size}u;`);
    opened.destroy();
  });
});
