import { describe, expect, test } from "vitest";
import { conv2d } from "../../src/ops/convolution/index.ts";
import { multiply, subtract, tanh } from "../../src/ops/elementwise/index.ts";
import { mean } from "../../src/ops/reduce/index.ts";
import {
  dense,
  dropout,
  flatten,
  functionalModel,
  initializers,
  layers,
  sequential,
  summary,
  type Layer,
  type LayerContext,
} from "../../src/nn/index.ts";

/** The tanh of its input times a weight. */
const scaled: Layer = {
  config: { type: "scaled" },
  build({ inputShape, parameter }: LayerContext) {
    const weight = parameter("scale", [1], initializers.zeros, { fanIn: 1, fanOut: 1 });
    return { outputShape: inputShape, apply: (x) => tanh(multiply(x, weight)) };
  },
};

/** A 3×3 convolution, or a depthwise one, and the mean of the image. */
const convolved = (groups: number): Layer => ({
  config: { type: "convolved" },
  build({ parameter }: LayerContext) {
    const weight = parameter("kernel", [3, 3, 4 / groups, 4], initializers.zeros, { fanIn: 1, fanOut: 1 });
    return {
      outputShape: [4],
      apply: (x) => mean(conv2d(x, weight, { groups, padding: "same" }), { axes: [1, 2] }),
    };
  },
});

describe("summary", () => {
  test("has the numbers of a network of dense layers", () => {
    const network = [flatten(), dense(128, { activation: "relu" }), dropout(0.5), dense(10, { bias: false })];
    const { rows, parameters, flops } = summary(sequential(network, { inputShape: [28, 28] }));
    // A product, a bias and an activation; dropout does nothing outside training.
    const first = 2 * 784 * 128 + 128 + 128;
    const last = 2 * 128 * 10;
    expect(rows).toEqual([
      { name: "layers.0", type: "flatten", outputShape: [784], parameters: 0, flops: 0 },
      { name: "layers.1", type: "dense", outputShape: [128], parameters: 100_480, flops: first },
      { name: "layers.2", type: "dropout", outputShape: [128], parameters: 0, flops: 0 },
      { name: "layers.3", type: "dense", outputShape: [10], parameters: 1280, flops: last },
    ]);
    expect([parameters, flops]).toEqual([101_760, first + last]);
  });

  test("prints them as a table", () => {
    const model = sequential([dense(128, { activation: "relu" }), dense(10)], { inputShape: [784], name: "digits" });
    expect(summary(model).text).toBe(
      [
        "layer            type   output  parameters    FLOPs",
        "digits.layers.0  dense  [128]      100,480  200,960",
        "digits.layers.1  dense  [10]         1,290    2,570",
        "2 layers                           101,770  203,530",
      ].join("\n"),
    );
    expect(summary(sequential([dense(1)], { inputShape: [1] })).text).toMatch(/\n1 layer +2 +3$/);
  });

  test("counts transcendental functions, convolutions and reductions, and parameters by whole names", () => {
    const network = [scaled, convolved(1), ...Array.from({ length: 10 }, () => dense(4))];
    const { rows } = summary(sequential(network, { inputShape: [5, 6, 4] }));
    // tanh counts as 12.
    expect(rows[0]).toMatchObject({ type: "scaled", parameters: 1, flops: 13 * 120 });
    // Each of the 30 places of an output channel adds up 9 · 4 products.
    expect(rows[1]).toMatchObject({ outputShape: [4], parameters: 144, flops: 2 * 30 * 4 * 36 + 120 });
    expect(rows[10]).toMatchObject({ name: "layers.10", parameters: 20 });
    const [depthwise] = summary(sequential([convolved(4)], { inputShape: [5, 6, 4] })).rows;
    expect(depthwise).toMatchObject({ parameters: 36, flops: 2 * 30 * 4 * 9 + 120 });
  });

  test("of a functional model has a row per layer in the order of first use, and the ops without a layer", () => {
    const shared = dense(4, { bias: false });
    const model = functionalModel({ inputs: { a: [8], b: [8] }, name: "pair" }, ({ a, b }, { use }) => {
      const difference = subtract(use(shared, a, "tower"), multiply(use(shared, b), 2));
      return { y: multiply(use(dense(3), use(layers.batchNorm(), difference)), 2) };
    });
    const { rows, text, ...totals } = summary(model);
    const norm = 4 * 4 + 4 * 9;
    expect(rows).toEqual([
      { name: "pair.layers.tower", type: "dense", outputShape: [4], parameters: 32, flops: 2 * 64 },
      { name: "pair.layers.1", type: "batchNorm", outputShape: [4], parameters: 8, flops: norm },
      { name: "pair.layers.2", type: "dense", outputShape: [3], parameters: 15, flops: 27 },
    ]);
    expect(totals).toEqual({ parameters: 55, nonTrainable: 8, otherFlops: 11, flops: 128 + norm + 27 + 11 });
    expect(text.split("\n").slice(-3)).toEqual([
      "other ops                                            11",
      "3 layers                                      55    218",
      "non-trainable                                  8",
    ]);
  });
});
