/*
 * Batch normalization in models: statistics of the batch in training, running statistics otherwise. A network with several
 * of these layers, trained for four steps, was also run in PyTorch 1.13: in float64, losses, outputs, gradients and running
 * statistics agree to 1e-7, the precision of the files that were exchanged.
 */
import { describe, expect, test } from "vitest";
import { GraphError, OptionError } from "../../src/errors.ts";
import { constant } from "../../src/graph/leaves.ts";
import { updatedLeaves } from "../../src/graph/graph.ts";
import type { Tensor } from "../../src/graph/tensor.ts";
import {
  dense,
  functionalModel,
  initializers,
  layers,
  modelFromConfig,
  momentUpdates,
  sequential,
  type BatchMoments,
  type Layer,
} from "../../src/nn/index.ts";
import { multiply, square } from "../../src/ops/elementwise/index.ts";
import { gradients } from "../../src/ops/gradients.ts";
import { sum } from "../../src/ops/reduce/index.ts";
import { evaluate } from "./run.ts";

const { batchNorm, residual } = layers;
const nameOf = ({ attributes }: Tensor) => (attributes as { name: string }).name;
const x = constant([1, -2, 3, 0.5, -1, 4, 2, 2, 0, -3, 5, 1], [3, 2, 2]);
/** The values of each of the two channels. */
const channels = [
  [1, 3, -1, 2, 0, 5],
  [-2, 0.5, 4, 2, -3, 1],
] as const;
const meanOf = (values: readonly number[]) => values.reduce((total, value) => total + value, 0) / values.length;
const varianceOf = (values: readonly number[]) => meanOf(values.map((value) => (value - meanOf(values)) ** 2));

/** The outputs in training, and the states after some steps. */
async function trained(inner: readonly Layer[], steps = 1) {
  const model = sequential(inner, { inputShape: [2, 2] });
  const moments: BatchMoments[] = [];
  const y = model.apply(x, { training: true, recordMoments: (one) => moments.push(one) });
  const updates = momentUpdates(moments);
  const { outputs, leaves } = await evaluate({ y }, { updates, steps, leaves: model.states });
  return { model, y: outputs["y"]!, states: leaves, updates, moments };
}

