import { describe, expect, test } from "vitest";
import { createCpuBackend } from "../../src/backends/cpu/index.ts";
import { GraphError, OptionError } from "../../src/errors.ts";
import { defineGraph } from "../../src/graph/graph.ts";
import { relu } from "../../src/ops/elementwise/index.ts";
import { constant, input } from "../../src/graph/leaves.ts";
import type { Tensor } from "../../src/graph/tensor.ts";
import {
  activation,
  activations,
  dense,
  dropout,
  flatten,
  initializers,
  losses,
  modelFromConfig,
  sequential,
  type ActivationName,
  type Layer,
  type Model,
} from "../../src/nn/index.ts";
import { gru } from "../../src/nn/layers/index.ts";
import { gradients } from "../../src/ops/gradients.ts";
import { mean } from "../../src/ops/reduce/index.ts";
import { Random } from "../../src/random.ts";
import { evaluate } from "./run.ts";

const initialOf = ({ attributes }: Tensor) => (attributes as { initial: Float32Array }).initial;
const nameOf = ({ attributes }: Tensor) => (attributes as { name: string }).name;

/** The mean square of the first parameter's initial values. */
function spreadOf(model: Model): number {
  const values = initialOf(model.parameters[0]!);
  return values.reduce((sum, value) => sum + value * value, 0) / values.length;
}

describe("sequential", () => {
  test("has the shapes and parameters of its layers", () => {
    const model = sequential(
      [
        flatten(),
        dense(5, { activation: "relu" }),
        dropout(0.5),
        dense(4, { bias: false }),
        activation("tanh"),
        dense(3),
      ],
      { inputShape: [2, 3], seed: 9 },
    );
    expect(model.shapes).toEqual([[2, 3], [6], [5], [5], [4], [4], [3]]);
    expect(model.outputShape).toEqual([3]);
    expect(model.parameters.map((leaf) => [nameOf(leaf), leaf.shape])).toEqual([
      ["layers.1.weight", [6, 5]],
      ["layers.1.bias", [5]],
      ["layers.3.weight", [5, 4]],
      ["layers.5.weight", [4, 3]],
      ["layers.5.bias", [3]],
    ]);
    expect(model.apply(input("x", [7, 2, 3])).shape).toEqual([7, 3]);
  });

  test("applyEach returns the output of each layer; the last is the model's output", async () => {
    const model = sequential([flatten(), dense(3, { activation: "tanh" }), dropout(0.5), dense(2)], {
      inputShape: [2, 2],
    });
    const x = constant([0.5, -1, 2, 0.25, 1, 1, -0.5, 3], [2, 2, 2]);
    const values = model.applyEach(x);
    expect(values.map(({ shape }) => shape)).toEqual([
      [2, 4],
      [2, 3],
      [2, 3],
      [2, 2],
    ]);
    const [flat, hidden, kept, output] = values;
    const { outputs } = await evaluate({
      flat: flat!,
      hidden: hidden!,
      kept: kept!,
      output: output!,
      whole: model.apply(x),
    });
    expect(outputs["flat"]).toEqual([0.5, -1, 2, 0.25, 1, 1, -0.5, 3]);
    const weight = initialOf(model.parameters[0]!);
    const firstHidden = Math.tanh([0.5, -1, 2, 0.25].reduce((sum, value, row) => sum + value * weight[3 * row]!, 0));
    expect(outputs["hidden"]![0]).toBeCloseTo(firstHidden, 12);
    expect(outputs["kept"]).toEqual(outputs["hidden"]);
    expect(outputs["output"]).toEqual(outputs["whole"]);
    const dropped = await evaluate({ kept: model.applyEach(x, { training: true })[2]! });
    expect(dropped.outputs["kept"]!.some((value) => value === 0)).toBe(true);
    expect(() => model.applyEach(input("x", [2, 4]))).toThrow(GraphError);
  });

  test("a dense layer is activation(x · W + b) with W [inputs, units]", async () => {
    const model = sequential(
      [
        dense(2, {
          activation: "relu",
          weights: initializers.given([1, 2, 3, 4, 5, -6]),
          biases: initializers.given([0.5, -1]),
        }),
      ],
      { inputShape: [3] },
    );
    const { outputs } = await evaluate({ y: model.apply(constant([1, 1, 1, 2, 0, 1], [2, 3])) });
    expect(outputs.y).toEqual([9.5, 0, 7.5, 0]);
  });

  test("every activation can be used in a layer, including step", async () => {
    const x = constant([-2, -0.5, 0, 1, 3], [1, 5]);
    for (const name of Object.keys(activations) as ActivationName[]) {
      const model = sequential([activation(name)], { inputShape: [5] });
      const { outputs } = await evaluate({ layer: model.apply(x), function: activations[name](x) });
      expect(outputs.layer).toEqual(outputs.function);
    }
  });

  test("initial weights are He normal before a rectifier and Xavier uniform otherwise, and biases are zero", () => {
    // With 60,000 values the variance is known to 0.6 %, and 2 / 300, 2 / 500 and 2 / 200 differ by 25 % or more.
    const variance = (...layers: Layer[]) => spreadOf(sequential(layers, { inputShape: [300] }));
    const within = (found: number, wanted: number) => expect(Math.abs(found / wanted - 1)).toBeLessThan(0.03);
    within(variance(dense(200, { activation: "relu" })), 2 / 300);
    within(variance(dense(200), activation("gelu")), 2 / 300);
    within(variance(dense(200)), 2 / 500);
    within(variance(dense(200, { activation: "tanh" })), 2 / 500);
    within(variance(dense(200, { activation: "tanh" }), activation("relu")), 2 / 500);
    within(variance(dense(200, { activation: "relu", weights: initializers.xavierNormal })), 2 / 500);
    expect(initialOf(sequential([dense(4)], { inputShape: [3] }).parameters[1]!)).toEqual(new Float32Array(4));
  });

  test("each parameter uses its own random stream of the seed", () => {
    const layers = [dense(4, { weights: initializers.normal(1), biases: initializers.normal(1) }), dense(4)];
    const build = (seed: number) => sequential(layers, { inputShape: [4], seed }).parameters.map(initialOf);
    expect(build(3)).toEqual(build(3));
    const different = [...build(3), ...build(4)].map((values) => values.slice(0, 4).join());
    // Only the zero biases of the second layer agree.
    expect(new Set(different).size).toBe(7);
  });
});

