/*
 * Small kernels that share a dispatch, on a software adapter that is also treated as a GPU, where products have parts of the inner axis.
 */
import { afterAll, describe, expect, test } from "vitest";
import { kernelFunctions } from "../../src/backends/webgpu/merged/text.ts";
import { makeRegressionDataset } from "../../src/data/dataset.ts";
import { builtInDigits } from "../../src/data/digits.ts";
import { openDevice, type Device } from "../../src/device/device.ts";
import { dense, dropout, flatten, optimizers, sequential, type Layer } from "../../src/nn/index.ts";
import { dawnGpu } from "../../src/node/dawn.ts";
import { createTrainer, type TrainerOptions } from "../../src/train/index.ts";
import { parityTests } from "../ops/parity-suite.ts";
import { FEW_LOADS, tiledBackend } from "../ops/tiled-backend.ts";
import { bytePictures, clouds, finish, valuesOf } from "../train/examples.ts";
import { casesOfEachForm } from "./merged-forms.ts";

const source = dawnGpu();
const software = await openDevice(source, { software: true });
const gpu = await openDevice(source, { software: false });
/** The fewest buffers that a device can bind to a kernel: a dispatch of a small step needs more. */
const limits = { maxStorageBuffersPerShaderStage: 8 };
const narrow = await openDevice(source, { limits });
const narrowGpu = await openDevice(source, { software: false, limits });
afterAll(() => {
  for (const device of [software, gpu, narrow, narrowGpu]) device.destroy();
  source.release();
});

type Changes = Partial<TrainerOptions> & { readonly layers?: () => Layer[] };

/** Trains for two epochs. @returns all events and final values, without times, and the dispatches of a step */
async function trained(device: Device, mergeKernels: boolean, { layers, ...changes }: Changes) {
  const dataset = changes.dataset ?? clouds(50);
  const backend = tiledBackend(device, device === gpu ? FEW_LOADS : undefined, mergeKernels);
  const hidden = layers?.() ?? [dense(6, { activation: "tanh" }), dense(3)];
  const shape = "shape" in dataset ? dataset.shape : [];
  const model = sequential(hidden, { inputShape: shape, seed: 1 });
  const trainer = await createTrainer({
    model,
    dataset,
    backend,
    learningRate: 1e-2,
    batchSize: 12,
    epochs: 2,
    ...changes,
  } as TrainerOptions);
  const events = await finish(trainer, { every: 1 });
  const told = events.map((event) => ({ ...event, seconds: 0, examplesPerSecond: 0 }));
  const values = valuesOf(await trainer.snapshot());
  const { dispatches } = trainer;
  trainer.dispose();
  return { results: { told, values }, dispatches };
}

/** One example has a feature that is not a number. */
function spoiled() {
  const dataset = clouds(50);
  const features = Float32Array.from(dataset.features);
  features[4 * 17 + 1] = NaN;
  return { ...dataset, features };
}

const line = makeRegressionDataset({
  name: "line",
  features: Float32Array.from({ length: 100 }, (_, index) => Math.sin(index)),
  shape: [2],
  targets: Float32Array.from({ length: 50 }, (_, index) => Math.cos(2 * index)),
  outputs: ["y"],
});

const runs: [string, number, Changes][] = [
  ["a classifier", 1, {}],
  [
    "a classifier of bytes with dropout",
    1,
    { dataset: bytePictures(50), layers: () => [flatten(), dense(7), dropout(0.25), dense(3)] },
  ],
  [
    "a regression with plain SGD",
    1,
    { dataset: line, layers: () => [dense(5, { activation: "relu" }), dense(1)], optimizer: optimizers.sgd() },
  ],
  ["a step of which updates are skipped", 1, { dataset: spoiled(), onNonFinite: "skip" }],
  ["clipping", 2, { clipNorm: 0.1, gradientNorm: true }],
  ["four layers, with more kernels than share one", 2, { layers: () => [dense(5), dense(9), dense(4), dense(3)] }],
];

/** `merged-trainings.test.ts` has more trainings on a software adapter. */
const runsOnDevices: [string, Device, typeof runs][] = [
  ["a software adapter", software, runs.slice(0, 1)],
  ["a GPU", gpu, runs],
];

describe.each(runsOnDevices)("on %s", (_, device, chosen) => {
  test.each(chosen)("%s has the same bits in %i dispatches", async (_name, dispatches, changes) => {
    const alone = await trained(device, false, changes);
    const merged = await trained(device, true, changes);
    expect(merged.results).toEqual(alone.results);
    expect(merged.dispatches.map(({ kernel }) => kernel).join("; ")).toBe(
      alone.dispatches.map(({ kernel }) => kernel).join("; "),
    );
    expect(merged.dispatches).toHaveLength(dispatches);
    expect(alone.dispatches.length).toBeGreaterThanOrEqual(7);
  });
});

test("kernels share a dispatch only as far as it can bind their buffers", async () => {
  const alone = await trained(narrow, false, {});
  const merged = await trained(narrow, true, {});
  expect(merged.results).toEqual(alone.results);
  expect(merged.dispatches.map(({ kernel }) => kernel.split("; ").length)).toEqual([6, 3]);
});

test("large kernels, and products of float16, have dispatches of their own", async () => {
  const dispatchesOf = async (precision: "float32" | "float16") => {
    const trainer = await createTrainer({
      model: sequential([dense(32, { activation: "relu" }), dense(10)], { inputShape: [784], seed: 1 }),
      dataset: builtInDigits({ train: 160, test: 1 }).train,
      backend: tiledBackend(gpu, undefined, true),
      learningRate: 1e-3,
      batchSize: 16,
      epochs: 1,
      precision,
    });
    trainer.dispose();
    return trainer.dispatches.map(({ kernel }) => kernel.split("; ").length);
  };
  expect(await dispatchesOf("float32")).toEqual([1, 4, 1, 1]);
  expect(await dispatchesOf("float16")).toHaveLength(7);
});

describe("on a GPU with few bindings, kernels that share a dispatch give what the reference gives for", async () => {
  parityTests(async () => tiledBackend(narrowGpu, undefined, true), await casesOfEachForm({ software: false, limits }));
});

test("names of a kernel stay apart from those of another one, of libraries and of members", () => {
  const text = [
    "const COUNT = 3u;",
    "var<workgroup> values: array<f32, COUNT>;",
    "fn finish(index: u32, value: f32) {",
    "    output_0[index] = value.COUNT + maximum(value, 1.0);",
    "}",
    "@compute @workgroup_size(GROUP_THREADS)",
    "fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(global_invocation_id) id: vec3<u32>) {",
    "    finish(id.x, values[COUNT - 1u]);",
    "}",
  ].join("\n");
  expect(kernelFunctions(text, 2)).toEqual({
    text: [
      "const kernel_2_COUNT = 3u;",
      "var<workgroup> kernel_2_values: array<f32, kernel_2_COUNT>;",
      "fn kernel_2_finish(index: u32, value: f32) {",
      "    output_0[index] = value.COUNT + maximum(value, 1.0);",
      "}",
      "fn kernel_2_main(group: vec3<u32>, id: vec3<u32>) {",
      "    kernel_2_finish(id.x, kernel_2_values[kernel_2_COUNT - 1u]);",
      "}",
    ].join("\n"),
    call: "kernel_2_main(group, vec3(thread, 0u, 0u));",
  });
});
