/*
 * Networks of PyTorch 1.13 as its state_dict names and lays them out. The wanted outputs are those of PyTorch in float64,
 * with the values below: ½ sin(0.37 i + k) for element i of tensor k, in the order of the names, plus 1 for variances.
 */
import { describe, expect, test } from "vitest";
import { DataError, OptionError } from "../../src/errors.ts";
import { loadPytorch } from "../../src/formats/pytorch.ts";
import { startFromPytorch } from "../../src/formats/pytorch-layers.ts";
import { constant } from "../../src/graph/leaves.ts";
import { sizeOf, type Shape } from "../../src/graph/tensor.ts";
import {
  activation,
  dense,
  flatten,
  functionalModel,
  initializers,
  layers,
  sequential,
  type Layer,
} from "../../src/nn/index.ts";
import { add, relu } from "../../src/ops/elementwise/index.ts";
import { evaluate } from "../nn/run.ts";

const { batchNorm, conv1d, conv2d, convTranspose2d, embedding, groupNorm, layerNorm, maxPool2d, reshape } = layers;

type Shapes = Readonly<Record<string, Shape>>;

/** A file with these tensors, in the order of their names, and an integer counter for each running mean. */
function fileOf(shapes: Shapes): Uint8Array {
  const names = Object.keys(shapes).toSorted();
  const floats = names.map((name, place) => {
    const base = name.endsWith("running_var") ? 1 : 0;
    return Float32Array.from(
      { length: sizeOf(shapes[name]!) },
      (_, index) => base + 0.5 * Math.sin(0.37 * index + place),
    );
  });
  let end = 0;
  const entry = (dtype: string, shape: Shape, bytes: number) => ({ dtype, shape, data_offsets: [end, (end += bytes)] });
  const counters = names.filter((name) => name.endsWith("running_mean"));
  const header = Object.fromEntries([
    ...counters.map((name) => [name.replace("running_mean", "num_batches_tracked"), entry("I64", [], 8)] as const),
    ...names.map((name, place) => [name, entry("F32", shapes[name]!, floats[place]!.byteLength)] as const),
  ]);
  const text = new TextEncoder().encode(JSON.stringify(header));
  const length = new BigUint64Array([BigInt(text.length)]);
  const parts = [length, text, new BigUint64Array(counters.length).fill(5n), ...floats];
  return Buffer.concat(parts.map(({ buffer, byteOffset, byteLength }) => Buffer.from(buffer, byteOffset, byteLength)));
}

const norm = (name: string, size: number): Shapes =>
  Object.fromEntries(["weight", "bias", "running_mean", "running_var"].map((own) => [`${name}.${own}`, [size]]));

const wave = (...shape: readonly number[]) =>
  constant(
    Array.from({ length: sizeOf(shape) }, (_, index) => Math.cos(0.71 * index)),
    shape,
  );

/** The modules are in another order than their names: bn1, bn2, bn3, conv1, …, up. */
const images: Shapes = {
  "conv1.weight": [4, 2, 3, 3],
  "conv1.bias": [4],
  ...norm("bn1", 4),
  "conv2.weight": [6, 2, 3, 3],
  ...norm("bn2", 6),
  "up.weight": [6, 3, 2, 2],
  "up.bias": [3],
  "fc1.weight": [8, 48],
  "fc1.bias": [8],
  ...norm("bn3", 8),
  "fc2.weight": [4, 8],
  "fc2.bias": [4],
};
const imageLayers = () => [
  conv2d(4, 3, { padding: 1 }),
  batchNorm(),
  activation("relu"),
  maxPool2d(2),
  layers.sequential([conv2d(6, 3, { stride: 2, padding: 1, groups: 2, bias: false }), batchNorm(), activation("relu")]),
  convTranspose2d(3, 2, { stride: 2, activation: "relu" }),
  flatten(),
  dense(8),
  batchNorm(),
  activation("relu"),
  dense(4),
];
const imageModel = () => sequential(imageLayers(), { inputShape: [8, 6, 2] });

/** PyTorch rounds its values to float32, as a file does, and computes in float64. */
const close = (found: readonly number[], wanted: readonly number[]) => {
  expect(found.length).toBe(wanted.length);
  found.forEach((value, index) => expect(value).toBeCloseTo(wanted[index]!, 7));
};

