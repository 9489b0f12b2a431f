/*
 * Products by subgroup matrices. Few adapters have them, so three things are tested: on the adapter here, if it has them; that
 * Dawn's compiler accepts the WGSL, on its adapter without a device behind it; and its results, with a subgroup's matrices emulated
 * by arrays of each thread.
 */
import { afterAll, describe, expect, test } from "vitest";
import { createWebGPUBackend } from "../../src/backends/on-demand.ts";
import { launchLimitsOf } from "../../src/backends/webgpu/rules.ts";
import type { GpuSource } from "../../src/device/adapter.ts";
import { openDevice } from "../../src/device/device.ts";
import { defineGraph } from "../../src/graph/graph.ts";
import { input } from "../../src/graph/leaves.ts";
import type { Tensor } from "../../src/graph/tensor.ts";
import { dawnGpu } from "../../src/node/dawn.ts";
import { relu, add } from "../../src/ops/elementwise/index.ts";
import { matmul, matrixProducts } from "../../src/ops/matmul/index.ts";
import { promisingTilings, tunedTilings } from "../../src/ops/matmul/webgpu-candidates.ts";
import realMatrices from "../../shaders/subgroup_matrix.wgsl?raw";
import { changedSource, compilerOnlyGpu } from "../gpu.ts";
import { allCases } from "./all-cases.ts";
import { check, judgeCase, runJudged, seed } from "./parity.ts";

const FEATURE = "chromium-experimental-subgroup-matrix" as const;
const features = ["subgroups", "shader-f16", FEATURE] as const;

interface Sizes {
  readonly M: number;
  readonly N: number;
  readonly K: number;
}

/** The matrices of NVIDIA's GPUs. */
const USUAL: Sizes = { M: 16, N: 8, K: 16 };

/** Small ones, whose kernel compiles fast, and all different. */
const SMALL: Sizes = { M: 4, N: 2, K: 3 };

/** The functions of subgroup_matrix.wgsl, for subgroups of one thread: every thread has whole matrices and computes all sums. */
const EMULATED = `
alias Left = array<Operand, MATRIX_ROWS * MATRIX_INNER>;
alias Right = array<Operand, MATRIX_INNER * MATRIX_COLUMNS>;
alias Sums = array<f32, MATRIX_ROWS * MATRIX_COLUMNS>;

fn load_left(place: u32) -> Left {
    var values: Left;
    for (var r = 0u; r < MATRIX_ROWS; r++) {
        for (var k = 0u; k < MATRIX_INNER; k++) {
            values[r * MATRIX_INNER + k] = left_block[place + r * MATRIX_INNER + k];
        }
    }
    return values;
}

fn load_right(place: u32) -> Right {
    var values: Right;
    for (var k = 0u; k < MATRIX_INNER; k++) {
        for (var c = 0u; c < MATRIX_COLUMNS; c++) {
            values[k * MATRIX_COLUMNS + c] = right_block[place + k * TILE_COLUMNS + c];
        }
    }
    return values;
}

fn multiply_add(left: Left, right: Right, sums: Sums) -> Sums {
    var result = sums;
    for (var r = 0u; r < MATRIX_ROWS; r++) {
        for (var c = 0u; c < MATRIX_COLUMNS; c++) {
            for (var k = 0u; k < MATRIX_INNER; k++) {
                result[r * MATRIX_COLUMNS + c] += f32(left[r * MATRIX_INNER + k]) * f32(right[k * MATRIX_COLUMNS + c]);
            }
        }
    }
    return result;
}

fn store_sums(place: u32, sums: Sums) {
    for (var r = 0u; r < MATRIX_ROWS; r++) {
        for (var c = 0u; c < MATRIX_COLUMNS; c++) {
            results[place + r * TILE_COLUMNS + c] = sums[r * MATRIX_COLUMNS + c];
        }
    }
}
`;

/** A source whose devices say that they have subgroup matrices of these sizes. */
function sourceWith(source: GpuSource, threads: number, sizes: Sizes, change?: (device: GPUDevice) => void): GpuSource {
  const subgroupMatrixConfigs = [{ ...sizes, componentType: "f16", resultComponentType: "f32" }];
  const changed = changedSource(source, (device) => {
    const { vendor, architecture, description } = device.adapterInfo;
    const info = { vendor, architecture, description, device: "", subgroupMinSize: threads, subgroupMaxSize: threads };
    Object.defineProperty(device, "adapterInfo", { value: { ...info, subgroupMatrixConfigs } });
    Object.defineProperty(device, "features", { value: new Set<string>(features) });
    change?.(device);
  });
  return { ...changed, release() {} };
}

/** A layer with a bias, whose weights are read as they are and transposed. */
function layer(transposeRight: boolean) {
  const x = input("x", [3, 37, 20]);
  const weights = input("weights", transposeRight ? [19, 20] : [20, 19]);
  return defineGraph({
    result: relu(add(matmul(x, weights, { precision: "float16", transposeRight }), input("bias", [19]))),
  });
}

const parityCases = allCases.filter(({ name, covers }) => covers.includes("matmul") && name.includes("float16"));

/** Of which a few are emulated, since each shape is compiled anew: with their gradients, they have all four transposes. */
const emulatedCases = parityCases.filter(({ name }) =>
  ["matmul 17×129ᵀ · 129×65ᵀ, float16", "matmul of batches, float16", "matmul at the ends of float16"].includes(name),
);