describe("config", () => {
  const model = sequential(
    [flatten(), dense(5, { activation: "leakyRelu" }), dropout(0.25), dense(3, { bias: false }), activation("silu")],
    { inputShape: [2, 3], seed: 77 },
  );
  const config: unknown = JSON.parse(JSON.stringify(model.config));
  const values = Object.fromEntries(
    model.parameters.map((leaf) => [nameOf(leaf), [...initialOf(leaf)].map((value) => value + 1)]),
  );

  test("rebuilds the model with the same initial values, or with given ones", () => {
    const again = modelFromConfig(config);
    expect(again.config).toEqual(model.config);
    expect(again.parameters.map(initialOf)).toEqual(model.parameters.map(initialOf));
    const loaded = modelFromConfig(config, values);
    expect(loaded.parameters.map((leaf) => [...initialOf(leaf)])).toEqual(
      Object.values(values).map((row) => row.map(Math.fround)),
    );
  });

  const wide = 2 ** 31;
  const layer = (parts: object) => ({ inputShape: [4], seed: 1, layers: [parts] });
  test.each<[string, unknown, RegExp]>([
    ["null", null, /null is not an object/],
    ["a list", [], /\[\] is not an object/],
    ["no layers", { inputShape: [4], seed: 1 }, /"layers" is missing/],
    ["layers that are not a list", { inputShape: [4], seed: 1, layers: {} }, /layers is \{\}, not a list/],
    ["an unknown field", { ...layer({ type: "flatten" }), device: 1 }, /unknown option "device"/],
    ["an empty list of layers", { inputShape: [4], seed: 1, layers: [] }, /no layers/],
    ["a string as shape", { inputShape: "4", seed: 1, layers: [{ type: "flatten" }] }, /inputShape: "4" is not a list/],
    ["a size of 0", { inputShape: [0], seed: 1, layers: [{ type: "flatten" }] }, /inputShape: 0 is out of range/],
    ["a negative seed", { inputShape: [4], seed: -1, layers: [{ type: "flatten" }] }, /seed: -1/],
    [
      "an unknown layer",
      layer({ type: "conv" }),
      /layer 0: unknown layer type "conv"\. .* Choose one of activation, averagePool2d, /,
    ],
    ["a layer type that is a property of Object", layer({ type: "toString" }), /unknown layer type "toString"/],
    ["a layer without a type", layer({}), /unknown layer type undefined/],
    ["a layer that is not an object", layer([]), /layer 0: \[\] is not an object/],
    ["zero units", layer({ type: "dense", units: 0, activation: "relu", bias: true }), /layer 0, dense units: 0/],
    ["a string as units", layer({ type: "dense", units: "9", activation: "relu", bias: true }), /dense units: "9"/],
    ["a missing option", layer({ type: "dense", units: 9, bias: true }), /"activation" is missing/],
    ["an unknown activation", layer({ type: "dense", units: 9, activation: "rulu", bias: true }), /"rulu".*relu/],
    ["a bias of 1", layer({ type: "dense", units: 9, activation: "relu", bias: 1 }), /dense bias: 1/],
    ["a rate of 1", layer({ type: "dropout", rate: 1 }), /dropout rate: 1/],
    ["a rate of null", layer({ type: "dropout", rate: null }), /dropout rate: null/],
    ["a huge width", layer({ type: "dense", units: wide, activation: "relu", bias: true }), /more than 1073741824/],
  ])("%s is refused", (_, wrong, message) => {
    expect(() => modelFromConfig(wrong)).toThrow(OptionError);
    expect(() => modelFromConfig(wrong)).toThrow(message);
  });

  test("refuses values that are missing, unknown or of the wrong length", () => {
    const { "layers.1.bias": bias, ...rest } = values;
    expect(() => modelFromConfig(config, rest)).toThrow(/layers\.1\.bias: its values are missing/);
    expect(() => modelFromConfig(config, { ...values, extra: [1] })).toThrow(/no parameter "extra"/);
    expect(() => modelFromConfig(config, { ...values, "layers.1.bias": bias!.slice(1) })).toThrow(OptionError);
  });

  test("refuses shapes that do not fit when the model is built or applied", () => {
    const ofSequence = () => sequential([gru(3)], { inputShape: [6] });
    expect(ofSequence).toThrow(GraphError);
    expect(ofSequence).toThrow(/shape \[6\] per example instead of \[length, width\]/);
    expect(() => model.apply(input("x", [5, 6]))).toThrow(/expected float32\[batch, 2, 3\]/);
    expect(() => model.apply(input("x", [5, 2, 3], "uint32"))).toThrow(GraphError);
    expect(() => dense(3, { activation: "rulu" as ActivationName })).toThrow(/unknown activation "rulu"/);
    expect(() => dense(3, { activation: relu as never })).toThrow(
      'dense: a function has no name for the model\'s config. Give its name, such as "relu", or { name, apply }',
    );
  });
});

