import { describe, expect, test } from "vitest";
import { GraphError, OptionError } from "../../src/errors.ts";
import { saveOnnx } from "../../src/formats/onnx/index.ts";
import { constant, type StoredAttributes } from "../../src/graph/leaves.ts";
import { sizeOf, type Tensor } from "../../src/graph/tensor.ts";
import {
  layers,
  modelFromConfig,
  models,
  optimizers,
  sequential,
  summary,
  toSequential,
  type RecordedAttention,
} from "../../src/nn/index.ts";
import { gradients } from "../../src/ops/gradients.ts";
import { slice } from "../../src/ops/indexing/index.ts";
import { softmaxCrossEntropy } from "../../src/ops/losses/index.ts";
import { largestDifference, runOnnx } from "../formats/onnxruntime.ts";
import { evaluate } from "./run.ts";

const attributesOf = ({ attributes }: Tensor) => attributes as StoredAttributes;
const small = { vocabulary: 11, context: 6, layers: 2, heads: 2, width: 8 };

const tokensOf = (values: readonly number[], context: number) =>
  constant(values, [values.length / context, context], "uint32");

function deviationOf(values: ArrayLike<number>): number {
  const all = Array.from(values);
  return Math.sqrt(all.reduce((sum, value) => sum + value ** 2, 0) / all.length);
}

