/*
 * What layers compute: numbers by hand, formulas in plain loops, or the ops with the same options.
 */
import { describe, expect, test } from "vitest";
import { constant } from "../../src/graph/leaves.ts";
import { sizeOf, type Shape, type Tensor } from "../../src/graph/tensor.ts";
import { initializers, layers, modelFromConfig, sequential, type Layer, type Model } from "../../src/nn/index.ts";
import * as ops from "../../src/ops/convolution/index.ts";
import { add, multiply, relu } from "../../src/ops/elementwise/index.ts";
import { Random } from "../../src/random.ts";
import { evaluate } from "./run.ts";

const { given, normal } = initializers;

const batchOf = (values: readonly number[], shape: Shape): Tensor =>
  constant(values, [values.length / sizeOf(shape), ...shape]);

/** The results of a layer for examples. */
async function applied(layer: Layer, shape: Shape, values: readonly number[]): Promise<number[]> {
  const model = sequential([layer], { inputShape: shape });
  return (await evaluate({ y: model.apply(batchOf(values, shape)) })).outputs["y"]!;
}

function drawn(count: number, seed = 1): number[] {
  const random = new Random(seed);
  return Array.from({ length: count }, () => Math.fround(random.normal()));
}

const close = (found: readonly number[], wanted: readonly number[]) => {
  expect(found).toHaveLength(wanted.length);
  found.forEach((value, index) => expect(value).toBeCloseTo(wanted[index]!, 12));
};

/** A model of one layer with other values than those that norms and biases have at first. */
function withDrawnValues(layer: Layer, inputShape: Shape): Model {
  const { config, parameters } = sequential([layer], { inputShape });
  const values = parameters.map(({ attributes, size }, index) => {
    return [(attributes as { name: string }).name, drawn(size, 100 + index)] as const;
  });
  return modelFromConfig(config, Object.fromEntries(values));
}

