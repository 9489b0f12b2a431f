/*
 * Trainings of many kinds with merged kernels, with the buffers that browsers (10) and the smallest devices (8) allow to a kernel: they
 * have the bits of trainings without.
 */
import { afterAll, describe, expect, test } from "vitest";
import { makeTensorDataset } from "../../src/data/tensor-dataset.ts";
import { characterTokenizer } from "../../src/data/text/characters.ts";
import { makeTextDataset } from "../../src/data/text/dataset.ts";
import { openDevice, type Device } from "../../src/device/device.ts";
import type { Tensor } from "../../src/graph/tensor.ts";
import {
  dense,
  dropout,
  flatten,
  functionalModel,
  layers,
  models,
  optimizers,
  sequential,
} from "../../src/nn/index.ts";
import { dawnGpu } from "../../src/node/dawn.ts";
import { abs, add, multiply, square, subtract } from "../../src/ops/elementwise/index.ts";
import { reshape } from "../../src/ops/layout/index.ts";
import { softmaxCrossEntropy } from "../../src/ops/losses/index.ts";
import { mean } from "../../src/ops/reduce/index.ts";
import { createTrainer, type TrainerOptions } from "../../src/train/index.ts";
import { tiledBackend } from "../ops/tiled-backend.ts";
import { bytePictures, clouds, finish, smallModel, valuesOf } from "../train/examples.ts";

const source = dawnGpu();
const narrow = await openDevice(source, { limits: { maxStorageBuffersPerShaderStage: 8 } });
const browser = await openDevice(source, { limits: { maxStorageBuffersPerShaderStage: 10 } });
afterAll(() => {
  for (const device of [narrow, browser]) device.destroy();
  source.release();
});

/** What differs between runs. Models of all kinds are trained in the same way. */
type Changes = Record<string, unknown> & Partial<Pick<TrainerOptions, "dataset" | "averageDecay">>;

/**
 * Trains for three steps, evaluates with the same session, and goes on to the end; with merged kernels also from a snapshot.
 * @returns all that was computed, without times, and the dispatches of a step
 */
async function trained(device: Device, mergeKernels: boolean, changes: Changes) {
  const backend = tiledBackend(device, undefined, mergeKernels);
  const given = { model: smallModel(), dataset: clouds(30), learningRate: 0.01, batchSize: 10, epochs: 2, ...changes };
  const options = { ...given, backend } as TrainerOptions;
  const trainer = await createTrainer(options);
  const events = await finish(trainer, { every: 1, maxSteps: 3 });
  const dataset = options.dataset as ReturnType<typeof clouds>;
  const evaluations = [await trainer.evaluate(dataset)];
  if (changes.averageDecay) evaluations.push(await trainer.evaluate(dataset, { average: true }));
  const snapshot = await trainer.snapshot();
  events.push(...(await finish(trainer, { every: 1 })));
  const values = valuesOf(await trainer.snapshot());
  const { dispatches } = trainer;
  trainer.dispose();
  if (mergeKernels) {
    const resumed = await createTrainer({ ...options, resumeFrom: snapshot });
    await finish(resumed);
    expect(valuesOf(await resumed.snapshot())).toEqual(values);
    resumed.dispose();
  }
  const told = events.map((event) => ({ ...event, seconds: 0, examplesPerSecond: 0 }));
  return { results: { told, evaluations, values }, dispatches };
}

function waves(count: number, width: number) {
  const values = Float32Array.from({ length: count * width }, (_, index) => Math.sin(width + index));
  return { values, shape: width === 1 ? [] : [width] };
}

const indices = (count: number, below: number) => ({
  values: Uint32Array.from({ length: count }, (_, index) => (7 * index) % below),
  shape: [],
});

type Tensors = Readonly<Record<string, Tensor>>;

const distance = ({ amount }: Tensors, { amounts }: Tensors) => subtract(reshape(amount!, [-1]), amounts!);