describe("models.gpt", () => {
  test("has the parameters of nanoGPT's network on Shakespeare's characters, initialized as GPT-2", () => {
    const { parameters } = models.gpt({ vocabulary: 65, context: 64, layers: 4, heads: 4, width: 128 });
    // A block: 12 · width² weights, 13 · width biases and factors of norms.
    const block = 12 * 128 ** 2 + 13 * 128;
    expect(parameters.reduce((sum, { size }) => sum + size, 0)).toBe(65 * 128 + 64 * 128 + 4 * block + 2 * 128);
    const named = new Map(parameters.map((leaf) => [attributesOf(leaf).name, leaf]));
    const deviation = (name: string) => deviationOf(attributesOf(named.get(`layers.gpt.${name}`)!).initial!);
    expect(deviation("weight") / 0.02).toBeCloseTo(1, 1);
    expect(deviation("0.weight") / 0.02).toBeCloseTo(1, 1);
    expect(deviation("1.attention.weight") / 0.02).toBeCloseTo(1, 1);
    expect(deviation("1.hidden.weight") / 0.02).toBeCloseTo(1, 1);
    // The last products of the two branches of four blocks.
    expect(deviation("4.attention.output.weight") / (0.02 / Math.sqrt(8))).toBeCloseTo(1, 1);
    expect(deviation("4.output.weight") / (0.02 / Math.sqrt(8))).toBeCloseTo(1, 1);
    for (const [name, leaf] of named)
      if (name.endsWith("bias")) expect(deviationOf(attributesOf(leaf).initial!)).toBe(0);
    expect(named.get("layers.gpt.1.attention.weight")!.shape).toEqual([128, 384]);
  });

  test("without bias, only norms have one", () => {
    const names = models.gpt({ ...small, bias: false }).parameters.map((leaf) => attributesOf(leaf).name);
    const biases = names.filter((name) => name.endsWith("bias"));
    expect(biases).toHaveLength(5);
    for (const name of biases) expect(name).toMatch(/Norm\.bias$|\.3\.bias$/);
  });

  test("predicts each token from those before it only", async () => {
    const model = models.gpt({ ...small, seed: 3 });
    const values = [1, 4, 2, 10, 0, 7];
    const logitsOf = (tokens: readonly number[]) => model.apply({ tokens: tokensOf(tokens, 6) }).logits;
    const { outputs } = await evaluate({ first: logitsOf(values), second: logitsOf([1, 4, 2, 9, 0, 7]) });
    expect(outputs["second"]!.slice(0, 3 * 11)).toEqual(outputs["first"]!.slice(0, 3 * 11));
    expect(outputs["second"]!.slice(3 * 11)).not.toEqual(outputs["first"]!.slice(3 * 11));
  });

  test("reads the embedding at the input and at the output, so that its gradient is the sum of both", async () => {
    const { parameters, apply } = models.gpt({ ...small, layers: 1 });
    const logits = apply({ tokens: tokensOf([1, 1, 1, 1, 1, 1], 6) }).logits;
    const loss = softmaxCrossEntropy(logits, tokensOf([2, 2, 2, 2, 2, 2], 6));
    const { outputs } = await evaluate({ gradient: gradients(loss, [parameters[0]!])[0]! });
    const rows = Array.from({ length: 11 }, (_, row) => deviationOf(outputs["gradient"]!.slice(8 * row, 8 * row + 8)));
    // Every row is an output, and the row of the input token also gets the gradient of the input.
    for (const size of rows) expect(size).toBeGreaterThan(0);
    expect(rows[1]).toBeGreaterThan(2 * rows[3]!);
  });

  test("the weights decay, and biases and norms do not", async () => {
    const { parameters } = models.gpt(small);
    const zero = parameters.map(({ shape }) => constant(new Array<number>(sizeOf(shape)).fill(0), shape));
    const updates = optimizers.adamW({ weightDecay: 0.5 }).update(parameters, zero, { learningRate: constant(0.1) });
    const { leaves } = await evaluate({}, { updates, leaves: parameters });
    parameters.forEach((leaf, index) => {
      const factor = leaf.shape.length === 2 ? 0.95 : 1;
      const [at, initial] = [leaf.size - 1, attributesOf(leaf).initial!];
      expect(leaves[index]![at], attributesOf(leaf).name).toBeCloseTo(factor * initial[at]!, 9);
    });
  });

  test("drops elements in training, others in each layer and step", async () => {
    const model = models.gpt({ ...small, dropout: 0.3 });
    const tokens = tokensOf([1, 4, 2, 10, 0, 7], 6);
    const run = async (first: number) =>
      (await evaluate({ logits: model.apply({ tokens }, { training: true }).logits }, { first })).outputs["logits"]!;
    const [zero, again, one] = [await run(0), await run(0), await run(1)];
    expect(again).toEqual(zero);
    expect(one).not.toEqual(zero);
    const { outputs } = await evaluate({ logits: model.apply({ tokens }).logits });
    expect(outputs["logits"]).not.toEqual(zero);
  });

  test("counts the operations of its products", () => {
    const { flops, parameters, text } = summary(models.gpt({ ...small, bias: false }));
    const [length, width, vocabulary] = [6, 8, 11];
    const perToken = 2 * (2 * 12 * width ** 2 + vocabulary * width);
    const perBlock = 2 * 2 * length ** 2 * width;
    const products = length * perToken + 2 * perBlock;
    expect(flops).toBeGreaterThan(products);
    // GELU, softmax, norms and sums take few operations in wide networks, and many in this narrow one.
    expect(flops).toBeLessThan(2.5 * products);
    expect(text).toContain(parameters.toLocaleString("en"));
  });

  test("becomes a sequential model with the same logits, which ONNX and configs can hold", async () => {
    const model = models.gpt({ ...small, seed: 5 });
    const chain = toSequential(model);
    expect(chain.config.layers).toEqual([models.gptLayer(small).config]);
    const values = [1, 4, 2, 10, 0, 7, 3, 3, 3, 9, 8, 1];
    const again = modelFromConfig(
      JSON.parse(JSON.stringify(chain.config)),
      Object.fromEntries(chain.parameters.map((leaf) => [attributesOf(leaf).name, attributesOf(leaf).initial!])),
    );
    const { outputs } = await evaluate({
      logits: model.apply({ tokens: tokensOf(values, 6) }).logits,
      again: again.apply(constant(values, [2, 6])),
    });
    expect(outputs["again"]).toEqual(outputs["logits"]);
    const file = saveOnnx({
      model: again,
      loss: "softmaxCrossEntropy",
      normalization: { scale: 1, offset: 0 },
      classes: Array.from({ length: 11 }, (_, index) => String(index)),
      step: 0,
      training: {},
    });
    const run = await runOnnx(file, Float32Array.from(values), [2, 6]);
    expect(largestDifference(run.outputs["logits"]!.values, Float32Array.from(outputs["logits"]!))).toBeLessThan(1e-6);
  });

  test("refuses sizes that do not fit", () => {
    expect(() => models.gpt({ ...small, heads: 3 })).toThrow("gpt heads: 3 heads do not divide a width of 8");
    expect(() => models.gpt({ ...small, layers: 0 })).toThrow(OptionError);
    expect(() => models.gpt({ ...small, dropout: 1 })).toThrow(OptionError);
    expect(() => models.gpt(small).apply({ tokens: tokensOf([1, 2, 3], 3) })).toThrow(GraphError);
  });
});

describe("layers of sequences refuse", () => {
  const built = (layer: Parameters<typeof sequential>[0][number], inputShape: readonly number[]) => () =>
    sequential([layer], { inputShape });

  test("inputs that are no sequences", () => {
    expect(built(layers.multiHeadAttention(), [4])).toThrow("shape [4] per example instead of [length, width]");
    expect(built(layers.transformerBlock({ heads: 1, hidden: 4 }), [2, 3, 4])).toThrow(GraphError);
    expect(built(layers.positionEmbedding(4), [5, 2])).toThrow("5 positions, and only 4 have a vector");
    expect(built(layers.tiedEmbedding(5, 4, [layers.reshape([3, 8])]), [6])).toThrow("instead of vectors of 4");
  });

  test("heads and options that do not fit", () => {
    expect(built(layers.multiHeadAttention({ heads: 3 }), [2, 4])).toThrow("3 heads do not divide a width of 4");
    expect(built(layers.multiHeadAttention({ heads: 2, rotary: true }), [2, 6])).toThrow("rotated in pairs");
    expect(() => layers.multiHeadAttention({ causal: 1 as never })).toThrow("causal");
    expect(() => layers.multiHeadAttention({ dropout: 1 })).toThrow(OptionError);
    expect(() => layers.transformerBlock({ heads: 1, hidden: 4, norm: "batch" as never })).toThrow(
      'unknown norm "batch"',
    );
    expect(() => layers.tiedEmbedding(5, 4, [])).toThrow(OptionError);
  });
});

