/*
 * The kernels that wgrad writes for devices of other kinds than the adapter here, and those that the tuner may choose. All are
 * compiled, and a few run.
 */
import { browserGpu } from "../../src/device/adapter.ts";
import { openDevice, type Device, type DeviceLimits, type DeviceOptions } from "../../src/device/device.ts";
import { launchLimitsOf } from "../../src/backends/webgpu/rules.ts";
import { defineGraph } from "../../src/graph/graph.ts";
import { input } from "../../src/graph/leaves.ts";
import type { Tensor } from "../../src/graph/tensor.ts";
import { matmul, type MatmulAttributes } from "../../src/ops/matmul/index.ts";
import { possibleTilings } from "../../src/ops/matmul/webgpu-tilings.ts";
import { allCases } from "../ops/all-cases.ts";
import type { OpCase } from "../ops/cases.ts";
import { buildCase, caseGradients } from "../ops/evaluate.ts";
import { tiledBackend } from "../ops/tiled-backend.ts";
import { caseErrors } from "./case-errors.ts";

/** A kind of devices that the device here stands for. */
interface Kind {
  readonly options: DeviceOptions;
  /** By the name of the adapter. */
  readonly name?: string;
}

/** The limits that every WebGPU device has. */
const DEFAULT_LIMITS: Partial<DeviceLimits> = {
  maxStorageBuffersPerShaderStage: 8,
  maxComputeWorkgroupStorageSize: 16_384,
  maxComputeInvocationsPerWorkgroup: 256,
};

/** Bindings so small that [9, 40] · [40, 7] is divided along 40, and accumulated in memory. */
const SMALL_BINDINGS: Partial<DeviceLimits> = { maxStorageBufferBindingSize: 1024 };

const kinds: Readonly<Record<string, Kind>> = {
  GPUs: { options: { software: false } },
  "GPUs with the smallest limits": { options: { software: false, limits: DEFAULT_LIMITS } },
  "software adapters": { options: { software: true } },
  "software adapters with slow arrays": { options: { software: true }, name: "swiftshader" },
};

/** A device of a kind, with the WGSL that it is asked to compile. */
async function openKind(kind: string, limits: Partial<DeviceLimits> = {}) {
  const { options, name } = kinds[kind]!;
  const kernels = new Set<string>();
  const opened = await openDevice(browserGpu(), {
    ...options,
    limits: { ...options.limits, ...limits },
    onKernel: (_, code) => kernels.add(code),
  });
  const device: Device = Object.assign(opened, { adapter: { ...opened.adapter, ...(name && { name }) } });
  return { device, kernels };
}

/** Outputs to compile, by themselves and together. */
interface Outputs {
  readonly name: string;
  readonly outputs: Readonly<Record<string, Tensor>>;
}

function outputsOf(opCase: OpCase): Outputs {
  const built = buildCase(opCase);
  return { name: opCase.name, outputs: { output: built.output, ...caseGradients(built) } };
}

/** Compiles a graph for each output, as in the parity tests, and one of all. @returns why some were refused */
async function compileAll(
  device: Device,
  all: readonly Outputs[],
  { tiling, mergeKernels }: { readonly tiling?: string; readonly mergeKernels?: boolean } = {},
): Promise<string[]> {
  const refused: string[] = [];
  for (const { name, outputs } of all) {
    const session = tiledBackend(device, tiling, mergeKernels).createSession();
    try {
      for (const [output, tensor] of Object.entries(outputs)) await session.compile(defineGraph({ [output]: tensor }));
      if (Object.keys(outputs).length > 1) await session.compile(defineGraph(outputs));
    } catch (error) {
      refused.push(`${[name, tiling].filter(Boolean).join(", ")}: ${String(error)}`);
    } finally {
      session.dispose();
    }
  }
  return refused;
}

const wide: MatmulAttributes = {
  rows: 257,
  inner: 3,
  columns: 129,
  transposeLeft: false,
  transposeRight: false,
  precision: "float32",
};

/** Products of stored matrices with all transposes in both precisions, of batches, and of a convolution's patches. */
const products = allCases.filter(({ name }) =>
  /^(matmul (17×129ᵀ · 129×65ᵀ(, float16)?$|257×129 · 129×65$|of batches, float16)|conv2d with a bias)/.test(name),
);

/** A tiling whose kernel compiles in a third of the time of others on lavapipe. */
const FEW_LOADS = "tile 64×64, 4×4 outputs";

/** Cases whose kernels for GPUs are not those for software adapters; they run here, too. */
const ofGpus = [
  ...products.filter(({ name }) => !name.includes("257")),
  ...allCases.filter(({ name }) => name === "fusedAttention of 3 queries to 5 keys"),
];

/** The tests that run kernels for GPUs, by their names. */
export const computed: Readonly<Record<string, () => Promise<Record<string, number>>>> = Object.fromEntries(
  ofGpus.map((opCase) => [
    `${opCase.name}, by the kernels for GPUs`,
    async () => {
      const { device } = await openKind("GPUs");
      try {
        return await caseErrors(opCase, tiledBackend(device, FEW_LOADS));
      } finally {
        device.destroy();
      }
    },
  ]),
);

const divided = (): Outputs => ({
  name: "a divided product",
  outputs: { product: matmul(input("left", [40, 9]), input("right", [40, 7]), { transposeLeft: true }) },
});

/** What a test has compiled, and why some of it was refused. */
interface Compiled {
  readonly kernels: number;
  readonly refused: readonly string[];
}

async function compileAllCases(kind: string, mergeKernels: boolean): Promise<Compiled> {
  const { device, kernels } = await openKind(kind);
  const refused = await compileAll(device, allCases.map(outputsOf), { mergeKernels });
  device.destroy();
  return { kernels: kernels.size, refused };
}

async function compileTilings(kind: string): Promise<Compiled> {
  const found = { kernels: 0, refused: [] as string[] };
  for (const [limits, outputs] of [[{}, products.map(outputsOf)] as const, [SMALL_BINDINGS, [divided()]] as const]) {
    const { device, kernels } = await openKind(kind, limits);
    for (const tiling of Object.keys(possibleTilings(wide, launchLimitsOf(device))))
      found.refused.push(...(await compileAll(device, outputs, { tiling })));
    found.kernels += kernels.size;
    device.destroy();
  }
  return found;
}

/** The tests by their names. */
export const compiled: Readonly<Record<string, () => Promise<Compiled>>> = Object.fromEntries(
  Object.keys(kinds).flatMap((kind) => [
    [`the kernels of all cases, for ${kind}`, () => compileAllCases(kind, false)] as const,
    [`the kernels of all cases, merged where they are small, for ${kind}`, () => compileAllCases(kind, true)] as const,
    [`products with all tilings, for ${kind}`, () => compileTilings(kind)] as const,
  ]),
);