/** Two branches and a table of vectors for a word, with a class and a number as outputs. */
const branches: Changes = {
  model: functionalModel(
    { inputs: { left: [3], right: [2], word: { shape: [], dtype: "uint32" } } },
    ({ left, right, word }, { use }) => {
      const points = add(use(dense(4, { activation: "tanh" }), left), use(dense(4), right));
      const code = multiply(points, use(layers.embedding(5, 4), word));
      return { kind: use(dense(3), code), amount: use(dense(1), code), code };
    },
  ),
  dataset: makeTensorDataset({
    name: "branches",
    tensors: {
      left: waves(30, 3),
      right: waves(30, 2),
      word: indices(30, 5),
      kinds: indices(30, 3),
      amounts: waves(30, 1),
    },
  }),
  loss: (outputs: Tensors, batch: Tensors) =>
    add(softmaxCrossEntropy(outputs["kind"]!, batch["kinds"]!, "none"), square(distance(outputs, batch))),
  metrics: {
    error: (outputs: Tensors, batch: Tensors) => abs(distance(outputs, batch)),
    length: ({ code }: Tensors) => mean(square(code!)),
  },
};

/** One example has a feature that is not a number. */
function spoiled() {
  const dataset = clouds(30);
  const features = Float32Array.from(dataset.features);
  features[4 * 7 + 1] = NaN;
  return { ...dataset, features };
}

function weighted() {
  const dataset = clouds(30);
  return { ...dataset, weights: Float32Array.from(dataset.labels, (_, index) => (index % 4) / 2) };
}

const tokenizer = characterTokenizer("abcd");
const text = makeTextDataset({ text: "abcabdacbdabcdbacdbacbdabcabcddb".repeat(4), tokenizer, context: 4 });

const runs: [string, Device, Changes][] = [
  ["several inputs and outputs in parts of a batch", narrow, { ...branches, microBatchSize: 6, clipNorm: 0.1 }],
  [
    "skipped updates with averaged parameters",
    narrow,
    { dataset: spoiled(), onNonFinite: "skip", averageDecay: 0.9, gradientNorm: true, microBatchSize: 6 },
  ],
  [
    "weights of examples and classes, groups and frozen parameters",
    browser,
    {
      dataset: weighted(),
      classWeights: [0.5, 2, 1],
      frozen: ["layers.0.bias"],
      parameterGroups: [{ parameters: ["layers.0.weight"], rateFactor: 0.1 }],
      optimizer: optimizers.adamW({ weightDecay: 0.1 }),
    },
  ],
  [
    "activations that are stored as float16 and computed again",
    narrow,
    {
      model: sequential([dense(5, { activation: "gelu" }), dropout(0.1), dense(3)], { inputShape: [4] }),
      recompute: 1,
      activationStorage: "float16",
    },
  ],
  [
    "a convolution of bytes with batch normalization",
    browser,
    {
      dataset: bytePictures(30),
      model: sequential([layers.conv2d(3, 2), layers.batchNorm(), flatten(), dense(3)], { inputShape: [3, 5] }),
      microBatchSize: 5,
    },
  ],
  [
    "a text",
    browser,
    {
      model: models.gpt({ vocabulary: 4, context: 4, layers: 1, heads: 1, width: 4 }),
      dataset: text,
      batchSize: 3,
      maxSteps: 6,
    },
  ],
];

describe("merged kernels have the same bits in a training with", () => {
  test.each(runs)("%s", async (_name, device, changes) => {
    const alone = await trained(device, false, changes);
    const merged = await trained(device, true, changes);
    expect(merged.results).toEqual(alone.results);
    const sum = (of: "flops" | "bytes", { dispatches }: typeof alone) =>
      dispatches.reduce((total, dispatch) => total + dispatch[of], 0);
    for (const of of ["flops", "bytes"] as const) expect(sum(of, merged)).toBe(sum(of, alone));
    expect(merged.dispatches.length).toBeLessThan(0.7 * alone.dispatches.length);
  });
});
