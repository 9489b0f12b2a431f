/*
 * The kernels for GPUs, which a software adapter runs here too. Their results are compared bit for bit with sums in the order that
 * the numbers of parts prescribe.
 */
import { afterAll, describe, expect, test } from "vitest";
import { launchLimitsOf } from "../../src/backends/webgpu/rules.ts";
import { openDevice } from "../../src/device/device.ts";
import { dawnGpu } from "../../src/node/dawn.ts";
import { innerParts } from "../../src/ops/matmul/webgpu-inner-parts.ts";
import { possibleTilings } from "../../src/ops/matmul/webgpu-tilings.ts";
import { withFloat16 } from "../gpu.ts";
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
import { FEW_LOADS, tiledBackend } from "./tiled-backend.ts";

const source = dawnGpu();
const device = await openDevice(source, { software: false });
const softwareDevice = await openDevice(source, { software: true });
/** With bindings of 1024 bytes, so that long products are divided and accumulated in memory. */
const smallDevice = await openDevice(source, { software: false, limits: { maxStorageBufferBindingSize: 1024 } });
afterAll(() => {
  for (const one of [device, softwareDevice, smallDevice]) one.destroy();
  source.release();
});

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
    tilings: [
      "tile 128×128, 8×8 outputs, steps of 8, two buffers",
      "tile 128×64, 8×4 outputs",
      "tile 128×64, 16×8 outputs",
      "tile 64×128, 8×16 outputs",
    ],
  },
  {
    sizes: { rows: 20, inner: 64, columns: 24, batches: 3 },
    parts: 2,
    ways: [[false, true]],
    tilings: ["tile 16×32, 4×4 outputs, steps of 8"],
  },
] as const)(
  "$sizes.rows×$sizes.inner · $sizes.inner×$sizes.columns in $parts parts",
  ({ sizes, parts, ways, tilings }) => {
    const limits = launchLimitsOf(device);
    const cases = ways.flatMap((way) => tilings.map((tiling) => [way, tiling] as const));

    test.each(cases)("transposed: %j, %s", async (way, tiling) => {
      expect(innerParts(attributesOf(sizes), limits).count).toBe(parts);
      const { tileRows, tileColumns } = possibleTilings(attributesOf(sizes), limits)[tiling]!;
      const example = productExample(sizes, way, limits);
      const { values, guards, dispatches } = await run(device, tiling, example);
      expect(values["y"]).toEqual(example.expected);
      expect(guards).toEqual([]);
      const grid = [Math.ceil(sizes.columns / tileColumns), Math.ceil(sizes.rows / tileRows)];
      expect(dispatches.map(({ grid: [x, z] }) => [x, z])).toEqual([grid]);
    });
  },
);

test("a software adapter adds all terms in order", async () => {
  const sizes = { rows: 70, inner: 200, columns: 36 };
  const limits = launchLimitsOf(softwareDevice);
  expect(innerParts(attributesOf(sizes), limits)).toEqual({ count: 1, length: 200 });
  const example = productExample(sizes, [false, false], limits);
  const { values } = await run(softwareDevice, undefined, example);
  expect(values["y"]).toEqual(example.expected);
});

test.each(["float32", "float16"] as const)(
  "the sums of the right operand's columns are made by the same kernel, before it is rounded to %s",
  async (precision) => {
    const body = async () => {
      const example = columnSumsExample(precision, launchLimitsOf(device));
      const { values, dispatches } = await run(device, "tile 32×32, 4×4 outputs, steps of 8", example);
      expect(values).toEqual(example.expected);
      expect(dispatches.length).toBe(1);
    };
    await (precision === "float16" ? withFloat16(tiledBackend(device, undefined), body) : body());
  },
);

test("a product whose inner axis is divided among launches has the same bits as one that is not", async () => {
  const example = dividedExample();
  const { values, dispatches } = await run(smallDevice, FEW_LOADS, example);
  expect(dispatches.length).toBe(2);
  expect(values).toEqual(example.expected);
});

test.each([
  ["a batch of bytes, and the gradient of the weights", bytesExample()],
  ["a convolution with a stride, and its gradients", convolutionExample()],
])(
  "operands computed while they are read, with one part, give the bits of the kernels for software adapters: %s",
  async (_, example) => {
    const found = await run(device, FEW_LOADS, example);
    const expected = await run(softwareDevice, undefined, example);
    expect(found.values).toEqual(expected.values);
    expect(found.guards).toEqual([]);
  },
);

describe("float16", () => {
  const chosen = productCases.filter(({ name }) => /^matmul (17×129ᵀ · 129×65ᵀ, float16|at the ends)/.test(name));
  parityTests(async () => tiledBackend(device, FEW_LOADS), chosen);
});