describe("startFromPytorch", () => {
  const wanted = [-0.821009506, -0.0550912219, -0.978535244, 0.264305315];

  test("reads convolutions, norms and Linear layers after flattened images, and reports what matched", async () => {
    const { model, matched, unused } = startFromPytorch(imageModel(), fileOf(images), "net.safetensors");
    const { outputs } = await evaluate({ y: model.apply(wave(1, 8, 6, 2)) });
    close(outputs["y"]!, wanted);
    expect(unused).toEqual([]);
    expect(matched.length).toBe(Object.keys(images).length);
    expect(matched).toContainEqual({ name: "layers.4.0.weight", tensor: "conv2.weight", shape: [6, 2, 3, 3] });
    expect(matched).toContainEqual({ name: "layers.8.runningVariance", tensor: "bn3.running_var", shape: [8] });
    const { model: loaded, classes } = loadPytorch(fileOf(images), "net.safetensors", { model: imageModel() });
    expect(classes).toEqual(["0", "1", "2", "3"]);
    expect((await evaluate({ y: loaded.apply(wave(1, 8, 6, 2)) })).outputs["y"]).toEqual(outputs["y"]);
  });

  test("fills functional models, with the modules in a given order", async () => {
    const names = ["conv1", "bn1", "conv2", "bn2", "up", "fc1", "bn3", "fc2"];
    const model = functionalModel({ inputs: { image: [8, 6, 2] } }, ({ image }, { use }) => ({
      y: imageLayers().reduce((value, layer, index) => use(layer, value, `l${index}`), image),
    }));
    const start = startFromPytorch(model, fileOf(images), "f", { layers: names });
    const { outputs } = await evaluate(start.model.apply({ image: wave(1, 8, 6, 2) }));
    close(outputs["y"]!, wanted);
    expect(start.matched[0]).toEqual({ name: "layers.l0.weight", tensor: "conv1.weight", shape: [4, 2, 3, 3] });
  });

  test("reads attention and recurrent networks", async () => {
    const recurrent = (name: string, columns: number, width: number, units: number): Shapes => ({
      [`${name}.weight_ih_l0`]: [columns, width],
      [`${name}.weight_hh_l0`]: [columns, units],
      [`${name}.bias_ih_l0`]: [columns],
      [`${name}.bias_hh_l0`]: [columns],
    });
    const file = fileOf({
      "attn.in_proj_weight": [18, 6],
      "attn.in_proj_bias": [18],
      "attn.out_proj.weight": [6, 6],
      "attn.out_proj.bias": [6],
      ...recurrent("gru", 12, 6, 4),
      ...recurrent("lstm", 12, 4, 3),
      "fc.weight": [2, 3],
      "fc.bias": [2],
    });
    const network = [
      layers.multiHeadAttention({ heads: 2, causal: true }),
      layers.gru(4, { sequences: true }),
      layers.lstm(3),
      dense(2),
    ];
    const { model, unused } = startFromPytorch(sequential(network, { inputShape: [3, 6] }), file, "f");
    expect(unused).toEqual([]);
    const { outputs } = await evaluate({ y: model.apply(wave(2, 3, 6)) });
    close(outputs["y"]!, [-0.548328505, -0.402242944, -0.548311188, -0.402255794]);
  });

  test("reads the layers of a recurrent network with several ones as modules of their own", async () => {
    const tensors = (layer: number): Shapes => ({
      [`rnn.weight_ih_l${layer}`]: [12, 3],
      [`rnn.weight_hh_l${layer}`]: [12, 3],
      [`rnn.bias_ih_l${layer}`]: [12],
      [`rnn.bias_hh_l${layer}`]: [12],
    });
    const file = fileOf({ ...tensors(0), ...tensors(1), "fc.weight": [2, 3], "fc.bias": [2] });
    const network = [layers.lstm(3, { sequences: true }), layers.lstm(3), dense(2)];
    const { model, matched, unused } = startFromPytorch(sequential(network, { inputShape: [4, 3] }), file, "f");
    const { outputs } = await evaluate({ y: model.apply(wave(1, 4, 3)) });
    close(outputs["y"]!, [0.14857305109949345, 0.25873712717999253]);
    expect(matched).toContainEqual({ name: "layers.1.weight", tensor: "rnn.weight_ih_l1", shape: [12, 3] });
    expect(unused).toEqual([]);
    const given = { layers: ["rnn.l1", "rnn.l0", "fc"] };
    const other = startFromPytorch(sequential(network, { inputShape: [4, 3] }), file, "f", given);
    expect(other.matched[0]).toEqual({ name: "layers.0.weight", tensor: "rnn.weight_ih_l1", shape: [12, 3] });
  });

  test("reads both directions of stacked recurrent layers", async () => {
    const tensors = (suffix: string, width: number): Shapes => ({
      [`rnn.weight_ih_${suffix}`]: [6, width],
      [`rnn.weight_hh_${suffix}`]: [6, 2],
      [`rnn.bias_ih_${suffix}`]: [6],
      [`rnn.bias_hh_${suffix}`]: [6],
    });
    const both = (layer: number, width: number) => ({
      ...tensors(`l${layer}`, width),
      ...tensors(`l${layer}_reverse`, width),
    });
    const file = fileOf({ ...both(0, 3), ...both(1, 4), "fc.weight": [2, 4], "fc.bias": [2] });
    const bidirectional = true;
    const network = [layers.gru(2, { sequences: true, bidirectional }), layers.gru(2, { bidirectional }), dense(2)];
    const { model, matched, unused } = startFromPytorch(sequential(network, { inputShape: [4, 3] }), file, "f");
    const { outputs } = await evaluate({ y: model.apply(wave(2, 4, 3)) });
    // Of h_n, the last two: the last layer's directions.
    close(outputs["y"]!, [-1.0221373749675555, 0.02218958452329703, -0.6805269201191516, 0.12172547945235467]);
    const tensor = { name: "layers.1.reverseWeight", tensor: "rnn.weight_ih_l1_reverse", shape: [6, 4] };
    expect(matched).toContainEqual(tensor);
    expect(unused).toEqual([]);
    // A layer of one direction would use half of the weights.
    const one = sequential([layers.gru(2, { sequences: true }), layers.gru(2), dense(2)], { inputShape: [4, 3] });
    expect(() => startFromPytorch(one, file, "f")).toThrow(DataError);
  });

  test("matches the layers of a functional model by name, if all have the name of a module", () => {
    const file = fileOf({ "block.key.weight": [2, 2], "block.query.weight": [2, 2], "out.weight": [2, 2] });
    const matchedBy = (...names: readonly string[]) => {
      const model = functionalModel({ inputs: { x: [2] }, name: "own" }, ({ x }, { use }) => ({
        y: names.reduce((value, name) => use(dense(2, { bias: false }), value, name), x),
      }));
      return startFromPytorch(model, file, "f").matched.map(({ name, tensor }) => `${name} ${tensor}`);
    };
    expect(matchedBy("out", "block_query")).toEqual([
      "own.layers.out.weight out.weight",
      "own.layers.block_query.weight block.query.weight",
    ]);
    expect(() => matchedBy("out", "query")).toThrow('or name all layers as the modules, with "_" for each dot');
  });

  test("fills layers with custom activations, which a file does not have", async () => {
    const own = { name: "own", apply: relu };
    const chain = [...imageLayers()];
    chain[4] = layers.sequential([
      conv2d(6, 3, { stride: 2, padding: 1, groups: 2, bias: false }),
      batchNorm(),
      activation(own),
    ]);
    chain[5] = layers.sequential([convTranspose2d(3, 2, { stride: 2, activation: own })]);
    const { model } = startFromPytorch(sequential(chain, { inputShape: [8, 6, 2] }), fileOf(images), "f");
    close((await evaluate({ y: model.apply(wave(1, 8, 6, 2)) })).outputs["y"]!, wanted);
    const shift: Layer = {
      config: { type: "shift" },
      build({ inputShape, parameter }) {
        const summand = parameter("bias", inputShape, initializers.zeros, { fanIn: 1, fanOut: 1 });
        return { outputShape: inputShape, apply: (x) => add(x, summand) };
      },
    };
    const custom = sequential([...imageLayers(), shift], { inputShape: [8, 6, 2] });
    expect(() => startFromPytorch(custom, fileOf(images), "f")).toThrow(
      'layer layers.11: the custom layer "shift" has parameters, and no module of PyTorch is known for it',
    );
  });

  test("permutes the features that become images", async () => {
    const file = fileOf({
      "0.weight": [24, 5],
      "0.bias": [24],
      ...norm("2", 24),
      "4.weight": [4],
      "4.bias": [4],
      "5.weight": [4, 2, 3, 3],
      "5.bias": [2],
    });
    const network = [
      dense(24, { activation: "relu" }),
      batchNorm(),
      reshape([2, 3, 4]),
      groupNorm(2),
      convTranspose2d(2, 3),
    ];
    const { model } = startFromPytorch(sequential(network, { inputShape: [5] }), file, "f");
    const { outputs } = await evaluate({ y: model.apply(wave(1, 5)) });
    close(
      outputs["y"]!,
      [
        0.652052, 0.283226308, 0.413912338, 0.598595049, 0.180165153, 0.876806999, -0.11128571, 1.10510192, 0.223091968,
        0.736182346, 0.278932752, 0.712712322, -0.401719094, 1.40741086, -0.818849021, 1.7686133, -0.402786426,
        1.27490606, 0.206780363, 0.693367416, 0.0836465713, 0.831758712, -0.343791057, 1.14904842, -0.29711193,
        1.0116313, 0.294425513, 0.462560843, 0.483024248, 0.387226695, 0.496553824, 0.369420854, 0.481706777,
        0.338331542, 0.662137602, 0.167750967, 0.543847924, 0.330216267, 0.470925932, 0.454354012,
      ],
    );
  });

  test("reads embeddings, layer norms and signals", async () => {
    const file = fileOf({
      "emb.weight": [7, 4],
      "norm.weight": [4],
      "norm.bias": [4],
      "conv.weight": [6, 4, 2],
      "conv.bias": [6],
      ...norm("out_norm", 24),
      "fc.weight": [3, 24],
      "fc.bias": [3],
    });
    const network = [
      embedding(7, 4),
      layerNorm(),
      conv1d(6, 2, { activation: "relu" }),
      flatten(),
      batchNorm(),
      dense(3),
    ];
    const { model } = startFromPytorch(sequential(network, { inputShape: [5] }), file, "f");
    const { outputs } = await evaluate({ y: model.apply(constant([1, 6, 3, 0, 2], [1, 5])) });
    close(outputs["y"]!, [-1.85095837, 0.805383671, 0.0686086444]);
  });

  test("does not permute gray images that a network flattens at once, or features of sequences", () => {
    const file = fileOf({ "fc.weight": [2, 12], "fc.bias": [2] });
    const networks = [
      sequential([flatten(), dense(2)], { inputShape: [3, 4] }),
      sequential([activation("relu"), flatten(), dense(2)], { inputShape: [3, 4] }),
      sequential([dense(2)], { inputShape: [12] }),
    ];
    const values = networks.map((network) => {
      const { attributes } = startFromPytorch(network, file, "f").model.parameters[0]!;
      return (attributes as { initial: Float32Array }).initial;
    });
    expect(values[0]).toEqual(values[2]);
    expect(values[1]).toEqual(values[2]);
  });

  test.each<[string, () => unknown, RegExp]>([
    [
      "a layer that no module fits",
      () =>
        startFromPytorch(
          sequential([dense(3)], { inputShape: [2] }),
          fileOf({ "fc.weight": [4, 2], "fc.bias": [4] }),
          "f",
        ),
      /f, layer layers\.0: it needs weight \[3, 2\], bias \[3\], but the file has "fc" with bias \[4\], weight \[4, 2\]/,
    ],
    [
      "modules whose names have no order",
      () =>
        startFromPytorch(
          sequential([dense(2, { bias: false }), dense(2, { bias: false })], { inputShape: [2] }),
          fileOf({ "key.weight": [2, 2], "query.weight": [2, 2] }),
          "f",
        ),
      /layer layers\.0: both "key" and "query" have weight \[2, 2\]. Give layers/,
    ],
    [
      "a module in a given order with other shapes",
      () =>
        startFromPytorch(imageModel(), fileOf(images), "f", {
          layers: ["conv1", "bn2", "conv2", "bn1", "up", "fc1", "bn3", "fc2"],
        }),
      /layer layers\.1: it needs weight \[4\], bias \[4\], running_mean \[4\], running_var \[4\], but the file has "bn2" with/,
    ],
  ])("refuses %s", (_, load, message) => {
    expect(load).toThrow(DataError);
    expect(load).toThrow(message);
  });

  test("refuses names that do not fit", () => {
    const load =
      (...names: string[]) =>
      () =>
        startFromPytorch(imageModel(), fileOf(images), "f", { layers: names });
    expect(load("conv1")).toThrow(OptionError);
    expect(load("conv1")).toThrow("does not name one module for each of layers.0, layers.1, layers.4.0");
    expect(load("conv1", "bn1", "conv2", "bn2", "up", "fc1", "bn3", "fc3")).toThrow('the file has no module "fc3"');
  });
});

describe("loadPytorch with a model", () => {
  test("refuses tensors that no layer uses, and options that the model has", () => {
    const more = fileOf({ ...images, "head.weight": [3, 3] });
    expect(() => loadPytorch(more, "f", { model: imageModel() })).toThrow(
      'f, tensor "head.weight": no layer of the model uses it; its shape is [3, 3]',
    );
    const both = { model: imageModel(), inputShape: [8, 6, 2] };
    expect(() => loadPytorch(fileOf(images), "f", both)).toThrow("inputShape: model already has it");
  });

  test("needs it for other layers than Linear ones", () => {
    expect(() => loadPytorch(fileOf(images), "f")).toThrow("model");
  });
});
