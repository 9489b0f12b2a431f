import { describe, expect, test } from "vitest";
import { createCpuBackend } from "../../src/backends/cpu/index.ts";
import { OptionError } from "../../src/errors.ts";
import { initialValues } from "../../src/formats/model.ts";
import { constant, input } from "../../src/graph/leaves.ts";
import { topologicalOrder } from "../../src/graph/graph.ts";
import {
  dense,
  dropout,
  flatten,
  functionalModel,
  layers,
  sequential,
  startFrom,
  type BatchMoments,
  type NamedValues,
} from "../../src/nn/index.ts";
import { multiply } from "../../src/ops/elementwise/index.ts";
import { createEvaluator, createTrainer } from "../../src/train/index.ts";
import { clouds, finish } from "../train/examples.ts";
import { evaluate } from "./run.ts";

const network = (outputs: number, seed: number, name?: string) =>
  sequential([flatten(), dense(6, { activation: "tanh" }), dropout(0.5), dense(outputs)], {
    inputShape: [4],
    seed,
    ...(name !== undefined && { name }),
  });

describe("startFrom", () => {
  test("copies what matches by name and shape, and reports the rest", () => {
    const values: NamedValues = {
      ...initialValues(network(3, 1)),
      extra: { shape: [1], values: Float32Array.of(7) },
    };
    const original = network(5, 2);
    const before = initialValues(original);
    const { model, ...report } = startFrom(original, values);
    expect(report).toEqual({
      copied: ["layers.1.weight", "layers.1.bias"],
      copiedStates: [],
      missing: [],
      mismatched: [
        { name: "layers.3.weight", shape: [6, 5], given: [6, 3] },
        { name: "layers.3.bias", shape: [5], given: [3] },
      ],
      unused: ["extra"],
    });
    const found = initialValues(model);
    expect(Object.keys(found)).toEqual(Object.keys(before));
    expect(found["layers.1.weight"]).toEqual(values["layers.1.weight"]);
    expect(found["layers.3.weight"]).toEqual(before["layers.3.weight"]);
    expect(initialValues(original)).toEqual(before);
    expect(model.config).toEqual(original.config);
  });

  test("finds values under other names", () => {
    const values = initialValues(network(3, 1, "encoder"));
    const { model, copied, unused } = startFrom(network(3, 2), values, { nameOf: (name) => `encoder.${name}` });
    expect(copied.length).toBe(4);
    expect(unused).toEqual([]);
    expect(initialValues(model)["layers.3.bias"]!.values).toEqual(values["encoder.layers.3.bias"]!.values);
    const { missing } = startFrom(network(3, 2), values, {
      nameOf: (name) => (name.startsWith("layers.1") ? `encoder.${name}` : name),
    });
    expect(missing).toEqual(["layers.3.weight", "layers.3.bias"]);
  });

  test("gives a model that computes with the values, in each layer, and trains them", async () => {
    const backend = createCpuBackend();
    const dataset = clouds(12);
    const source = network(3, 1);
    const { model } = startFrom(network(3, 2), initialValues(source));
    const outputsOf = (of: typeof model) =>
      createEvaluator({ model: of, backend, session: backend.createSession() }).predict(dataset.features);
    expect(await outputsOf(model)).toEqual(await outputsOf(source));
    const each = model.applyEach(input("x", [2, 4]));
    expect(each.map(({ shape }) => shape[1])).toEqual([4, 6, 6, 3]);
    const leaves = topologicalOrder(each).filter(({ op }) => op.name === "parameter");
    expect(new Set(leaves)).toEqual(new Set(model.parameters));
    const options = { dataset, backend, learningRate: 0.1, batchSize: 4, epochs: 2, seed: 9 };
    const trainedValues = async (of: typeof model) => {
      const trainer = await createTrainer({ ...options, model: of });
      await finish(trainer);
      return (await trainer.snapshot()).parameters;
    };
    // The dropout of a trainer comes from its own seed.
    expect(await trainedValues(model)).toEqual(await trainedValues(source));
  });

  test("copies states, and replaces leaves in functional models and in the moments that they record", async () => {
    const { batchNorm } = layers;
    const pair = (seed: number) =>
      functionalModel({ inputs: { x: [3] }, seed }, ({ x }, { use }) => {
        const y = use(batchNorm(), use(dense(2, { bias: false }), x), "norm");
        return { y, twice: multiply(y, 2) };
      });
    const values: NamedValues = {
      ...initialValues(pair(1)),
      "layers.norm.runningMean": { shape: [2], values: Float32Array.of(1, -2) },
      "layers.norm.runningVariance": { shape: [3], values: Float32Array.of(1, 1, 1) },
    };
    const { model, ...report } = startFrom(pair(2), values);
    expect(report).toEqual({
      copied: ["layers.0.weight", "layers.norm.weight", "layers.norm.bias"],
      copiedStates: ["layers.norm.runningMean"],
      missing: [],
      mismatched: [{ name: "layers.norm.runningVariance", shape: [2], given: [3] }],
      unused: [],
    });
    expect(initialValues(model)["layers.norm.runningMean"]).toEqual(values["layers.norm.runningMean"]);
    const x = constant([1, 2, 3, 0, -1, 1, 2, 2, 0], [3, 3]);
    const moments: BatchMoments[] = [];
    const { outputs, uses } = model.applyEach({ x }, { training: true, recordMoments: (one) => moments.push(one) });
    expect(uses.map(({ name }) => name)).toEqual(["0", "norm"]);
    expect(uses[1]!.output).toBe(outputs.y);
    expect([moments[0]!.runningMean, moments[0]!.runningVariance]).toEqual(model.states);
    const leaves = topologicalOrder([
      ...Object.values(outputs),
      ...moments.flatMap(({ mean, variance, runningMean }) => [mean, variance, runningMean]),
    ]).filter(({ op }) => op.name === "parameter" || op.name === "state");
    for (const leaf of leaves) expect([...model.parameters, ...model.states]).toContain(leaf);
    // The mean comes from the values of the source.
    const { outputs: found } = await evaluate({ mean: moments[0]!.mean, twice: outputs.twice, y: outputs.y });
    const { values: weight } = values["layers.0.weight"]!;
    const columnMean = [1, 1, 4 / 3];
    expect(found["mean"]![0]).toBeCloseTo(
      columnMean.reduce((sum, value, row) => sum + value * weight[row * 2]!, 0),
      12,
    );
    expect(found["twice"]).toEqual(found["y"]!.map((value) => 2 * value));
  });

  test.each<[object, RegExp]>([
    [{}, /startFrom: no name matches: the model has layers\.1\.weight, and the values have no names/],
    [{ a: { shape: [1], values: Float32Array.of(1) } }, /the values have a\b/],
    [
      { "layers.1.bias": { shape: [2], values: Float32Array.of(1, 2) } },
      /layers\.1\.bias is \[6\], and the values are \[2\]/,
    ],
    [{ "layers.1.bias": { shape: [6], values: Float32Array.of(1) } }, /layers\.1\.bias: there are 1 values .*\[6\]/],
  ])("refuses %o", (values, message) => {
    expect(() => startFrom(network(3, 1), values as never)).toThrow(OptionError);
    expect(() => startFrom(network(3, 1), values as never)).toThrow(message);
  });
});
