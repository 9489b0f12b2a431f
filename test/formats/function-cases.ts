/*
 * Functional models whose exports are compared with wgrad, and their inputs.
 */
import { byFunction } from "../../examples/19-residual-network.ts";
import { makeModel as siamese } from "../../examples/20-siamese-network.ts";
import { constant, type StoredAttributes } from "../../src/graph/leaves.ts";
import { sizeOf, type Tensor } from "../../src/graph/tensor.ts";
import type { ParameterValues, TrainedFunctionalModel } from "../../src/formats/model.ts";
import {
  axisIndex,
  concat,
  dense,
  dropout,
  flatten,
  functionalModel,
  layers,
  matmul,
  models,
  multiply,
  reshape,
  slice,
  softmax,
  startFrom,
  subtract,
  take,
  toFloat,
  transpose,
  type FunctionalModel,
} from "../../src/index.ts";
import { storedLeaves } from "../../src/nn/sequential.ts";
import { Random } from "../../src/random.ts";
import { layerCases } from "../nn/layer-cases.ts";
import { evaluate } from "../nn/run.ts";
import type { OnnxValue } from "./onnxruntime.ts";
import { opModel } from "./function-ops.ts";

/** Two inputs of other types, joined, with two outputs. */
const twoInputs = () =>
  functionalModel(
    { inputs: { pixels: [4, 3], words: { shape: [5], dtype: "uint32" } }, seed: 3, name: "pair" },
    ({ pixels, words }, { use }) => {
      const seen = use(dense(6, { activation: "gelu" }), use(flatten(), pixels), "seen");
      const read = use(layers.gru(4, { sequences: false }), use(layers.embedding(7, 3), words, "words"), "read");
      const joined = use(dropout(0.5), concat([seen, read], 1));
      return { logits: use(dense(3), joined, "type"), joined };
    },
  );

/** A network whose images become smaller and larger again, with a skip connection (Ronneberger, Fischer and Brox 2015). */
const uShape = () =>
  functionalModel({ inputs: { image: [6, 8, 2] }, seed: 5 }, ({ image }, { use }) => {
    const conv = (channels: number) =>
      layers.sequential([layers.conv2d(channels, 3, { padding: "same", bias: false }), layers.batchNorm()]);
    const pool = layers.maxPool2d(2);
    const double = layers.upsample(2);
    const wide = use(conv(3), image, "wide");
    const half = use(conv(4), use(pool, wide), "half");
    // The same layers without parameters get images of other sizes.
    const narrow = use(double, use(pool, use(pool, use(double, use(double, half)))));
    const joined = concat([wide, narrow], -1);
    return { mask: use(layers.conv2d(1, 1, { activation: "sigmoid" }), joined, "mask"), half: use(flatten(), half) };
  });

/** Layers with parameters, each used on two shapes. */
const twoShapes = () =>
  functionalModel(
    {
      inputs: { source: { shape: [6], dtype: "uint32" }, target: { shape: [4], dtype: "uint32" }, image: [6, 5, 2] },
      seed: 9,
    },
    ({ source, target, image }, { use }) => {
      const [table, reader, head] = [layers.embedding(7, 3), layers.gru(4, { sequences: true }), dense(2)];
      const read = (tokens: Tensor) => use(reader, use(table, tokens, "table"), "reader");
      const conv = layers.sequential([layers.conv2d(2, 3, { padding: 1 }), layers.batchNorm()]);
      const seen = use(conv, image, "conv");
      const small = use(conv, use(layers.maxPool2d(2), seen));
      const last = reshape(slice(read(target), [undefined, { start: -1 }]), [-1, 4]);
      return { positions: use(head, read(source), "head"), last: use(head, last), small: use(flatten(), small) };
    },
  );

/** Attention that is written by ops, beside one that is a layer. */
const attending = () =>
  functionalModel({ inputs: { tokens: { shape: [6], dtype: "uint32" } }, seed: 7 }, ({ tokens }, { use }) => {
    const positions = take(
      constant(
        Array.from({ length: 24 }, (_, index) => Math.sin(index)),
        [6, 4],
      ),
      axisIndex([6], 0),
    );
    const x = multiply(0.5, use(layers.embedding(9, 4), tokens, "values"));
    const q = use(dense(4), reshape(subtract(x, positions), [-1, 4]), "queries");
    const queries = reshape(q, x.shape);
    const weights = softmax(matmul(queries, x, { transposeRight: true }));
    const block = layers.transformerBlock({ heads: 2, hidden: 8, causal: true, rotary: true });
    const attended = use(block, use(block, matmul(weights, x), "block"));
    const last = slice(attended, [undefined, { start: -1 }]);
    return { last: reshape(last, [-1, 4]), counts: toFloat(tokens), turned: transpose(attended, [0, 2, 1]) };
  });

