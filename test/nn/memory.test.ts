/* Attention whose keys and values are those of another sequence, a memory. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Backend } from "../../src/backends/backend.ts";
import { GraphError, OptionError } from "../../src/errors.ts";
import { initialValues } from "../../src/formats/model.ts";
import { saveOnnx } from "../../src/formats/onnx/index.ts";
import { defineGraph } from "../../src/graph/graph.ts";
import { constant, input } from "../../src/graph/leaves.ts";
import type { Shape, Tensor } from "../../src/graph/tensor.ts";
import { dense, functionalModel, layers, startFrom, toSequential, type Layer } from "../../src/nn/index.ts";
import { multiply } from "../../src/ops/elementwise/index.ts";
import { gradients } from "../../src/ops/gradients.ts";
import { sum } from "../../src/ops/reduce/index.ts";
import { backends } from "../backends.ts";
import { evaluate } from "./run.ts";

const WIDTH = 4;

/** scale · sin(first + rate · index). */
const wave = (size: number, [scale, first, rate]: readonly [number, number, number]) =>
  Float32Array.from({ length: size }, (_, index) => scale * Math.sin(first + rate * index));

const constantOf = (shape: Shape, of: readonly [number, number, number]) =>
  constant(
    [
      ...wave(
        shape.reduce((size, axis) => size * axis, 1),
        of,
      ),
    ],
    shape,
  );

const reading = (layer: Layer, length = 3, memoryLength = 5) =>
  functionalModel(
    { inputs: { x: [length, WIDTH], memory: [memoryLength, WIDTH], mask: [memoryLength] } },
    ({ x, memory, mask }, { use }) => ({ y: use(layer, x, { name: "layer", memory, mask }) }),
  );

/**
 * What nn.MultiheadAttention(4, 2, batch_first=True) of PyTorch 1.13 gives in float64 for a memory with padding, and the
 * gradients of Σ y · upstream. Its weights are the transposes of those here.
 */
const pytorch = {
  y: [
    -0.724085997, -0.451521372, -0.123696828, 0.076369465, -0.602171955, -0.56765924, -0.389995783, -0.138560838,
    -0.448980543, -0.702829234, -0.711233227, -0.402759638, -0.325251475, -0.886029099, -1.062720019, -0.65653516,
    -0.149126923, -0.903056361, -1.260013202, -0.884786717, -0.08193825, -0.842322724, -1.251696607, -0.935180998,
  ],
  x: [
    -0.155317479, 0.168529353, -0.179778744, 0.188934657, 0.172254959, -0.186908898, 0.199386329, -0.209541956,
    -0.151367411, 0.163746549, -0.174218899, 0.182662514, 0.181029014, -0.200091316, 0.216823604, -0.231031036,
    -0.110060503, 0.123243438, -0.134991235, 0.145167093, 0.068208616, -0.078681981, 0.088239115, -0.096768726,
  ],
  memory: [
    -0.029782146, 0.0284927, -0.026871465, 0.024937318, -0.023312848, 0.02188256, -0.020197456, 0.018277157,
    -0.037459638, 0.034408472, -0.030956628, 0.027144302, -0.037122314, 0.033580322, -0.029647296, 0.025369035,
    -0.01687738, 0.016110285, -0.01515559, 0.014024412, 0.101330338, -0.095705471, 0.088966137, -0.081190815, 0, 0, 0,
    0, 0.001607211, 0.004066517, -0.009692892, 0.015206395, 0.005401244, -0.003385036, 0.00132941, 0.000741696, 0, 0, 0,
    0,
  ],
  weight: [
    -0.068454038, 0.358930093, -0.053912586, 0.029053594, 0.005901738, 0.013468256, -0.011601993, 0.002208959,
    0.062682111, -0.056310818, 0.060334581, -0.021134566, -0.025011628, 0.149753887, -0.010355645, 0.026489525,
    0.117663043, 0.155992338, 0.117002025, 0.133652934, -0.110627047, 0.053774015, -0.001314094, -0.046280699,
    0.074899259, -0.397520021, 0.056581122, -0.035879653, -0.081980206, -0.114329647, -0.064049075, -0.088626157,
    0.008847029, 0.021541662, -0.059484915, 0.0510587, 0.005710913, -0.047317355, -0.004224687, -0.017243734,
    -0.064656352, -0.082069174, -0.07558923, -0.07634911, 0.104906743, -0.067702404, 0.039775799, 0.013267208,
  ],
};

