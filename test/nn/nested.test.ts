/*
 * Layers inside layers, and what all layers share: initial values, random numbers, precision and refusals.
 */
import { describe, expect, test } from "vitest";
import { GraphError, OptionError, WgradError } from "../../src/errors.ts";
import { constant } from "../../src/graph/leaves.ts";
import { type Shape, type Tensor } from "../../src/graph/tensor.ts";
import {
  activation,
  dense,
  dropout,
  flatten,
  layers,
  modelFromConfig,
  sequential,
  stepProducts,
  type Fans,
  type Initializer,
  type Layer,
} from "../../src/nn/index.ts";
import { gradients } from "../../src/ops/gradients.ts";
import { square } from "../../src/ops/elementwise/index.ts";
import { mean } from "../../src/ops/reduce/index.ts";
import { Random } from "../../src/random.ts";
import { evaluate } from "./run.ts";

const nameOf = ({ attributes }: Tensor) => (attributes as { name: string }).name;
const initialOf = ({ attributes }: Tensor) => (attributes as { initial: Float32Array }).initial;
const ones = (...shape: readonly number[]) =>
  constant(new Array<number>(shape.reduce((product, size) => product * size, 1)).fill(1), shape);

describe("sequential without options is a layer", () => {
  const block = sequential([dense(4, { activation: "tanh" }), dense(4)]);

  test("that does the same as its layers do in a model, with the positions in its parameters' names", async () => {
    const nested = sequential([flatten(), sequential([block, activation("relu")]), dense(2)], { inputShape: [2, 2] });
    expect(nested.parameters.map(nameOf)).toEqual([
      "layers.1.0.0.weight",
      "layers.1.0.0.bias",
      "layers.1.0.1.weight",
      "layers.1.0.1.bias",
      "layers.2.weight",
      "layers.2.bias",
    ]);
    const flat = sequential([flatten(), dense(4, { activation: "tanh" }), dense(4), activation("relu"), dense(2)], {
      inputShape: [2, 2],
    });
    const values = nested.parameters.map(initialOf);
    const same = modelFromConfig(
      flat.config,
      Object.fromEntries(flat.parameters.map((leaf, index) => [nameOf(leaf), values[index]!])),
    );
    const x = constant([0.5, -1, 2, 0.25], [1, 2, 2]);
    const { outputs } = await evaluate({ nested: nested.apply(x), flat: same.apply(x) });
    expect(outputs["nested"]).toEqual(outputs["flat"]);
  });

  test("whose last layer takes its initial weights from the activation after it", () => {
    const spread = (inner: Layer[], ...after: Layer[]) => {
      const model = sequential([sequential(inner), ...after], { inputShape: [300] });
      return initialOf(model.parameters[0]!).reduce((sum, value) => sum + value * value, 0) / 60_000;
    };
    for (const found of [spread([dense(200)], activation("relu")), spread([dense(200), activation("relu")])])
      expect(Math.abs((found * 300) / 2 - 1)).toBeLessThan(0.03);
    expect(Math.abs((spread([dense(200)]) * 500) / 2 - 1)).toBeLessThan(0.03);
  });

  test("used twice has two sets of parameters with their own values", () => {
    const { parameters } = sequential([block, layers.residual([block]), block], { inputShape: [4], seed: 3 });
    const weights = parameters.filter(({ shape }) => shape.length === 2);
    expect(new Set(weights.map((leaf) => initialOf(leaf).join())).size).toBe(6);
  });
});