describe("recordAttention", () => {
  test("gets the weights of each head, softmax(q kᵀ / √width) over the keys that are allowed", async () => {
    // Row r and column c of the weight; columns 0 to 3 are the queries of both heads, 4 to 7 the keys.
    const weightAt = (row: number, column: number) => Math.sin(1 + 12 * row + column);
    const layer = layers.multiHeadAttention({
      heads: 2,
      causal: true,
      bias: false,
      weights: () => Float32Array.from({ length: 48 }, (_, i) => weightAt(Math.floor(i / 12), i % 12)),
    });
    const recorded: RecordedAttention[] = [];
    const x = [0.5, -1, 2, 0.25, 1, 1, -0.5, 3, -2, 0.75, 0, 1];
    const model = sequential([layer], { inputShape: [3, 4] });
    model.apply(constant(x, [1, 3, 4]), { recordAttention: (one) => recorded.push(one) });
    expect(recorded.map(({ path }) => path)).toEqual(["0"]);
    const { weights } = recorded[0]!;
    expect(weights.shape).toEqual([1, 2, 3, 3]);
    const found = (await evaluate({ weights })).outputs["weights"]!;
    const projected = (position: number, column: number) =>
      [0, 1, 2, 3].reduce((sum, row) => sum + x[4 * position + row]! * Math.fround(weightAt(row, column)), 0);
    for (const head of [0, 1])
      for (const query of [0, 1, 2]) {
        const scores = Array.from({ length: query + 1 }, (_, key) =>
          [2 * head, 2 * head + 1].reduce((sum, c) => sum + projected(query, c) * projected(key, 4 + c), 0),
        );
        const powers = scores.map((score) => Math.exp(score / Math.SQRT2));
        const sum = powers.reduce((total, power) => total + power, 0);
        const expected = [0, 1, 2].map((key) => (powers[key] ?? 0) / sum);
        const row = found.slice(9 * head + 3 * query, 9 * head + 3 * query + 3);
        row.forEach((weight, key) => expect(weight).toBeCloseTo(expected[key]!, 12));
      }
  });

  test("is called for each block of a GPT, and changes no output", async () => {
    const model = models.gpt(small);
    const tokens = tokensOf([1, 4, 2, 10, 0, 7], 6);
    const recorded: RecordedAttention[] = [];
    const { logits } = model.apply({ tokens }, { recordAttention: (one) => recorded.push(one) });
    expect(recorded.map(({ path }) => path)).toEqual(["gpt.1.attention", "gpt.2.attention"]);
    for (const { weights } of recorded) expect(weights.shape).toEqual([1, 2, 6, 6]);
    const { outputs } = await evaluate({ recorded: logits, usual: model.apply({ tokens }).logits });
    expect(outputs["recorded"]).toEqual(outputs["usual"]);
  });
});

describe("layers of sequences", () => {
  test("positionEmbedding adds the first rows of its table", async () => {
    const layer = layers.positionEmbedding(3, {
      weights: (shape) => Float32Array.from({ length: sizeOf(shape) }, (_, i) => i),
    });
    const model = sequential([layer], { inputShape: [2, 2] });
    const x = constant([1, 2, 3, 4], [1, 2, 2]);
    expect((await evaluate({ y: model.apply(x) })).outputs["y"]).toEqual([1, 3, 5, 7]);
  });

  test("without causal and positions, attention treats positions as a set", async () => {
    const model = sequential([layers.multiHeadAttention({ heads: 2 })], { inputShape: [3, 4] });
    const rows = [0.5, -1, 2, 0.25, 1, 1, -0.5, 3, -2, 0.75, 0, 1];
    const order = [...rows.slice(8), ...rows.slice(0, 8)];
    const { outputs } = await evaluate({
      y: model.apply(constant(rows, [1, 3, 4])),
      moved: slice(model.apply(constant(order, [1, 3, 4])), [undefined, { start: 1 }]),
    });
    outputs["moved"]!.forEach((value, index) => expect(value).toBeCloseTo(outputs["y"]![index]!, 12));
  });
});