const unsafe = dawnGpu({ flags: ["enable-dawn-features=allow_unsafe_apis"] });
const withoutDevice = compilerOnlyGpu();
afterAll(() => {
  unsafe.release();
  withoutDevice.release();
});

test("an adapter that has them passes the cases of float16 products", async () => {
  const device = await openDevice(unsafe, { features });
  const { subgroupMatrix, gpu, adapter } = device;
  device.destroy();
  expect(gpu.features.has(FEATURE as GPUFeatureName) || subgroupMatrix === undefined).toBe(true);
  if (!subgroupMatrix) {
    console.log(`${adapter.name} has no subgroup matrices of float16 with float32 sums`);
    return;
  }
  const backend = await createWebGPUBackend(unsafe, { features });
  for (const opCase of parityCases) {
    const judged = await judgeCase(opCase, seed);
    for (const [output, values] of Object.entries(await runJudged(backend, judged))) check(judged, output, values);
  }
  backend.dispose();
});

test("Dawn's compiler accepts the kernel", async () => {
  const adapter = (await withoutDevice.gpu.requestAdapter())!;
  // Dawn requires a multiple of the largest subgroup.
  const { subgroupMaxSize } = adapter.info;
  const kernels: string[] = [];
  const onKernel = (_: string, code: string) => kernels.push(code);
  const backend = await createWebGPUBackend(sourceWith(withoutDevice, subgroupMaxSize, USUAL), { features, onKernel });
  for (const transposed of [false, true]) await backend.createSession().compile(layer(transposed));
  expect(kernels).toHaveLength(2);
  for (const code of kernels) {
    expect(code).toContain(`enable ${FEATURE.replaceAll("-", "_")};`);
    expect(code).toContain("subgroupMatrixMultiplyAccumulate");
  }
  backend.dispose();
});

describe("with emulated matrices", () => {
  const emulated = sourceWith(unsafe, 4, SMALL, (device) => {
    const create = device.createShaderModule.bind(device);
    const inEmulation = (code: string) => {
      if (!code.includes("chromium_experimental")) return code;
      expect(code).toContain(realMatrices);
      return code.replace("enable chromium_experimental_subgroup_matrix;", "").replace(realMatrices, EMULATED);
    };
    device.createShaderModule = (descriptor) => create({ ...descriptor, code: inEmulation(descriptor.code) });
  });

  test("products have the results of the reference", async () => {
    const products: string[] = [];
    const onKernel = (_: string, code: string) => products.push(...(code.includes("multiply_add(left") ? [code] : []));
    const backend = await createWebGPUBackend(emulated, { features, onKernel });
    expect(emulatedCases).toHaveLength(3);
    for (const opCase of emulatedCases) {
      const judged = await judgeCase(opCase, seed);
      const results = await runJudged(backend, judged);
      for (const [output, values] of Object.entries(results)) check(judged, output, values);
    }
    backend.dispose();
    const isTransposed = (side: string) => products.some((code) => code.includes(`TRANSPOSE_${side} = true`));
    expect([isTransposed("LEFT"), isTransposed("RIGHT")]).toEqual([true, true]);
    expect(products).toHaveLength(emulatedCases.length);
  });

  test("a product whose inner axis takes two launches adds both", async () => {
    const [left, right] = [input("left", [300, 8]), input("right", [300, 4])];
    const product = matmul(left, right, { transposeLeft: true, precision: "float16" });
    const backend = await createWebGPUBackend(emulated, { features, limits: { maxStorageBufferBindingSize: 8192 } });
    const session = backend.createSession();
    const executable = await session.compile(defineGraph({ product }));
    expect(executable.dispatches).toHaveLength(2);
    const values = ({ size }: Tensor, factor: number) =>
      Float32Array.from({ length: size }, (_, at) => ((at * factor) % 7) - 3);
    const [a, b] = [values(left, 5), values(right, 3)];
    session.write(left, a);
    session.write(right, b);
    executable.run(0, 1);
    const expected = Array.from({ length: 32 }, (_, at) =>
      Array.from({ length: 300 }, (__, k) => a[k * 8 + Math.floor(at / 4)]! * b[k * 4 + (at % 4)]!).reduce(
        (sum, term) => sum + term,
      ),
    );
    expect([...(await executable.read("product"))]).toEqual(expected);
    backend.dispose();
  });

  test("the tuner leaves products of float16 alone, and those of float32 have their tilings", async () => {
    const device = await openDevice(emulated, { features });
    const limits = launchLimitsOf(device);
    device.destroy();
    const productOf = (precision: "float16" | "float32") =>
      matrixProducts(defineGraph({ y: matmul(input("a", [64, 64]), input("b", [64, 64]), { precision }) }))[0]!;
    expect(promisingTilings(productOf("float16"), limits)).toEqual([]);
    expect(tunedTilings(productOf("float16"), limits)).toEqual([]);
    expect(promisingTilings(productOf("float32"), limits).length).toBeGreaterThan(1);
    const { subgroupMatrix: _, ...others } = limits;
    expect(promisingTilings(productOf("float16"), others).length).toBeGreaterThan(1);
  });
});

test("a device has them only if they are asked for", async () => {
  const device = await openDevice(withoutDevice);
  expect(device.gpu.features.has(FEATURE as GPUFeatureName)).toBe(false);
  expect(launchLimitsOf(device).subgroupMatrix).toBeUndefined();
  device.destroy();
});