describe("random numbers in training", () => {
  const applied = async (inner: readonly Layer[], x: Tensor, step = 0) => {
    const model = sequential(inner, { inputShape: x.shape.slice(1), seed: 5 });
    const { outputs } = await evaluate({ y: model.apply(x, { training: true }) }, { first: step });
    expect(model.apply(x)).not.toBe(undefined);
    return outputs["y"]!;
  };

  test("differ between layers inside a layer, between two blocks, and between steps", async () => {
    const x = ones(1, 400);
    const kept = async (inner: readonly Layer[]) =>
      (await applied(inner, x)).filter((value) => value !== 0).length / 400;
    const half = () => dropout(0.5);
    // Equal masks would keep a half; independent ones keep a quarter. Five standard errors are 0.11.
    expect(Math.abs((await kept([sequential([half(), half()])])) - 0.25)).toBeLessThan(0.11);
    expect(Math.abs((await kept([sequential([half()]), sequential([half()])])) - 0.25)).toBeLessThan(0.11);
    const both = await applied([layers.residual([half()], { projection: [half()] })], x);
    expect(both.filter((value) => value === 2).length).toBeGreaterThan(100);
    expect(await applied([sequential([half()])], x, 1)).not.toEqual(await applied([sequential([half()])], x, 2));
  });

  test("spatialDropout drops whole channels of an example, and keeps the expectation", async () => {
    const y = await applied([layers.spatialDropout(0.25)], ones(50, 2, 3, 8));
    const channels = Array.from({ length: 50 * 8 }, (_, index) => {
      const [example, channel] = [Math.floor(index / 8), index % 8];
      return Array.from({ length: 6 }, (_pixel, place) => y[(example * 6 + place) * 8 + channel]!);
    });
    for (const values of channels) expect(new Set(values).size).toBe(1);
    expect(new Set(y)).toEqual(new Set([0, 1 / 0.75]));
    const kept = channels.filter(([value]) => value !== 0).length / channels.length;
    expect(Math.abs(kept - 0.75)).toBeLessThan(5 * Math.sqrt((0.75 * 0.25) / 400));
  });

  test("gaussianNoise adds noise of its deviation, and only in training", async () => {
    const x = ones(20, 500);
    const noise = (await applied([layers.gaussianNoise(0.3)], x)).map((value) => value - 1);
    const variance = noise.reduce((sum, value) => sum + value * value, 0) / noise.length;
    expect(Math.abs(noise.reduce((sum, value) => sum + value, 0) / noise.length)).toBeLessThan((5 * 0.3) / 100);
    expect(Math.abs(variance / 0.09 - 1)).toBeLessThan(5 * Math.sqrt(2 / 10_000));
    for (const layer of [layers.gaussianNoise(0.3), layers.gaussianNoise(0)]) {
      const model = sequential([layer], { inputShape: [500] });
      const training = layer.config["deviation"] === 0;
      expect(model.apply(x, { training })).toBe(x);
    }
    const spatial = sequential([layers.spatialDropout(0.5)], { inputShape: [20, 25] });
    const images = ones(2, 20, 25);
    expect(spatial.apply(images)).toBe(images);
  });
});

describe("initializers get the inputs of an output and the outputs of an input:", () => {
  test.each<[string, (weights: Initializer) => Layer, Shape, Shape, Fans]>([
    [
      "conv2d",
      (weights) => layers.conv2d(8, [3, 2], { groups: 2, weights }),
      [5, 5, 4],
      [3, 2, 2, 8],
      { fanIn: 12, fanOut: 24 },
    ],
    ["conv1d", (weights) => layers.conv1d(6, 5, { weights }), [9, 2], [5, 2, 6], { fanIn: 10, fanOut: 30 }],
    [
      "depthwiseConv2d",
      (weights) => layers.depthwiseConv2d(3, { multiplier: 2, weights }),
      [5, 5, 4],
      [3, 3, 1, 8],
      { fanIn: 9, fanOut: 18 },
    ],
    [
      "convTranspose2d, whose stride skips pixels",
      (weights) => layers.convTranspose2d(6, 4, { stride: 2, groups: 2, weights }),
      [5, 5, 4],
      [4, 4, 3, 4],
      { fanIn: 8, fanOut: 48 },
    ],
  ])("%s", (_, make, inputShape, shape, fans) => {
    let found: unknown;
    sequential(
      [make((...given) => ((found = given.slice(0, 2)), new Float32Array(given[0].reduce((a, b) => a * b))))],
      {
        inputShape,
      },
    );
    expect(found).toEqual([shape, fans]);
  });

  test("which makes He normal of a convolution before a rectifier, and Xavier uniform otherwise", () => {
    const variance = (options: object, ...after: Layer[]) => {
      const model = sequential([layers.conv2d(100, 3, options), ...after], { inputShape: [3, 3, 50] });
      const values = initialOf(model.parameters[0]!);
      return values.reduce((sum, value) => sum + value * value, 0) / values.length;
    };
    for (const found of [variance({ activation: "relu" }), variance({}, activation("relu"))])
      expect(Math.abs((found * 450) / 2 - 1)).toBeLessThan(0.03);
    expect(Math.abs((variance({}) * 1350) / 2 - 1)).toBeLessThan(0.03);
  });
});

test("the precision reaches the products of convolutions, forward and backward", () => {
  const model = sequential(
    [
      layers.conv2d(4, 3, { activation: "relu" }),
      layers.residual([layers.convTranspose2d(4, 3, { padding: "same" })]),
      layers.reshape([36, 4]),
      layers.conv1d(2, 3),
    ],
    { inputShape: [8, 8] },
  );
  const precisions = stepProducts(model, 2, "float16").map(({ precision }) => precision);
  expect(precisions).toHaveLength(8);
  expect(new Set(precisions)).toEqual(new Set(["float16"]));
});

