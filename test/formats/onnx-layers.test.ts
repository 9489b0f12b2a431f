import { describe, expect, test } from "vitest";
import { createCpuBackend } from "../../src/backends/cpu/index.ts";
import type { TrainedModel } from "../../src/formats/model.ts";
import { saveOnnx } from "../../src/formats/onnx/index.ts";
import type { StoredAttributes } from "../../src/graph/leaves.ts";
import { sizeOf } from "../../src/graph/tensor.ts";
import { modelFromConfig, sequential, type Layer } from "../../src/nn/index.ts";
import { storedLeaves } from "../../src/nn/sequential.ts";
import { Random } from "../../src/random.ts";
import { createEvaluator } from "../../src/train/index.ts";
import { layerCases, networks } from "../nn/layer-cases.ts";
import { largestDifference, runOnnx } from "./onnxruntime.ts";

const backend = createCpuBackend();

/** Two float32 programs differ only by the order of additions: far less than this for values near 1. */
const CLOSE = 1e-5;

const all: [string, readonly Layer[], readonly number[]][] = [
  ...Object.entries(layerCases).map(
    ([name, { layer, inputShape = [4] }]): [string, readonly Layer[], readonly number[]] => [name, [layer], inputShape],
  ),
  ...Object.entries(networks).map(([name, { layers, inputShape }]): [string, readonly Layer[], readonly number[]] => [
    name,
    layers,
    inputShape,
  ]),
];

/** Examples of normal numbers, or of indices for a network that begins with an embedding. */
function examplesFor([first]: readonly Layer[], shape: readonly number[], count: number): Float32Array {
  const random = new Random(7);
  const entries = first!.config["entries"] as number | undefined;
  return Float32Array.from({ length: count * sizeOf(shape) }, () =>
    entries === undefined ? random.normal() : random.below(entries),
  );
}

function trainedOf(layers: readonly Layer[], inputShape: readonly number[]): TrainedModel {
  const random = new Random(11);
  const initialModel = sequential(layers, { inputShape, seed: 5 });
  // Biases are 0 at first and factors 1, which would hide some mistakes.
  const values = storedLeaves(initialModel).map(({ attributes, shape }) => {
    const { name, initial } = attributes as StoredAttributes;
    if (name.endsWith(".runningVariance")) return [name, initial!.map(() => random.uniform(0.5, 2))] as const;
    return [name, shape.length === 1 ? initial!.map(() => random.normal(0.5)) : initial!] as const;
  });
  const model = modelFromConfig(initialModel.config, Object.fromEntries(values));
  return {
    model,
    loss: "meanSquaredError",
    normalization: { scale: 1, offset: 0 },
    classes: [],
    outputs: ["output"],
    step: 0,
    training: {},
  };
}

describe("onnxruntime gives the same results as wgrad:", () => {
  test.each(all)("%s", async (_, layers, inputShape) => {
    const trained = trainedOf(layers, inputShape);
    const { model, normalization } = trained;
    const file = saveOnnx(trained);
    const evaluator = createEvaluator({ model, normalization, backend, session: backend.createSession() });
    for (const batch of [1, 3]) {
      const features = examplesFor(layers, inputShape, batch);
      const { outputs } = await runOnnx(file, features, [batch, ...inputShape]);
      expect(outputs["outputs"]!.shape).toEqual([batch, ...model.outputShape]);
      const expected = await evaluator.predict(features);
      expect(new Set(expected).size).toBeGreaterThan(1);
      expect(largestDifference(outputs["outputs"]!.values, expected)).toBeLessThan(CLOSE);
    }
  });
});

test("neighboring layers of images share the order of their axes", () => {
  const { layers, inputShape } = networks["a convolutional network on gray images"]!;
  const file = Buffer.from(saveOnnx(trainedOf(layers.slice(0, 2), inputShape)));
  // One permutation at the end; the channels of gray images are first at once.
  expect(file.toString("latin1").split("Transpose")).toHaveLength(2);
  expect(file.includes("layers.0.channelsLast")).toBe(false);
});