describe("batchNorm", () => {
  test("normalizes each channel by the batch in training, and by the running statistics otherwise", async () => {
    const values = { "layers.0.weight": [2, -1], "layers.0.bias": [0.5, 3] };
    const states = { "layers.0.runningMean": [1, -2], "layers.0.runningVariance": [4, 0.25] };
    const { config } = sequential([batchNorm({ epsilon: 0.01 })], { inputShape: [2, 2] });
    const model = modelFromConfig(config, { ...values, ...states });
    const { outputs } = await evaluate({ training: model.apply(x, { training: true }), y: model.apply(x) });
    [0, 1].forEach((channel) => {
      const own = channels[channel]!;
      const [weight, bias] = [values["layers.0.weight"][channel]!, values["layers.0.bias"][channel]!];
      const [mean, variance] = [states["layers.0.runningMean"][channel]!, states["layers.0.runningVariance"][channel]!];
      own.forEach((value, index) => {
        const byBatch = ((value - meanOf(own)) / Math.sqrt(varianceOf(own) + 0.01)) * weight + bias;
        expect(outputs["training"]![2 * index + channel]).toBeCloseTo(byBatch, 12);
        const byRunning = ((value - mean) / Math.sqrt(variance + 0.01)) * weight + bias;
        expect(outputs["y"]![2 * index + channel]).toBeCloseTo(byRunning, 12);
      });
    });
  });

  test("has states that follow the batches, with the variance of a sample", async () => {
    const { model, states } = await trained([batchNorm({ momentum: 0.25, affine: false })], 3);
    expect(model.parameters).toEqual([]);
    expect(model.states.map(nameOf)).toEqual(["layers.0.runningMean", "layers.0.runningVariance"]);
    const kept = 0.75 ** 3;
    channels.forEach((own, channel) => {
      expect(states[0]![channel]).toBeCloseTo((1 - kept) * meanOf(own), 12);
      expect(states[1]![channel]).toBeCloseTo(kept + ((1 - kept) * varianceOf(own) * 6) / 5, 12);
    });
  });

  test("follows each use of a shared layer in turn, and layers of another momentum by themselves", async () => {
    const shared = batchNorm({ momentum: 0.5 });
    const model = functionalModel({ inputs: { x: [2, 2] } }, ({ x: value }, { use }) => {
      const twice = use(shared, multiply(use(shared, value), 3));
      return { y: use(batchNorm({ momentum: 1 }), twice) };
    });
    const moments: BatchMoments[] = [];
    model.apply({ x }, { training: true, recordMoments: (one) => moments.push(one) });
    const updates = momentUpdates(moments);
    expect(updates.map(({ target }) => updatedLeaves(target).map(nameOf))).toEqual([
      ["layers.0.runningMean"],
      ["layers.1.runningMean"],
      ["layers.0.runningVariance"],
      ["layers.1.runningVariance"],
    ]);
    const { leaves } = await evaluate({}, { updates, leaves: model.states });
    const first = channels.map(meanOf);
    // The second use sees mean 0 and a variance of 9, but for epsilon.
    leaves[0]!.forEach((value, channel) => expect(value).toBeCloseTo(0.5 * (0.5 * first[channel]!), 10));
    leaves[1]!.forEach((value, channel) => {
      const variance = varianceOf(channels[channel]!);
      const second = (9 * variance) / (variance + 1e-5);
      expect(value).toBeCloseTo(0.5 * (0.5 + (0.5 * variance * 6) / 5) + (0.5 * second * 6) / 5, 10);
    });
  });

  test("updates all layers of one momentum in two packs", async () => {
    const { updates, moments, model } = await trained([batchNorm(), residual([scaled(), batchNorm()]), batchNorm()]);
    expect(moments.length).toBe(3);
    expect(updates.length).toBe(2);
    expect(updates.flatMap(({ target }) => updatedLeaves(target)).length).toBe(model.states.length);
  });

  test("changes no statistics outside training, or without recording them", () => {
    const model = sequential([batchNorm()], { inputShape: [2, 2] });
    const recorded: BatchMoments[] = [];
    model.apply(x, { recordMoments: (one) => recorded.push(one) });
    expect(recorded).toEqual([]);
    expect(() => model.apply(x, { training: true })).not.toThrow();
    expect(momentUpdates([])).toEqual([]);
  });

  test("maps a constant channel to its bias", async () => {
    const model = sequential([batchNorm()], { inputShape: [1] });
    const { outputs } = await evaluate({ y: model.apply(constant([0.1, 0.1, 0.1], [3, 1]), { training: true }) });
    outputs["y"]!.forEach((value) => expect(value).toBeCloseTo(0, 10));
  });

  test("refuses one value per channel in training, as PyTorch does", () => {
    const model = sequential([layers.sequential([dense(3), batchNorm()])], { inputShape: [2] });
    const one = constant([1, 2], [1, 2]);
    expect(() => model.apply(one)).not.toThrow();
    expect(() => model.apply(one, { training: true })).toThrow(GraphError);
    expect(() => model.apply(one, { training: true })).toThrow(
      "layer 0.1, batchNorm: training needs more than 1 value per channel, but the batch is add float32[1, 3]",
    );
  });

  test.each([{ momentum: 0 }, { momentum: 1.5 }, { epsilon: 0 }, { affine: 1 as never }])("refuses %o", (options) => {
    expect(() => batchNorm(options)).toThrow(OptionError);
  });
});

/** Multiplies each channel by a weight. */
function scaled(): Layer {
  return {
    config: { type: "scaled" },
    build({ inputShape, parameter: own }) {
      const weight = own("weight", [2], initializers.constant(2), { fanIn: 1, fanOut: 1 });
      return { outputShape: inputShape, apply: (value) => multiply(value, weight) };
    },
  };
}

test("a layer before batchNorm needs no bias: its gradient is 0", async () => {
  const model = sequential([dense(2), batchNorm()], { inputShape: [2] });
  const rows = constant([1, 2, -1, 0.5, 3, 1], [3, 2]);
  const loss = sum(multiply(square(model.apply(rows, { training: true })), constant([1, 2, 3, -1, 0.5, 2], [3, 2])));
  const { outputs } = await evaluate({ bias: gradients(loss, model.parameters)[1]! });
  outputs["bias"]!.forEach((value) => expect(value).toBeCloseTo(0, 12));
});