test("gradients of a network of all kinds agree with central differences", async () => {
  const random = new Random(4);
  const model = sequential(
    [
      layers.embedding(5, 3),
      layers.conv1d(4, 3, { padding: "same", activation: "tanh" }),
      layers.residual([layers.layerNorm(), layers.gaussianNoise(0.1), layers.conv1d(4, 1)]),
      layers.reshape([2, 3, 4]),
      layers.depthwiseConv2d(2, { padding: "same", activation: "silu" }),
      layers.residual([layers.groupNorm(2), layers.conv2d(2, 3, { padding: 1 })], {
        projection: [layers.conv2d(2, 1)],
      }),
      layers.convTranspose2d(2, 2, { stride: 2, activation: "gelu" }),
      layers.averagePool2d(2),
      layers.rmsNorm(),
      layers.upsample(2, { mode: "bilinear" }),
      layers.spatialDropout(0.2),
      layers.globalAveragePool2d(),
    ],
    { inputShape: [6], seed: 3 },
  );
  const x = constant(
    Array.from({ length: 18 }, () => random.below(5)),
    [3, 6],
  );
  const lossOf = (from: typeof model) => mean(square(from.apply(x, { training: true })));
  const slopes = gradients(lossOf(model), model.parameters);
  const named = Object.fromEntries(slopes.map((slope, index) => [nameOf(model.parameters[index]!), slope]));
  const { outputs: found } = await evaluate(named);
  for (const leaf of model.parameters) {
    const element = random.below(leaf.size);
    const near = async (by: number) => {
      const copies = model.parameters.map((own) => {
        const values = Float64Array.from(initialOf(own));
        if (own === leaf) values[element]! += by;
        return [nameOf(own), values] as const;
      });
      const shifted = modelFromConfig(model.config, Object.fromEntries(copies));
      return (await evaluate({ loss: lossOf(shifted) })).outputs["loss"]![0]!;
    };
    // Parameters begin as float32, so that the step is a power of two that changes them exactly, within their digits.
    const step = 2 ** -9;
    const numeric = ((await near(step)) - (await near(-step))) / (2 * step);
    const analytic = found[nameOf(leaf)]![element]!;
    expect(Math.abs(analytic - numeric), nameOf(leaf)).toBeLessThan(1e-4 * Math.max(1, Math.abs(analytic)));
  }
});