describe("dropout", () => {
  const rate = 0.3;
  const model = sequential([dropout(rate)], { inputShape: [500], seed: 5 });
  const ones = constant(new Array<number>(20 * 500).fill(1), [20, 500]);
  const applied = async (step: number, options = {}) =>
    (await evaluate({ y: model.apply(ones, { training: true, ...options }) }, { first: step })).outputs.y!;

  test("is active only in training", async () => {
    expect(model.apply(ones)).toBe(ones);
    expect(sequential([dropout(0)], { inputShape: [500] }).apply(ones, { training: true })).toBe(ones);
  });

  test("drops the given fraction and scales the rest", async () => {
    const y = await applied(0);
    expect(new Set(y)).toEqual(new Set([0, 1 / (1 - rate)]));
    const kept = y.filter((value) => value !== 0).length / y.length;
    // Five standard errors of 10,000 draws.
    expect(Math.abs(kept - (1 - rate))).toBeLessThan(5 * Math.sqrt((rate * (1 - rate)) / y.length));
  });

  test("the mask depends on seed, step and layer", async () => {
    expect(await applied(4)).toEqual(await applied(4));
    expect(await applied(4)).not.toEqual(await applied(5));
    const twice = sequential([dropout(rate), dropout(rate)], { inputShape: [500], seed: 5 });
    const { outputs } = await evaluate({ y: twice.apply(ones, { training: true }) });
    const kept = outputs.y!.filter((value) => value !== 0).length / outputs.y!.length;
    expect(kept).toBeLessThan(0.55);
    expect(await applied(4, { dropoutKeyAt: () => 1 })).toEqual(await applied(5, { dropoutKeyAt: () => 1 }));
  });

  test("the gradient uses the same mask", async () => {
    const network = sequential([dropout(0.5), dense(1, { bias: false })], { inputShape: [500] });
    const x = constant(new Array<number>(500).fill(1), [1, 500]);
    const output = network.apply(x, { training: true });
    const [slope] = gradients(mean(output), network.parameters);
    const { outputs } = await evaluate({ dropped: output.inputs[0]!, slope: slope! });
    expect(outputs.slope).toEqual(outputs.dropped);
  });
});