describe.each(backends)("on $name", ({ create }) => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await create();
  });
  afterAll(() => backend.dispose());

  test("multiHeadAttention gives PyTorch's results and gradients", async () => {
    const x = input("x", [2, 3, WIDTH]);
    const memory = input("memory", [2, 5, WIDTH]);
    const mask = constant([1, 1, 1, 1, 1, 1, 0, 1, 1, 0], [2, 5]);
    const model = reading(layers.multiHeadAttention({ heads: 2 }));
    const { y } = model.apply({ x, memory, mask });
    const [weight, bias, outputWeight, outputBias] = model.parameters as [Tensor, Tensor, Tensor, Tensor];
    const leaves = [x, memory, weight];
    const slopes = gradients(sum(multiply(y, constantOf([2, 3, WIDTH], [1, 7, 2.3]))), leaves);
    const names = ["x", "memory", "weight"] as const;
    const session = backend.createSession();
    const graph = { y, ...Object.fromEntries(names.map((name, index) => [name, slopes[index]!])) };
    const executable = await session.compile(defineGraph(graph));
    const values: [Tensor, readonly [number, number, number]][] = [
      [x, [2, 5, 1.7]],
      [memory, [2, 6, 1.9]],
      [weight, [1, 1, 1.3]],
      [bias, [1, 2, 1.1]],
      [outputWeight, [1, 3, 0.9]],
      [outputBias, [1, 4, 0.7]],
    ];
    for (const [leaf, of] of values) session.write(leaf, wave(leaf.size, of));
    await executable.run(0, 1);
    for (const [name, wanted] of Object.entries(pytorch)) {
      const found = await executable.read(name);
      // Values up to 2, and three sums of at most 5 terms one after another.
      const bound = 16 * 2 ** -24 * Math.sqrt(15) * 2;
      wanted.forEach((value, index) => expect(Math.abs(found[index]! - value), `${name} ${index}`).toBeLessThan(bound));
    }
    session.dispose();
  });
});

test("a memory that is the layer's own input gives self-attention, with rotary positions and inside other layers", async () => {
  const attend = layers.multiHeadAttention({ heads: 2, rotary: true, causal: true });
  const layer = layers.sequential([attend, dense(WIDTH, { activation: "tanh" })]);
  const own = functionalModel({ inputs: { x: [3, WIDTH], mask: [3] } }, ({ x, mask }, { use }) => ({
    y: use(layer, x, { name: "layer", mask }),
  }));
  const x = constantOf([2, 3, WIDTH], [2, 5, 1.7]);
  const mask = constant([1, 1, 1, 1, 1, 0], [2, 3]);
  const { outputs } = await evaluate({
    read: reading(layer, 3, 3).apply({ x, memory: x, mask }).y,
    own: own.apply({ x, mask }).y,
  });
  outputs["own"]!.forEach((value, index) => expect(outputs["read"]![index]).toBeCloseTo(value, 12));
});

describe("a memory", () => {
  const use = (layer: Layer, memory: Shape, dtype: "float32" | "uint32" = "float32") =>
    functionalModel({ inputs: { x: [3, WIDTH], memory: { shape: memory, dtype } } }, (given, context) => ({
      y: context.use(layer, given.x, { name: "layer", memory: given.memory }),
    }));

  test("is refused in other shapes and types, and by layers without attention", () => {
    const attend = layers.multiHeadAttention();
    for (const make of [
      () => use(attend, [5, 3]),
      () => use(attend, [WIDTH]),
      () => use(attend, [5, WIDTH], "uint32"),
    ]) {
      expect(make).toThrow(GraphError);
      expect(make).toThrow(/^multiHeadAttention memory: .* is not float32\[1, length, 4\], vectors of the width/);
    }
    expect(() => use(layers.gru(2), [5, WIDTH])).toThrow(/^layer layer, gru: it gets a memory, but has no attention/);
    expect(() => use(dense(2), [5, WIDTH])).toThrow(GraphError);
  });

  test("does not count as a use of the mask that it was made with", () => {
    const inputs = { x: [3, WIDTH], mask: [3] };
    const make = () =>
      functionalModel({ inputs }, ({ x, mask }, context) => {
        const memory = context.use(layers.multiHeadAttention(), x, { mask });
        return { y: context.use(new Unmasked(), x, { memory, mask }) };
      });
    expect(make).toThrow(/^layer 1, unmasked: it gets a mask, but has no attention that uses it/);
  });

  test("cannot be exported, since the layers alone would be another function", () => {
    const model = use(layers.multiHeadAttention(), [3, WIDTH]);
    const same = functionalModel({ inputs: { x: [3, WIDTH] } }, ({ x }, context) => ({
      y: context.use(layers.multiHeadAttention(), x, { name: "layer", memory: x }),
    }));
    for (const own of [same, startFrom(same, initialValues(same)).model])
      expect(() => toSequential(own)).toThrow(/the layer layer gets a memory/);
    for (const own of [model, startFrom(model, initialValues(model)).model]) {
      expect(() => saveOnnx({ model: own, step: 0 })).toThrow(OptionError);
      expect(() => saveOnnx({ model: own, step: 0 })).toThrow(
        "layer layer: its attention gets a memory, which exported models",
      );
    }
  });
});

/** A layer that reads a memory without its mask. */
class Unmasked implements Layer {
  readonly config = { type: "unmasked" };
  build({ inputShape }: Parameters<Layer["build"]>[0]): ReturnType<Layer["build"]> {
    return { outputShape: inputShape, apply: (_, { memory }) => multiply(memory!, 2) };
  }
}