describe("refusals", () => {
  test.each<[string, () => unknown, RegExp]>([
    [
      "a convolution of features",
      () => sequential([layers.conv2d(2, 3)], { inputShape: [9] }),
      /conv2d: its input has the shape \[9\] .*not an image.*reshape\(/,
    ],
    [
      "a convolution of volumes",
      () => sequential([layers.maxPool2d(2)], { inputShape: [2, 2, 2, 2] }),
      /maxPool2d: .*not an image/,
    ],
    [
      "a signal with two axes too many",
      () => sequential([layers.conv1d(2, 3)], { inputShape: [4, 4, 2] }),
      /conv1d: .*not a signal/,
    ],
    [
      "a window that does not fit",
      () => sequential([layers.conv2d(2, 5)], { inputShape: [4, 4] }),
      /window of 5 × 5 does not fit images of 4 × 4/,
    ],
    [
      "groups that do not divide the channels",
      () => sequential([layers.conv2d(4, 1, { groups: 2 })], { inputShape: [4, 4, 3] }),
      /conv2d: its input has 3 channels, which 2 groups do not divide/,
    ],
    [
      "groups of a norm",
      () => sequential([layers.groupNorm(3)], { inputShape: [4] }),
      /groupNorm: its input has 4 channels, which 3 groups/,
    ],
    [
      "another number of elements",
      () => sequential([layers.reshape([2, 3])], { inputShape: [5] }),
      /reshape: .*\[5\] per example, of 5 elements, but \[2, 3\] has 6/,
    ],
    [
      "spatial dropout of features",
      () => sequential([layers.spatialDropout(0.5)], { inputShape: [5] }),
      /spatialDropout: .*use dropout/,
    ],
    [
      "a residual that changes the shape",
      () => sequential([dense(3), layers.residual([dense(2)])], { inputShape: [4] }),
      /layer 1, residual: its layers give \[2\] per example, but its input is \[3\]/,
    ],
    [
      "a projection to another shape",
      () => sequential([layers.residual([dense(2)], { projection: [dense(1)] })], { inputShape: [4] }),
      /but its projection is \[1\]/,
    ],
    [
      "an output padding as large as the stride",
      () => sequential([layers.convTranspose2d(1, 2, { stride: 2, outputPadding: 2 })], { inputShape: [3, 3] }),
      /have 4 × 4 windows/,
    ],
  ])("%s, when the model is built", (_, build, message) => {
    expect(build).toThrow(GraphError);
    expect(build).toThrow(message);
  });

  test.each<[string, () => unknown, RegExp]>([
    ["no outputs", () => layers.conv2d(0, 3), /conv2d outputs: 0 is out of range/],
    [
      "outputs that groups do not divide",
      () => layers.conv2d(3, 3, { groups: 2 }),
      /conv2d outputs: 3 .*multiple of the 2 groups/,
    ],
    [
      "a window of three sizes",
      () => layers.conv2d(3, [1, 2, 3] as never),
      /conv2d window: \[1,2,3\].*\[height, width\]/,
    ],
    ["a stride of 0", () => layers.maxPool2d(2, { stride: 0 }), /maxPool2d stride: 0/],
    ["an unknown padding", () => layers.conv2d(3, 3, { padding: "full" as never }), /conv2d padding: "full".*"same"/],
    ["a negative padding", () => layers.averagePool2d(3, { padding: -1 }), /averagePool2d padding: -1/],
    ["a padding of a signal", () => layers.conv1d(3, 3, { padding: "full" as never }), /conv1d padding: "full"/],
    [
      "windows of padding",
      () => sequential([layers.maxPool2d(2, { padding: 2 })], { inputShape: [4, 4] }),
      /maxPool2d padding: .* not smaller than the window of 2 × 2/,
    ],
    ["a bias that is a number", () => layers.conv2d(3, 3, { bias: 1 as never }), /conv2d bias: 1 is not a boolean/],
    ["an epsilon of 0", () => layers.layerNorm({ epsilon: 0 }), /layerNorm epsilon: 0/],
    ["an affine that is a string", () => layers.rmsNorm({ affine: "no" as never }), /rmsNorm affine: "no"/],
    ["too many entries", () => layers.embedding(2 ** 25, 2), /embedding entries: 33554432 .*at most 16777216/],
    [
      "an unknown mode",
      () => layers.upsample(2, { mode: "cubic" as never }),
      /upsample: unknown mode "cubic".*nearest, bilinear/,
    ],
    ["a shape of nothing", () => layers.reshape([]), /reshape shape: \[\] is not a list of sizes/],
    ["a rate of 1", () => layers.spatialDropout(1), /spatialDropout rate: 1/],
    ["a negative deviation", () => layers.gaussianNoise(-1), /gaussianNoise deviation: -1/],
    ["a residual without layers", () => layers.residual([]), /residual: there are no layers/],
    [
      "a projection that is a layer",
      () => layers.residual([dense(2)], { projection: dense(2) as never }),
      /residual projection: .* is not a list of layers/,
    ],
    ["a chain without layers", () => sequential([]), /sequential: there are no layers/],
    ["a chain of something else", () => sequential([3] as never), /sequential: layer 0 is 3, which is not a layer/],
  ])("%s, when the layer is made", (_, make, message) => {
    expect(make).toThrow(OptionError);
    expect(make).toThrow(message);
  });

  test("more layers inside layers than a stack should hold, as a damaged file may have", () => {
    const nested = (depth: number): object =>
      depth === 0 ? { type: "flatten" } : { type: "sequential", layers: [nested(depth - 1)] };
    const config = (depth: number) => ({ inputShape: [4], seed: 1, layers: [nested(depth)] });
    expect(modelFromConfig(config(32)).outputShape).toEqual([4]);
    expect(() => modelFromConfig(config(33))).toThrow(OptionError);
    expect(() => modelFromConfig(config(2000))).toThrow(/it is inside 32 layers/);
  });

  test("a layer inside a layer, naming the path to it", () => {
    const broken: Layer = { config: { type: "own" }, build: () => ({ outputShape: [4], apply: () => null as never }) };
    const build = () => sequential([layers.residual([dense(4), sequential([broken])])], { inputShape: [4] });
    expect(build).toThrow(WgradError);
    expect(build).toThrow(/layer 0\.1\.0, own, apply: null is not a tensor/);
    const inner = { type: "dropout", rate: 3 };
    const config = { inputShape: [4], seed: 1, layers: [{ type: "residual", layers: [inner], projection: [] }] };
    expect(() => modelFromConfig(config)).toThrow(/layer 0, nested layer, dropout rate: 3/);
    const notList = { inputShape: [4], seed: 1, layers: [{ type: "sequential", layers: inner }] };
    expect(() => modelFromConfig(notList)).toThrow(/layer 0, sequential layers: .* is not a list/);
  });
});