describe("gradients of a whole network", () => {
  const smooth: ActivationName[] = ["tanh", "sigmoid", "elu", "softplus", "gelu", "geluTanh", "silu"];
  const choices = Object.entries(losses).flatMap(([name, loss], index) =>
    smooth.slice(index, index + 4).map((hidden) => [name, hidden, loss] as const),
  );

  test.each(choices)("%s with %s agrees with central differences", async (_, hidden, loss) => {
    const random = new Random(11);
    const biases = initializers.normal(0.5);
    const model = sequential(
      [flatten(), dense(5, { activation: hidden, biases }), dropout(0.2), dense(3, { biases })],
      { inputShape: [2, 2], seed: 3 },
    );
    const x = constant(
      Array.from({ length: 24 }, () => random.normal()),
      [6, 2, 2],
    );
    const labels = constant([0, 1, 2, 2, 1, 0], [6], "uint32");
    const error = mean(loss.perExample(model.apply(x, { training: true }), labels));
    const slopes = gradients(error, model.parameters);
    const session = createCpuBackend({ precision: "float64" }).createSession();
    const outputs = { error, ...Object.fromEntries(slopes.map((slope, index) => [`slope${index}`, slope])) };
    const executable = await session.compile(defineGraph(outputs));
    const errorNow = async () => (await executable.run(0, 1)).error![0]!;
    await errorNow();
    const found = await Promise.all(slopes.map((_slope, index) => executable.read(`slope${index}`)));
    const step = 1e-5;
    for (const [index, leaf] of model.parameters.entries()) {
      const values = await session.read(leaf);
      for (let element = 0; element < values.length; element++) {
        const shifted = async (by: number) => {
          session.write(leaf, Float64Array.of(values[element]! + by), element);
          return errorNow();
        };
        const numeric = ((await shifted(step)) - (await shifted(-step))) / (2 * step);
        session.write(leaf, Float64Array.of(values[element]!), element);
        const analytic = found[index]![element]!;
        const scale = Math.max(1, Math.abs(analytic), Math.abs(numeric));
        expect(Math.abs(analytic - numeric) / scale).toBeLessThanOrEqual(1e-6);
      }
    }
  });
});