describe("layers by hand", () => {
  test("conv2d slides its window over gray images, adds the bias and applies the activation", async () => {
    const layer = layers.conv2d(2, 2, {
      activation: "relu",
      // [height, width, channels, outputs]: the first output is a − d of [[a, b], [c, d]], the second 2b + c.
      weights: given([1, 0, 0, 2, 0, 1, -1, 0]),
      biases: given([5, -10]),
    });
    const image = [1, 2, 3, 4, 5, 6, 7, 8, 9];
    const expected = [1, 0, 1, 1, 1, 7, 1, 10];
    expect(await applied(layer, [3, 3], image)).toEqual(expected);
    expect(await applied(layer, [3, 3, 1], image)).toEqual(expected);
  });

  test("conv1d", async () => {
    const layer = layers.conv1d(1, 2, { stride: 2, padding: [1, 0], weights: given([1, 10]), biases: given([0.5]) });
    expect(await applied(layer, [5], [1, 2, 3, 4, 5])).toEqual([10.5, 32.5, 54.5]);
    const apart = layers.conv1d(2, 1, { groups: 2, weights: given([3, 5]), bias: false });
    expect(await applied(apart, [2, 2], [1, 2, 4, 8])).toEqual([3, 10, 12, 40]);
  });

  test("depthwiseConv2d keeps channels apart, with the outputs of a channel side by side", async () => {
    const layer = layers.depthwiseConv2d(1, { multiplier: 2, weights: given([1, 10, 100, 1000]), bias: false });
    expect(await applied(layer, [1, 2, 2], [1, 2, 3, 4])).toEqual([1, 10, 200, 2000, 3, 30, 400, 4000]);
  });

  test("convTranspose2d puts the window down once for each pixel", async () => {
    const weights = given([1, 2, 3, 4]);
    const given2 = (options: object) => layers.convTranspose2d(1, 2, { weights, stride: 2, ...options });
    expect(await applied(given2({ biases: given([0.5]) }), [1, 2], [1, 10])).toEqual([
      1.5, 2.5, 10.5, 20.5, 3.5, 4.5, 30.5, 40.5,
    ]);
    const overlapping = layers.convTranspose2d(1, 2, { weights });
    expect(await applied(overlapping, [1, 2], [1, 10])).toEqual([1, 12, 20, 3, 34, 40]);
    expect(await applied(given2({ outputPadding: [0, 1] }), [1, 1], [2])).toEqual([2, 4, 0, 6, 8, 0]);
  });

  test("pooling", async () => {
    const image = [1, -2, 3, -4, 5, -6, -7, 8, 9];
    expect(await applied(layers.maxPool2d(2, { stride: 1 }), [3, 3], image)).toEqual([5, 5, 8, 9]);
    expect(await applied(layers.maxPool2d([1, 3]), [3, 3], image)).toEqual([3, 5, 9]);
    // The corners of padding are no largest elements, but count for the mean.
    const corner = {
      padding: [
        [1, 0],
        [1, 0],
      ],
    } as const;
    expect(await applied(layers.maxPool2d(2, corner), [2, 2], [-1, -2, -3, -4])).toEqual([-1]);
    expect(await applied(layers.averagePool2d(2, corner), [2, 2], [-1, -2, -3, -4])).toEqual([-0.25]);
    expect(await applied(layers.averagePool2d(2), [2, 2, 2], [1, 10, 2, 20, 3, 30, 6, 60])).toEqual([3, 30]);
    expect(await applied(layers.globalAveragePool2d(), [2, 1, 2], [1, 10, 2, 20, 3, 5, 3, 6])).toEqual([
      1.5, 15, 3, 5.5,
    ]);
    expect(await applied(layers.globalMaxPool2d(), [2, 1, 2], [1, 10, 2, -20, 3, 5, -3, 6])).toEqual([2, 10, 3, 6]);
  });

  test("upsample and reshape", async () => {
    expect(await applied(layers.upsample([1, 2]), [2, 1, 2], [1, 2, 3, 4])).toEqual([1, 2, 1, 2, 3, 4, 3, 4]);
    expect(await applied(layers.upsample(2, { mode: "bilinear" }), [1, 2], [0, 4])).toEqual([0, 1, 3, 4, 0, 1, 3, 4]);
    const model = sequential([layers.reshape([3, 2])], { inputShape: [6] });
    const result = model.apply(batchOf([1, 2, 3, 4, 5, 6], [6]));
    expect(result.shape).toEqual([1, 3, 2]);
    expect((await evaluate({ y: result })).outputs["y"]).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test("embedding takes rows by indices, and the first or last row for others that are computed", async () => {
    const layer = layers.embedding(3, 2, { weights: given([0, 1, 10, 11, 20, 21]) });
    expect(await applied(layer, [2], [2, 0, 1, 1])).toEqual([20, 21, 0, 1, 10, 11, 10, 11]);
    const model = sequential([layer], { inputShape: [4] });
    const computed = model.apply(multiply(constant([-0.5, 3.5, 0.75, -3], [1, 4]), 2));
    expect((await evaluate({ computed })).outputs["computed"]).toEqual([0, 1, 20, 21, 10, 11, 0, 1]);
    const wanted = "but toIndex needs whole numbers in 0 … 2. Correct the indices";
    await expect(applied(layer, [2], [0, 7])).rejects.toThrow(`constant [1, 2]: element 1 is 7, ${wanted}`);
    await expect(applied(layer, [2], [0.5, 1])).rejects.toThrow(`constant [1, 2]: element 0 is 0.5, ${wanted}`);
    expect(sequential([layer], { inputShape: [5] }).outputShape).toEqual([5, 2]);
  });

  test("residual adds its input, or a projection of it", async () => {
    const double = () => layers.dense(2, { weights: given([2, 0, 0, 2]) });
    expect(await applied(layers.residual([double()]), [2], [1, -5])).toEqual([3, -15]);
    const projection = [layers.dense(2, { weights: given([10, 0, 0, 10]) })];
    expect(await applied(layers.residual([double()], { projection }), [2], [1, -5])).toEqual([12, -60]);
  });
});

describe("normalization follows its formula:", () => {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const x = drawn(2 * 6 * 4).map((value) => 3 + 2 * value);

  /** Normalizes the elements of each key together, with the model's factors. */
  function expected(model: Model, keyOf: (index: number) => string, epsilon: number, center: boolean): number[] {
    const [weight, bias] = model.parameters.map(({ attributes }) => (attributes as { initial: Float32Array }).initial);
    return x.map((value, index) => {
      const members = x.filter((_, other) => keyOf(other) === keyOf(index));
      const middle = center ? mean(members) : 0;
      const spread = Math.sqrt(mean(members.map((member) => (member - middle) ** 2)) + epsilon);
      return ((value - middle) / spread) * weight![index % 4]! + (bias?.[index % 4] ?? 0);
    });
  }

  test.each<[string, Layer, (index: number) => string, number, boolean]>([
    ["layerNorm", layers.layerNorm(), (index) => `${Math.floor(index / 4)}`, 1e-5, true],
    ["layerNorm with an epsilon", layers.layerNorm({ epsilon: 0.5 }), (index) => `${Math.floor(index / 4)}`, 0.5, true],
    ["rmsNorm", layers.rmsNorm(), (index) => `${Math.floor(index / 4)}`, 1e-6, false],
    [
      "groupNorm",
      layers.groupNorm(2),
      (index) => `${Math.floor(index / 24)} ${Math.floor((index % 4) / 2)}`,
      1e-5,
      true,
    ],
    [
      "groupNorm as instance normalization",
      layers.groupNorm(4),
      (index) => `${Math.floor(index / 24)} ${index % 4}`,
      1e-5,
      true,
    ],
  ])("%s", async (_, layer, keyOf, epsilon, center) => {
    const model = withDrawnValues(layer, [2, 3, 4]);
    const { outputs } = await evaluate({ y: model.apply(batchOf(x, [2, 3, 4])) });
    // An epsilon is a float32 constant.
    const wanted = expected(model, keyOf, Math.fround(epsilon), center);
    outputs["y"]!.forEach((value, index) => expect(value).toBeCloseTo(wanted[index]!, 9));
  });

  test("has no parameters if it is not affine, and gives 0 for equal elements", async () => {
    for (const layer of [layers.layerNorm({ affine: false }), layers.groupNorm(1, { affine: false })]) {
      const model = sequential([layer], { inputShape: [4] });
      expect(model.parameters).toEqual([]);
      const { outputs } = await evaluate({ y: model.apply(batchOf([7, 7, 7, 7], [4])) });
      expect(outputs["y"]).toEqual([0, 0, 0, 0]);
    }
    expect(sequential([layers.rmsNorm({ affine: false })], { inputShape: [4] }).parameters).toEqual([]);
  });
});

describe("layers give what the ops give with the same options:", () => {
  const shape = [6, 7, 4];
  const x = batchOf(drawn(2 * sizeOf(shape)), shape);
  const options = {
    stride: [2, 1],
    padding: [
      [1, 0],
      [2, 1],
    ],
    dilation: [1, 2],
  } as const;

  async function same(layer: Layer, op: (x: Tensor, weight: Tensor, bias: Tensor) => Tensor): Promise<void> {
    const model = sequential([layer], { inputShape: shape, seed: 3 });
    const [weight, bias] = model.parameters as [Tensor, Tensor];
    const wanted = op(x, weight, bias);
    expect(wanted.shape.slice(1)).toEqual(model.outputShape);
    const { outputs } = await evaluate({ layer: model.apply(x), op: wanted });
    close(outputs["layer"]!, outputs["op"]!);
  }

  test("conv2d and depthwiseConv2d", async () => {
    const biases = normal(1);
    await same(
      layers.conv2d(6, [3, 2], { ...options, groups: 2, activation: "relu", biases }),
      (images, weight, bias) => relu(ops.conv2d(images, weight, { ...options, groups: 2, bias })),
    );
    await same(layers.conv2d(2, 4, { padding: "same", biases }), (images, weight, bias) =>
      ops.conv2d(images, weight, { padding: "same", bias }),
    );
    await same(layers.depthwiseConv2d([3, 2], { ...options, multiplier: 3, biases }), (images, weight, bias) =>
      ops.conv2d(images, weight, { ...options, groups: 4, bias }),
    );
  });

  test("convTranspose2d", async () => {
    const biases = normal(1);
    await same(
      layers.convTranspose2d(2, 3, { ...options, outputPadding: [1, 0], groups: 2, biases, activation: "relu" }),
      (images, weight, bias) =>
        relu(add(ops.convTranspose2d(images, weight, { ...options, groups: 2, size: [13, 8] }), bias)),
    );
  });

  test("maxPool2d and averagePool2d", async () => {
    const { stride, padding } = options;
    await same(layers.maxPool2d([3, 4], { stride, padding }), (images) =>
      ops.maxPool2d(images, [3, 4], { stride, padding }),
    );
    await same(layers.averagePool2d(3, { padding: "same" }), (images) =>
      ops.averagePool2d(images, 3, { padding: "same" }),
    );
  });
});