export const functionCases: Readonly<Record<string, () => FunctionalModel>> = {
  "the residual network of example 19": () => byFunction(2),
  "the siamese network of example 20": siamese,
  "two inputs, joined": twoInputs,
  "a U-shaped network": uShape,
  "attention by ops and by layers": attending,
  "a GPT": () => models.gpt({ vocabulary: 9, context: 6, layers: 2, heads: 2, width: 8 }),
  "layers that are used on several shapes": twoShapes,
  "every op with a form": opModel,
};

/** Each layer of test/nn/layer-cases.ts, used twice. */
export const twiceUsed: readonly [string, FunctionalModel][] = Object.entries(layerCases).map(
  ([name, { layer, inputShape = [4] }]) => {
    const input =
      layer.config["entries"] === undefined ? inputShape : ({ shape: inputShape, dtype: "uint32" } as const);
    const model = functionalModel({ inputs: { a: input, b: input } }, ({ a, b }, { use }) => ({
      first: use(layer, a),
      second: use(layer, b),
    }));
    return [name, model];
  },
);

/** Values other than the initial ones, in which biases are 0, factors 1 and variances 1. */
export function otherValues(model: FunctionalModel): ParameterValues {
  const random = new Random(11);
  return Object.fromEntries(
    storedLeaves(model).map(({ attributes, shape, size }) => {
      const { name } = attributes as StoredAttributes;
      const isVariance = name.endsWith("Variance");
      const values = Float32Array.from({ length: size }, () =>
        isVariance ? random.uniform(0.5, 2) : random.normal(0.4),
      );
      return [name, { shape, values }];
    }),
  );
}

/** A model with other values than its initial ones, and the normalization of its first input. */
export function trainedCase(made: FunctionalModel): TrainedFunctionalModel {
  const values = otherValues(made);
  const model = storedLeaves(made).length > 0 ? startFrom(made, values).model : made;
  const [[name, { shape, dtype }]] = Object.entries(model.inputs) as [[string, FunctionalModel["inputs"][string]]];
  if (dtype === "uint32") return { model, step: 1, training: {} };
  const offset = Array.from({ length: sizeOf(shape) }, (_, index) => 0.01 * index);
  return { model, step: 1, training: {}, normalization: { [name]: { scale: 0.9, offset } } };
}

/** Inputs for a number of examples. Indices are below 7. */
export function inputsFor({ inputs }: FunctionalModel, batch: number): Record<string, OnnxValue> {
  const random = new Random(17);
  return Object.fromEntries(
    Object.entries(inputs).map(([name, { shape, dtype }]) => {
      const length = batch * sizeOf(shape);
      const values =
        dtype === "float32"
          ? Float32Array.from({ length }, () => random.normal())
          : Uint32Array.from({ length }, () => random.below(7));
      return [name, { shape: [batch, ...shape], values }];
    }),
  );
}

/** The outputs of wgrad in float64, with the normalization. */
export async function expectedOutputs(
  { model, normalization = {} }: TrainedFunctionalModel,
  inputs: Readonly<Record<string, OnnxValue>>,
): Promise<Record<string, readonly number[]>> {
  const given = Object.entries(inputs).map(([name, { shape, values }]): [string, Tensor] => {
    const { scale, offset } = normalization[name] ?? { scale: 1, offset: 0 };
    const at = (list: number | readonly number[], index: number) =>
      typeof list === "number" ? list : list[index % list.length]!;
    if (values instanceof Uint32Array) return [name, constant([...values], shape, "uint32")];
    const normal = Float32Array.from(values, (value, index) => value * at(scale, index) + at(offset, index));
    return [name, constant([...normal], shape)];
  });
  const { outputs } = await evaluate(model.apply(Object.fromEntries(given)));
  return outputs;
}
